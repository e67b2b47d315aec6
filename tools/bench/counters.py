"""Counters of what serves a target: processor time of its processes, and how its log grows.

They are read while nothing is measured, from ``/proc`` and outside the mount: neither a process
that waits for FUSE nor a file that FUSE serves is asked for anything.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.sample import Served

_SERVER: Final = "tracefs.capture.server"
_AT_ONCE: Final = 1 << 20


class Reading(Struct, frozen=True, kw_only=True):
    """The counters at one moment; they only grow."""

    threads_ns: dict[int, int]
    """Processor time of each thread (``schedstat``, its first number)."""
    user_ticks: int
    system_ticks: int
    lines: int | None
    log_bytes: int | None


class Watch:
    """The counters of one server.

    Args:
        processes: ids of the processes that serve.
        log: what they write of each operation; None: nothing.
    """

    def __init__(self, processes: Iterable[int], log: Path | None = None) -> None:
        self._processes = tuple(processes)
        self._log = log
        self._lines = self._bytes = 0

    def read(self) -> Reading:
        """Read them now."""
        threads: dict[int, int] = {}
        user = system = 0
        for process in self._processes:
            threads |= _threads_ns(process)
            ticks = _ticks(process)
            user, system = user + ticks[0], system + ticks[1]
        self._read_on()
        logged = self._log is not None
        return Reading(
            threads_ns=threads,
            user_ticks=user,
            system_ticks=system,
            lines=self._lines if logged else None,
            log_bytes=self._bytes if logged else None,
        )

    def _read_on(self) -> None:
        """Count what the log has grown by."""
        if self._log is None:
            return
        with suppress(FileNotFoundError), self._log.open("rb") as log:
            log.seek(self._bytes)
            while more := log.read(_AT_ONCE):
                self._bytes += len(more)
                self._lines += more.count(b"\n")


def between(before: Reading, after: Reading) -> Served:
    """Return what was taken between two readings; of a thread that ended meanwhile, nothing."""
    cpu_ns = sum(ns - before.threads_ns.get(thread, 0) for thread, ns in after.threads_ns.items())
    return Served(
        cpu_ns=cpu_ns,
        user_ticks=after.user_ticks - before.user_ticks,
        system_ticks=after.system_ticks - before.system_ticks,
        events=_grown(before.lines, after.lines),
        log_bytes=_grown(before.log_bytes, after.log_bytes),
    )


def tracefs_processes(ancestor: int) -> list[int]:
    """Return the processes of the ``tracefs run`` that *ancestor* is or has started.

    The server has a name of its own; guardian and supervisor were forked by the front end and have
    its command line.
    """
    family = [ancestor, *_descendants(ancestor)]
    words = {process: _command_line(process) for process in family}
    servers = [process for process in family if _SERVER in words[process]]
    fronts = [words[_parent(process)] for process in servers if _parent(process) in words]
    return [process for process in family if process in servers or words[process] in fronts]


def _descendants(process: int) -> list[int]:
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
        for child in map(int, children.split()):
            found += [child, *_descendants(child)]
    return found


def _command_line(process: int) -> list[str]:
    with suppress(FileNotFoundError, ProcessLookupError):
        line = Path(f"/proc/{process}/cmdline").read_bytes()
        return line.decode(errors="replace").split("\0")
    return []


def _threads_ns(process: int) -> dict[int, int]:
    times = {}
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                words = (thread / "schedstat").read_text(encoding="ascii").split()
                times[int(thread.name)] = int(words[0])
    return times


def _parent(process: int) -> int:
    return int(_stat(process)[1])


def _ticks(process: int) -> tuple[int, int]:
    stat = _stat(process)
    return int(stat[11]), int(stat[12])


def _stat(process: int) -> list[str]:
    """Return the fields of ``stat`` from the third on; the second may have spaces in it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()
    return ["0"] * 13


def _grown(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
