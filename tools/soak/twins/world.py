"""What a worker keeps between operations, and what it sees after each."""

import errno
import fcntl
import os
import reprlib
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import CLOCK_REALTIME, clock_gettime_ns, sleep
from typing import Final, TypeAlias

from soak.twins.tree import Entry, entry, walk

_CLOCK_REALTIME_COARSE: Final = 5
"""What the kernel stamps files with (current_time in fs/inode.c)."""

Plain: TypeAlias = bool | int | bytes | str | tuple["Plain", ...] | None
"""What an operation returns."""
Operation: TypeAlias = Callable[..., Plain]
"""Takes a `World` first, and what the step says then."""


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    operation: Operation
    arguments: tuple[object, ...]
    user: int | None = None
    look: bool = True
    """Look at all files afterwards."""
    contents: bool = False
    """Look into them, too."""

    def __str__(self) -> str:
        said = ", ".join(map(reprlib.repr, self.arguments))
        who = "" if self.user is None else f" as {self.user}"
        return f"{self.operation.__name__}({said}){who}"


@dataclass(frozen=True)
class Times:
    """Of one file: for each of its times ``same``, ``now``, or the nanoseconds that it shows.

    ``same`` is as at the last look, ``now`` since then.
    """

    path: bytes
    atime: str | int
    mtime: str | int
    ctime: str | int


@dataclass(frozen=True)
class Held:
    """One open file."""

    slot: int
    flags: int
    position: int
    mode: str
    nlink: int
    uid: int
    gid: int
    size: int


@dataclass(frozen=True)
class Sight:
    """What is to be seen after a step; the value alone, if nobody was to look."""

    value: Plain
    """What the operation returned, or the name of its error."""
    entries: list[Entry] = field(default_factory=list)
    times: list[Times] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


class World:
    """One directory, used by one process; *slots* are the files it holds open."""

    def __init__(self) -> None:
        self.slots: dict[int, int] = {}
        self.read: set[int] = set()
        """Inodes read since their access time was set: whether it moved is the cache's affair."""
        self._known: dict[int, tuple[int | None, ...]] = {}
        self._start = 0
        """When the last look was over."""
        self._root = os.open(".", os.O_RDONLY | os.O_DIRECTORY)

    def file(self, slot: int) -> int:
        """Return the descriptor of a file; ValueError: nothing is open."""
        if slot not in self.slots:
            raise ValueError("empty")
        return self.slots[slot]

    def reader(self, slot: int) -> int:
        """Return the descriptor of a file that is to be read."""
        fd = self.file(slot)
        self.read.add(os.fstat(fd).st_ino)
        return fd

    def home(self) -> None:
        """Go back to where the worker began."""
        os.fchdir(self._root)

    def enter(self, name: str) -> Sight:
        """Begin anew, in a new directory of that name."""
        self._start = _tick()
        for fd in self.slots.values():
            os.close(fd)
        self.slots.clear()
        self.home()
        os.mkdir(name)
        os.chmod(name, 0o777)  # noqa: S103  # other users work here
        os.chdir(name)
        self.read.clear()
        self._known.clear()
        return self._look(None, contents=False)

    def perform(self, step: Step) -> Sight:
        """Do one thing, and look."""
        try:
            user = os.geteuid() if step.user is None else step.user
            with become(user, os.getegid() if step.user is None else user):
                value = step.operation(self, *step.arguments)
        except OSError as error:
            value = errno.errorcode[error.errno or 0]
        except ValueError as error:  # nothing is open, or Python refuses by itself
            value = str(error)
        return self._look(value, contents=step.contents) if step.look else Sight(value)

    def _look(self, value: Plain, *, contents: bool) -> Sight:
        first: dict[int, bytes] = {}
        paths = [b".", *(path[2:] for path in walk(b"."))]
        entries = [entry(path, path, first, contents=contents) for path in paths]
        sight = Sight(value, entries, self._times(first), self._held())
        self._start = _tick()
        return sight

    def _times(self, first: dict[int, bytes]) -> list[Times]:
        shown: list[Times] = []
        known: dict[int, tuple[int | None, ...]] = {}
        for path in first.values():
            info = os.lstat(path)
            values = (info.st_atime_ns, info.st_mtime_ns, info.st_ctime_ns)
            before = self._known.get(info.st_ino, (None, None, None))
            end = clock_gettime_ns(CLOCK_REALTIME)
            said = [self._said(now, old, end) for now, old in zip(values, before, strict=True)]
            known[info.st_ino] = values
            # To list a directory and to read a link is to read.
            if not stat.S_ISREG(info.st_mode) or info.st_ino in self.read:
                said[0] = "unknown"
                known[info.st_ino] = (None, *values[1:])
            shown.append(Times(path, *said))
        held = {os.fstat(fd).st_ino for fd in self.slots.values()}
        self.read &= known.keys() | held
        self._known = known
        return shown

    def _said(self, value: int, before: int | None, end: int) -> str | int:
        if value == before:
            return "same"
        return "now" if self._start <= value <= end else value

    def _held(self) -> list[Held]:
        return [_facts(slot, fd) for slot, fd in sorted(self.slots.items())]


def _facts(slot: int, fd: int) -> Held:
    info = os.fstat(fd)
    regular = stat.S_ISREG(info.st_mode)
    return Held(
        slot=slot,
        flags=fcntl.fcntl(fd, fcntl.F_GETFL),
        position=os.lseek(fd, 0, os.SEEK_CUR) if regular else 0,
        mode=oct(info.st_mode),
        nlink=info.st_nlink,
        uid=info.st_uid,
        gid=info.st_gid,
        size=info.st_size if regular else 0,
    )


def _tick() -> int:
    """Wait until the clock of time stamps has moved; return what it shows."""
    before = clock_gettime_ns(_CLOCK_REALTIME_COARSE)
    while (now := clock_gettime_ns(_CLOCK_REALTIME_COARSE)) == before:
        sleep(0.0005)
    return now


@contextmanager
def become(uid: int, gid: int, groups: tuple[int, ...] = ()) -> Iterator[None]:
    """Be somebody else, if that is wanted of root."""
    ours = os.geteuid(), os.getegid(), os.getgroups()
    if (uid, gid) == ours[:2]:
        yield
        return
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(ours[0])
        os.setegid(ours[1])
        os.setgroups(ours[2])
