"""The tables: which call, on what, in which directory, by whom."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from soak.tables.calls import ON_PATH, ON_PATHS

OWNER: Final = 1000
OTHER: Final = 1001
GROUP: Final = 2000


@dataclass(frozen=True)
class Person:
    """Who makes a call."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


ROOT: Final = Person("root", 0, 0)
STRANGER: Final = Person("a stranger", 65534, 65534)
PEOPLE: Final = (
    Person("the owner", OWNER, OWNER),
    Person("one of the group", 1002, GROUP),
    Person("a member of the group", 1003, 1003, (2001, GROUP)),
    STRANGER,
    ROOT,
)


@dataclass(frozen=True)
class File:
    """Owner, group and mode of a file or directory."""

    uid: int
    gid: int
    mode: int


@dataclass(frozen=True)
class Cell:
    """One call, in a directory prepared for it."""

    who: Person
    call: str
    paths: tuple[bytes, ...]
    parent: File
    target: File

    def __str__(self) -> str:
        where = f"{self.parent.uid}:{self.parent.gid} {self.parent.mode:o}"
        what = f"{self.target.uid}:{self.target.gid} {self.target.mode:o}"
        return f"{self.call} {self.paths!r:.80} by {self.who.name} (in {where}, file {what})"


SHAPES: Final = (
    *(b"missing", b"file", b"dir", b"full", b"link", b"dlink", b"dangling", b"loop", b"fifo"),
    *(b"file/", b"dir/", b"link/", b"dlink/", b"missing/", b"dangling/", b"loop/"),
    *(b"file/x", b"missing/x", b"dlink/f", b"loop/x", b"blind/f", b"dir/new", b"full/f"),
    *(b".", b"..", b"dir/.", b"dir/..", b"full/../file", b"", b"n" * 256, b"./" * 2100 + b"x"),
)
"""Paths into what `prepare` makes."""

_PARENTS: Final = (
    File(0, 0, 0o755),
    File(0, 0, 0o1777),
    File(OWNER, OWNER, 0o1777),
    File(0, GROUP, 0o2775),
    File(OTHER, GROUP, 0o3770),
    File(OWNER, GROUP, 0o555),
    File(OWNER, GROUP, 0o360),
)
_TARGETS: Final = (
    File(OWNER, GROUP, 0o640),
    File(OTHER, GROUP, 0o2770),
    File(0, 0, 0o644),
    File(OTHER, OTHER, 0o6707),
    File(OWNER, OTHER, 0o2066),
)
_OPEN: Final = File(0, 0, 0o777)
_FOR_DIRECTORIES: Final = ("rmdir", "chmod", "chown", "access", "setxattr user.x 0", "listdir")
_MAKING: Final = ("open O_WRONLY|CREAT", "mkdir", "symlink", "mknod")
_LINKS: Final = {b"link": b"file", b"dlink": b"full", b"dangling": b"none", b"loop": b"loop"}


def cells() -> Iterator[Cell]:
    """Yield every cell of every table."""
    for who, call, path in itertools.product((ROOT, STRANGER), ON_PATH, SHAPES):
        yield Cell(who, call, (path,), _OPEN, _OPEN)
    for call, old, new in itertools.product(ON_PATHS, SHAPES[:-1], SHAPES[:-1]):
        yield Cell(ROOT, call, (old, new), _OPEN, _OPEN)
    for who, parent, target in itertools.product(PEOPLE, _PARENTS, _TARGETS):
        for call in ON_PATH:
            yield Cell(who, call, (b"file",), parent, target)
            if call.startswith(_FOR_DIRECTORIES):
                yield Cell(who, call, (b"dir",), parent, target)
            if call.startswith(_MAKING):
                yield Cell(who, call, (b"new",), parent, target)
        for call, old, new in itertools.product(ON_PATHS, (b"file", b"dir"), (b"new", b"full/f")):
            yield Cell(who, call, (old, new), parent, target)
            yield Cell(who, call, (new, old), parent, target)


def prepare(base: bytes, cell: Cell) -> None:
    """Make what the cell's call is to find in ``in``, below *base*."""
    os.mkdir(base)
    os.chmod(base, 0o777)  # noqa: S103  # others work here
    top = base + b"/in/"
    os.mkdir(top)
    for name in (b"dir", b"full"):
        os.mkdir(top + name)
    for name in (b"file", b"full/f"):
        fd = os.open(top + name, os.O_CREAT | os.O_WRONLY, 0o600)
        if name == b"file":
            os.write(fd, b"contents")
        os.setxattr(fd, "user.x", b"old")
        os.close(fd)
    if cell.parent == _OPEN:
        for name, target in _LINKS.items():
            os.symlink(target, top + name)
        os.mkfifo(top + b"fifo")
        os.mkdir(top + b"blind")
        os.close(os.open(top + b"blind/f", os.O_CREAT, 0o600))
        os.chmod(top + b"blind", 0)
    for name in (b"full/f", b"file", b"dir", b"full"):
        _give(top + name, cell.target)
    _give(top, cell.parent)


def _give(path: bytes, file: File) -> None:
    os.chown(path, file.uid, file.gid)
    os.chmod(path, file.mode)
