"""A server's process as a fork of this one, where many runs need one each.

An interpreter that imports pyfuse3 and trio takes ten times as long as a fork of one that has.
"""

import importlib
import os
import signal
import socket
import sys
import traceback
from typing import Final, NoReturn

from tracefs.capture.spawn import SERVER, Process, Server

_CONTROL: Final = 3
_MOST_DESCRIPTORS: Final = 1 << 20
"""More than any process has here (fs.nr_open in proc_sys_fs(5))."""


def prepare() -> None:
    """Import what a server needs, so that its forks need not; before there is any mount.

    By name: what only reads recordings has neither pyfuse3 nor trio, and is not to load them.
    """
    importlib.import_module(SERVER)


class Child:
    """A process that was forked off, as `subprocess.Popen` shows one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, -N for signal N; None: it has not ended."""
        return self._collect(os.WNOHANG)

    def wait(self) -> int | None:
        """Return its exit status once it has ended."""
        return self._collect(0)

    def kill(self) -> None:
        """Send it SIGKILL."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _collect(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Forked(Server):
    """A server that is a fork of this process.

    `prepare` comes first, once; this process neither serves a mount nor uses one.
    """

    def __init__(self) -> None:
        super().__init__(_fork)


def _fork(theirs: socket.socket) -> Process:
    pid = os.fork()
    if pid == 0:
        _serve(theirs.fileno())
    return Child(pid)


def _serve(control: int) -> NoReturn:
    """Be the server, and end. Nobody is to wait for it who waits for what this process holds."""
    status = 1
    try:
        os.setsid()
        for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for stream in (0, 1):
            os.dup2(nothing, stream)
        os.dup2(control, _CONTROL, inheritable=False)
        os.closerange(_CONTROL + 1, _MOST_DESCRIPTORS)
        server = importlib.import_module(SERVER)
        status = server.serve(socket.socket(fileno=_CONTROL))
    except BaseException:  # noqa: BLE001  # whatever it was, the log is to have it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
