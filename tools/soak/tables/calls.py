"""The calls that take a path, each as a function of it; and those that take two."""

import itertools
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, TypeAlias

from soak.twins import linux
from soak.twins.world import Plain

OnPath: TypeAlias = Callable[[bytes], Plain]
OnPaths: TypeAlias = Callable[[bytes, bytes], Plain]

_ACCESS: Final = {"O_RDONLY": os.O_RDONLY, "O_WRONLY": os.O_WRONLY, "O_RDWR": os.O_RDWR}
_MORE: Final = {
    "": 0,
    "CREAT": os.O_CREAT,
    "CREAT|EXCL": os.O_CREAT | os.O_EXCL,
    "TRUNC": os.O_TRUNC,
    "CREAT|TRUNC": os.O_CREAT | os.O_TRUNC,
    "APPEND": os.O_APPEND,
    "DIRECTORY": os.O_DIRECTORY,
    "NOFOLLOW": os.O_NOFOLLOW,
    "CREAT|NOFOLLOW": os.O_CREAT | os.O_NOFOLLOW,
    "NOATIME": os.O_NOATIME,
}
_TIME: Final = 1_000_000_000_123_456_789


def _open(flags: int, path: bytes) -> Plain:
    fd = os.open(path, flags | os.O_NONBLOCK, 0o640)
    try:
        return stat.filemode(os.fstat(fd).st_mode)
    finally:
        os.close(fd)


def _opens() -> Iterator[tuple[str, OnPath]]:
    for (access, how), (name, more) in itertools.product(_ACCESS.items(), _MORE.items()):
        yield f"open {access}|{name}".rstrip("|"), partial(_open, how | more)
    yield "open O_PATH", partial(_open, os.O_PATH)
    yield "open O_PATH|NOFOLLOW", partial(_open, os.O_PATH | os.O_NOFOLLOW)


def _look(path: bytes, *, follow: bool) -> Plain:
    info = os.stat(path, follow_symlinks=follow)
    size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
    return stat.filemode(info.st_mode), info.st_nlink, info.st_uid, info.st_gid, size


def _listdir(path: bytes) -> Plain:
    return tuple(sorted(os.listdir(path)))


def _listxattr(path: bytes) -> Plain:
    return tuple(sorted(os.listxattr(path)))


def _chdir(path: bytes) -> None:
    here = os.open(".", os.O_PATH)
    try:
        os.chdir(path)
        os.fchdir(here)
    finally:
        os.close(here)


def _sync(path: bytes) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _namemax(path: bytes) -> Plain:
    return os.statvfs(path).f_namemax


def _setxattr(name: str, flags: int, path: bytes) -> None:
    os.setxattr(path, name, b"new", flags)


def _lsetxattr(path: bytes) -> None:
    os.setxattr(path, "user.x", b"new", follow_symlinks=False)


def _utimens(atime: int, mtime: int, path: bytes) -> None:
    linux.utimens(path, atime, mtime, follow=True)


def _lutimens(path: bytes) -> None:
    linux.utimens(path, _TIME, _TIME, follow=False)


def _chown(uid: int, gid: int, path: bytes) -> None:
    os.chown(path, uid, gid)


def _chmod(mode: int, path: bytes) -> None:
    os.chmod(path, mode)


def _mknod(kind: int, device: int, path: bytes) -> None:
    os.mknod(path, kind | 0o2664, device)


def _truncate(size: int, path: bytes) -> None:
    os.truncate(path, size)


def _access(mode: int, path: bytes) -> Plain:
    return os.access(path, mode, effective_ids=True)


def _rename(flags: int, old: bytes, new: bytes) -> None:
    linux.rename(old, new, flags)


ON_PATHS: Final[dict[str, OnPaths]] = {
    "rename": partial(_rename, 0),
    "rename NOREPLACE": partial(_rename, linux.RENAME_NOREPLACE),
    "rename EXCHANGE": partial(_rename, linux.RENAME_EXCHANGE),
    "link": linux.link,
}


def _on_one() -> Iterator[tuple[str, OnPath]]:
    yield from _opens()
    yield "mkdir", partial(os.mkdir, mode=0o2775)
    yield "rmdir", os.rmdir
    yield "unlink", os.unlink
    yield "symlink at", partial(os.symlink, b"file")
    yield "mknod file", partial(_mknod, stat.S_IFREG, 0)
    yield "mknod FIFO", partial(_mknod, stat.S_IFIFO, 0)
    yield "mknod socket", partial(_mknod, stat.S_IFSOCK, 0)
    yield "mknod device", partial(_mknod, stat.S_IFCHR, os.makedev(1, 3))
    for mode in (0o600, 0o4755, 0o2755, 0o1777):
        yield f"chmod {mode:o}", partial(_chmod, mode)
    for uid, gid in ((-1, -1), (1001, -1), (-1, 2001), (-1, 2002), (0, 0)):
        yield f"chown {uid}:{gid}", partial(_chown, uid, gid)
    yield "lchown", partial(os.chown, uid=1001, gid=2001, follow_symlinks=False)
    for size in (0, 3, 100, -1):
        yield f"truncate {size}", partial(_truncate, size)
    for name, times in {
        "set": (_TIME, _TIME),
        "now": (linux.UTIME_NOW, linux.UTIME_NOW),
        "set, omit": (_TIME, linux.UTIME_OMIT),
        "omit, now": (linux.UTIME_OMIT, linux.UTIME_NOW),
        "omit, omit": (linux.UTIME_OMIT, linux.UTIME_OMIT),
    }.items():
        yield f"utimens {name}", partial(_utimens, *times)
    yield "lutimens", _lutimens
    for mode in range(8):
        yield f"access {mode}", partial(_access, mode)
    for name in ("user.x", "user.new", "trusted.x", "security.x", "none.x"):
        for flags in (0, os.XATTR_CREATE, os.XATTR_REPLACE):
            yield f"setxattr {name} {flags}", partial(_setxattr, name, flags)
    yield "lsetxattr", _lsetxattr
    for name in ("user.x", "user.new", "trusted.x"):
        yield f"getxattr {name}", partial(os.getxattr, attribute=name)
        yield f"removexattr {name}", partial(os.removexattr, attribute=name)
    yield "listxattr", _listxattr
    yield "readlink", os.readlink
    yield "stat", partial(_look, follow=True)
    yield "lstat", partial(_look, follow=False)
    yield "listdir", _listdir
    yield "chdir", _chdir
    yield "fsync directory", _sync
    yield "statvfs", _namemax


ON_PATH: Final[dict[str, OnPath]] = dict(_on_one())
