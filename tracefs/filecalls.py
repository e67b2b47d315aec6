"""System calls on files that Python does not offer, for what records and what replays."""

import ctypes
import errno
import fcntl
import os
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)

RENAME_EXCHANGE: Final = 2
FALLOC_FL_KEEP_SIZE: Final = 1
_FICLONE: Final = 0x40049409
_BLOCK: Final = 1 << 20
_NOT_HERE: Final = frozenset({errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
"""What copy_file_range(2) says where it can't copy from the one to the other."""


def renameat2(old_dir: int, old: bytes, new_dir: int, new: bytes, flags: int) -> None:
    """Rename with flags (renameat2(2))."""
    require_success(_libc.renameat2(old_dir, old, new_dir, new, ctypes.c_uint(flags)), old)


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """Allocate, free or zero a range of a file (fallocate(2)); nothing is emulated."""
    require_success(_libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)))


def clone(source: int, target: int) -> bool:
    """Let *target*, an empty file, share what *source* holds; return whether that can be."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def copy_contents(source: int, target: int) -> None:
    """Copy what *source* holds into *target*, an empty file; what is a hole there is one here."""
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    end = 0
    while end < size:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # lseek(2): nothing but a hole is left
                raise
            return
        end = os.lseek(source, start, os.SEEK_HOLE)
        _copy(source, target, start, end)


def _copy(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        try:
            count = os.copy_file_range(source, target, end - start, start, start)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
            count = os.pwrite(target, os.pread(source, min(end - start, _BLOCK), start), start)
        if not count:
            return  # it was cut off meanwhile
        start += count


def require_success(result: int, what: str | bytes | None = None) -> None:
    """Raise OSError with the error of the last foreign call, if it did not return 0."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
