"""System calls that Python does not offer."""

import ctypes
import os
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD: Final = -100
_AT_SYMLINK_NOFOLLOW: Final = 0x100
UTIME_NOW: Final = (1 << 30) - 1
UTIME_OMIT: Final = (1 << 30) - 2
KEEP_SIZE: Final = 1
PUNCH_HOLE: Final = 2
ZERO_RANGE: Final = 16
RENAME_NOREPLACE: Final = 1
RENAME_EXCHANGE: Final = 2
_SECOND: Final = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def rename(old: bytes, new: bytes, flags: int) -> None:
    """renameat2(2)."""
    _check(_libc.renameat2(_AT_FDCWD, old, _AT_FDCWD, new, ctypes.c_uint(flags)))


def link(old: bytes, new: bytes) -> None:
    """link(2): a link to a symbolic link, if *old* is one."""
    _check(_libc.link(old, new))


def _timespec(time: int) -> _Timespec:
    if time in (UTIME_NOW, UTIME_OMIT):
        return _Timespec(0, time)
    return _Timespec(time // _SECOND, time % _SECOND)


def utimens(path: bytes, atime: int, mtime: int, *, follow: bool) -> None:
    """utimensat(2); times in nanoseconds, UTIME_NOW or UTIME_OMIT."""
    times = (_Timespec * 2)(_timespec(atime), _timespec(mtime))
    _check(_libc.utimensat(_AT_FDCWD, path, times, 0 if follow else _AT_SYMLINK_NOFOLLOW))


def futimens(fd: int, atime: int, mtime: int) -> None:
    """futimens(3)."""
    _check(_libc.futimens(fd, (_Timespec * 2)(_timespec(atime), _timespec(mtime))))


def fallocate(fd: int, mode: int, offset: int, size: int) -> None:
    """fallocate(2)."""
    _check(_libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(size)))
