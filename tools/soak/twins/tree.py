"""What a directory holds, as data that two directories have in common."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

_EDGE: Final = 1 << 17
"""Of larger files, so many bytes at each end are read: they have a hole between."""
NOFOLLOW: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Entry:
    """One name and what it leads to; None: not asked for, or the file has no such thing."""

    path: bytes
    kind: str
    mode: str
    nlink: int
    uid: int
    gid: int
    size: int | None
    rdev: int
    twin: bytes
    """First path of the same inode."""
    target: bytes | None
    digest: str | None
    xattrs: tuple[tuple[str, bytes], ...]


def scan(root: bytes, *, contents: bool) -> list[Entry]:
    """Return all that is below *root*, without touching access times of files."""
    first: dict[int, bytes] = {}
    return [
        entry(path, path[len(root) + 1 :], first, contents=contents) for path in [root, *walk(root)]
    ]


def entry(path: bytes, shown: bytes, first: dict[int, bytes], *, contents: bool) -> Entry:
    """Return what is at *path*; *first* has each inode's first path, and gets this one's."""
    info = os.lstat(path)
    regular, linked = stat.S_ISREG(info.st_mode), stat.S_ISLNK(info.st_mode)
    return Entry(
        path=shown,
        kind=stat.filemode(info.st_mode)[0],
        mode=oct(stat.S_IMODE(info.st_mode)),
        nlink=info.st_nlink,
        uid=info.st_uid,
        gid=info.st_gid,
        # A directory's size depends on what was in it before.
        size=None if stat.S_ISDIR(info.st_mode) else info.st_size,
        rdev=info.st_rdev,
        twin=first.setdefault(info.st_ino, shown),
        target=os.readlink(path) if linked else None,
        digest=_digest(path, info.st_size) if regular and contents else None,
        xattrs=tuple(
            (name, os.getxattr(path, name, follow_symlinks=False))
            for name in sorted(os.listxattr(path, follow_symlinks=False))
        ),
    )


def walk(root: bytes) -> Iterator[bytes]:
    """Yield every path below *root*, in order of name, a directory before what is in it."""
    for name in sorted(os.listdir(root)):
        path = root + b"/" + name
        yield path
        if stat.S_ISDIR(os.lstat(path).st_mode):
            yield from walk(path)


def _digest(path: bytes, size: int) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_NOATIME | NOFOLLOW)
    try:
        found = hashlib.blake2b(os.pread(fd, _EDGE, 0), digest_size=8)
        if size > _EDGE:
            found.update(os.pread(fd, _EDGE, max(_EDGE, size - _EDGE)))
    finally:
        os.close(fd)
    return found.hexdigest()


def differences(ours: list[Entry], theirs: list[Entry], names: tuple[str, str]) -> list[str]:
    """Say where two trees differ, a line each; *names* are what to call them."""
    left, right = ({one.path: one for one in side} for side in (ours, theirs))
    lines = [f"{path!r}: only {names[0]}" for path in left.keys() - right.keys()]
    lines += [f"{path!r}: only {names[1]}" for path in right.keys() - left.keys()]
    for path in left.keys() & right.keys():
        lines += unlike(left[path], right[path], names, repr(path))
    return sorted(lines)


def unlike(ours: object, theirs: object, names: tuple[str, str], where: str) -> list[str]:
    """Say in which fields two dataclasses of one type differ."""
    return [
        f"{where}.{field.name}: {names[0]} {a!r:.300}, {names[1]} {b!r:.300}"
        for field in fields(ours)  # type: ignore[arg-type]
        if (a := getattr(ours, field.name)) != (b := getattr(theirs, field.name))
    ]
