"""The places that programs run on."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.counters import Watch, tracefs_processes
from bench.mount import mount
from bench.programs import Compiled
from bench.workloads import CALLS, GROUPS, SQLITE, THREADS
from tracefs.journal.format import JOURNAL

TRACEFS: Final = str(Path(sys.executable).with_name("tracefs"))
_HERE: Final = Path(__file__).parent
_FAR: Final = 1_000_000_000


@dataclass(frozen=True)
class Site:
    """Where a target is put up, for one run of one program."""

    folder: Path
    """A directory on the storage that is measured."""
    prefix: tuple[str, ...]
    """Words before every command that bind it to the placement."""
    mount_point: Path
    """An empty directory elsewhere, for a filesystem that is mounted beside its source."""
    logs: Path
    """A directory for what a target writes down; not measured."""
    compiled: Compiled
    lazyfs: str
    """The program of LazyFS."""


@dataclass(frozen=True)
class Place:
    """A target that is up."""

    folder: Path
    """Where a program does its work."""
    wrap: tuple[str, ...] = ()
    """Words before its command."""
    watch: Callable[[int], Watch | None] = lambda _: None
    """The counters of what serves it, given the process that was started."""


@dataclass(frozen=True)
class Target:
    """Something to measure, and the groups of workloads that it can do."""

    place: Callable[[Site], AbstractContextManager[Place]]
    groups: tuple[str, ...] = tuple(GROUPS)
    peer: bool = False
    """Measured when it is asked for: somebody else's filesystem, or tracefs in another way."""


def pinned(placement: str) -> tuple[str, ...]:
    """Return the prefix of commands for *placement*; children inherit it, so do servers."""
    if placement == "free":
        return ()
    return ("taskset", "-c", str(max(os.sched_getaffinity(0))))


@contextmanager
def bare(site: Site) -> Iterator[Place]:
    """Use the directory itself."""
    yield Place(site.folder)


@contextmanager
def strace(site: Site) -> Iterator[Place]:
    """Use the directory itself under strace, which formats every call and throws it away."""
    yield Place(site.folder, ("strace", "-f", "-o", "/dev/null"))


@contextmanager
def strace_bpf(site: Site) -> Iterator[Place]:
    """Use strace that stops by a seccomp filter at the calls it is to show, and no others."""
    calls = "trace=lseek,write,pwrite64,fdatasync"
    yield Place(site.folder, ("strace", "-f", "--seccomp-bpf", "-e", calls, "-o", "/dev/null"))


@contextmanager
def floor(site: Site) -> Iterator[Place]:
    """Mount the filesystem in C that does nothing."""
    with _mounted([*site.prefix, str(site.compiled.floor)], site) as place:
        yield place


@contextmanager
def noop(site: Site) -> Iterator[Place]:
    """Mount the filesystem of pyfuse3 that does nothing."""
    with _mounted([*site.prefix, sys.executable, str(_HERE / "noop.py")], site) as place:
        yield place


@contextmanager
def passthrough(site: Site) -> Iterator[Place]:
    """Mount the plain passthrough of pyfuse3."""
    server = [sys.executable, str(_HERE / "passthrough.py"), str(site.folder)]
    with _mounted([*site.prefix, *server], site) as place:
        yield place


@contextmanager
def tracefs(site: Site) -> Iterator[Place]:
    """Use ``tracefs run``; its recording goes away with the place."""
    with _recorded(site) as place:
        yield place


@contextmanager
def ten_rules(site: Site) -> Iterator[Place]:
    """Use ``tracefs run`` with ten rules of faults, all of which wait for a call far away."""
    calls = ("write", "pwrite64", "fdatasync") * 3
    rules = [f"{call}:error=EIO:when={_FAR + more}" for more, call in enumerate(calls)]
    rules.append(f"all(*.db):error=EIO:when={_FAR}")
    with _recorded(site, *(word for rule in rules for word in ("--inject", rule))) as place:
        yield place


@contextmanager
def _recorded(site: Site, *options: str) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(dir=site.logs) as parent:
        recording = Path(parent) / "r.trace"

        def watch(process: int) -> Watch:
            return Watch(tracefs_processes(process), recording / JOURNAL)

        yield Place(site.folder, tuple(traced((), site.folder, recording, *options)), watch)


@contextmanager
def _mounted(server: Sequence[str], site: Site) -> Iterator[Place]:
    """Run a *server* that takes the mount point as its last word, and writes no log."""
    with mount([*server, str(site.mount_point)], site.mount_point) as process:
        yield Place(site.mount_point, watch=lambda _: Watch([process]))


def traced(command: Sequence[str], folder: Path, recording: Path, *options: str) -> list[str]:
    """Return *command* under ``tracefs run`` on *folder*."""
    where = ["--dir", str(folder), "-o", str(recording)]
    return [TRACEFS, "run", "-q", *options, *where, "--", *command]


OURS: Final[dict[str, Target]] = {
    "bare": Target(bare),
    "strace -f": Target(strace),
    "strace --seccomp-bpf": Target(strace_bpf),
    "C floor": Target(floor, (CALLS, THREADS)),
    "no-op": Target(noop, (CALLS, THREADS)),
    "passthrough": Target(passthrough, (CALLS, THREADS, SQLITE)),
    "tracefs": Target(tracefs),
}
"""What every run measures, unless it is told otherwise."""
