"""Start the server's process, and nothing else: what is imported here is imported before that.

An interpreter with pyfuse3 and trio takes most of the time that `tracefs run` does before its
command starts. So it is started first of all, and everything else is done while it imports.
"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final, Protocol, Self

from tracefs.errors import SetupError

SERVER: Final = "tracefs.capture.server"
"""The module that a server's process runs."""
NEEDED: Final = (
    "tracefs.capture._request", "tracefs.capture._standby", "pyfuse3", "trio",
)  # fmt: skip
"""What it imports that comes with the extra ``capture``, or is compiled at install."""


class Process(Protocol):
    """What is asked of a server's process."""

    pid: int
    returncode: int | None
    """-N for signal N; None: it was not seen to end."""

    def poll(self) -> int | None:
        """Return its exit status; None: it has not ended."""

    def wait(self) -> int | None:
        """Return its exit status once it has ended."""

    def kill(self) -> None:
        """Send it SIGKILL."""


class Server:
    """A server that waits to be told what to serve, however its process was made."""

    def __init__(self, start: Callable[[socket.socket], Process]) -> None:
        """Let *start* make the process, given the server's end of the control socket."""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = start(theirs)
        self._taken = False

    def take(self) -> tuple[socket.socket, Process]:
        """Return its control socket and process, to whoever sees to both from now on."""
        self._taken = True
        return self.control, self.process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it if nobody had a use for it."""
        if self._taken:
            return
        self.control.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


class Spawned(Server):
    """Such a server as an interpreter of its own."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            SetupError: what mounts is not installed.
            OSError: no process can be started.
        """
        require_installed()
        super().__init__(_spawn)


def require_installed() -> None:
    """Raise SetupError, as a user can read it, if the server could not import what it needs."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"nothing can be mounted: {' and '.join(missing)} not installed",
            repair="tracefs doctor says how to get it",
        )


def _spawn(theirs: socket.socket) -> Process:
    return subprocess.Popen(
        # -P: a module of the traced directory is none of the server's.
        [sys.executable, "-P", "-m", SERVER, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Named, so that it is passed on even where it is to be closed on exec.
        stderr=2,
        # Ctrl-C is for the command; the server ends with the mount.
        start_new_session=True,
    )
