"""Where suites work: traced and bare directories side by side, and programs run in them."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import watchdog
from mounting import PATIENCE_S, Guard, Mount, Run, run_traced

from tracefs.capture import mounts
from tracefs.journal.reader import JournalReader

_LIMIT_S = 600


@dataclass(frozen=True)
class Done:
    """How a program ended; it was killed at its limit if *returncode* is None."""

    returncode: int | None
    stdout: str
    stderr: str


class Place:
    """A directory that is traced as long as the place lasts."""

    def __init__(self, mount: Mount) -> None:
        self._mount = mount
        self.path = mount.mountpoint
        """What programs use."""
        self.source = mount.source
        """What *path* shows."""
        self.recording = mount.recording
        self.server = mount.server
        """Process id of what serves it."""
        self.killed = False

    def kill(self) -> None:
        """Kill the server; return when its mount is gone."""
        os.kill(self.server, signal.SIGKILL)
        self.was_killed()

    def was_killed(self) -> None:
        """Return when the mount is gone whose server somebody else has killed."""
        self.killed = True
        self._mount.process.communicate(timeout=PATIENCE_S)
        await_unmounted(self.path)


class Arena:
    """Directories of one suite, below *scratch*, and the mounts over them.

    The paths are short: sockets in them may have 107 bytes (unix(7)).
    """

    def __init__(self, scratch: Path, guard: Guard) -> None:
        self._scratch = scratch
        self._guard = guard
        # Counts for several threads, too: next() is one step.
        self._numbers = count(1)

    def bare(self, name: str = "b") -> Path:
        """Return a new directory that is not traced; anybody may write to it."""
        made = self._scratch / f"{name}{next(self._numbers)}"
        made.mkdir()
        made.chmod(0o777)
        return made

    def watched(self, name: str = "w") -> Path:
        """Return such a directory that a suite itself mounts over; the watchdog knows of it."""
        made = self.bare(name)
        self._guard.watch(made)
        return made

    @contextmanager
    def mounted(self, *options: str) -> Iterator[Place]:
        """Mount a new directory; unmount it in the end, and expect its journal to be whole."""
        base = self.bare("m")
        source, mountpoint = base / "src", base / "mnt"
        for directory in (source, mountpoint):
            directory.mkdir()
            directory.chmod(0o777)
        mount = Mount(source, mountpoint, base / "rec", self._guard, *options)
        place = Place(mount)
        try:
            yield place
        except BaseException:
            mount.abandon()
            raise
        if place.killed:
            return
        mount.end()
        require_whole(place.recording)

    def run(
        self,
        command: Sequence[str],
        cwd: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | int | None = None,
        group: str | int | None = None,
        limit_s: float = _LIMIT_S,
        stdin: str = "",
    ) -> Done:
        """Run a program in *cwd*, as *user* if that is given; kill it and its own at the limit."""
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(stdin, timeout=limit_s)
        except subprocess.TimeoutExpired:
            watchdog.abort(str(cwd))
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            return Done(None, out, err)
        return Done(process.returncode, out, err)

    def run_traced(
        self,
        command: Sequence[str],
        directory: Path,
        *options: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = _LIMIT_S,
    ) -> Run:
        """Run a program under ``tracefs run`` with *directory* traced in place, and working there.

        To be another user, it becomes it itself (``setpriv``). The journal must be whole.

        Raises:
            HungError: It does not end within *limit_s*.
        """
        recording = self._scratch / f"r{next(self._numbers)}"
        run = run_traced(
            directory, recording, self._guard, command, *options, env=env, patience_s=limit_s
        )
        require_whole(recording)
        return run


def await_unmounted(directory: Path) -> None:
    """Return when nothing is mounted there; it is unmounted a moment after its server's death."""
    mountpoint = os.fsencode(os.path.realpath(directory))
    with open("/proc/self/mountinfo", "rb") as table:
        changes = select.poll()
        changes.register(table, select.POLLPRI)  # a mount or unmount since the last look (proc(5))
        while mounts.find(mountpoint) is not None:
            if not changes.poll(PATIENCE_S * 1000):
                raise AssertionError(f"still mounted: {directory}")


def require_whole(recording: Path) -> int:
    """Return the number of events of a recording that must have begun and ended as it should."""
    with JournalReader(recording) as reader:
        count = sum(1 for _ in reader.events())
        if not reader.ending.complete:
            raise AssertionError(f"the journal is incomplete: {reader.ending.reason}")
    return count
