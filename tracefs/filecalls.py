"""System calls on files that Python does not offer, for what records and what replays."""

import ctypes
import os
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)

RENAME_EXCHANGE: Final = 2
FALLOC_FL_KEEP_SIZE: Final = 1


def renameat2(old_dir: int, old: bytes, new_dir: int, new: bytes, flags: int) -> None:
    """Rename with flags (renameat2(2))."""
    require_success(_libc.renameat2(old_dir, old, new_dir, new, ctypes.c_uint(flags)), old)


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """Allocate, free or zero a range of a file (fallocate(2)); nothing is emulated."""
    require_success(_libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)))


def require_success(result: int, what: str | bytes | None = None) -> None:
    """Raise OSError with the error of the last foreign call, if it did not return 0."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
