"""What the kernel may write back at any time, made to happen just before the power is cut."""

import ctypes
import fcntl
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from tracefs.filecalls import require_success

from reality.filesystems import Filesystem

_libc: Final = ctypes.CDLL(None, use_errno=True)
_BEFORE_WRITE_AFTER: Final = 7
"""SYNC_FILE_RANGE_WAIT_BEFORE | WRITE | WAIT_AFTER (sync_file_range(2))."""
_BTRFS_START_SYNC: Final = 0x80089418
"""BTRFS_IOC_START_SYNC (linux/btrfs.h): begins a commit, without writing file contents first."""
_BTRFS_WAIT_SYNC: Final = 0x40089416
"""BTRFS_IOC_WAIT_SYNC of what it began."""


def commit(filesystem: Filesystem, place: Path) -> None:
    """Have the log of all metadata changes written, as by the clock, and no file contents for it."""
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if filesystem.type == "btrfs":
            number = bytearray(8)
            fcntl.ioctl(fd, _BTRFS_START_SYNC, number)
            fcntl.ioctl(fd, _BTRFS_WAIT_SYNC, number)
            return
        # Whoever syncs another file has the log written up to that.
        other = os.open(".nudge", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd)
        try:
            os.fchmod(other, 0o640)
            os.fsync(other)
        finally:
            os.close(other)
            os.unlink(".nudge", dir_fd=fd)
    finally:
        os.close(fd)


def write_back(path: Path) -> None:
    """Have a file's contents written to where they belong, and nothing else."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        zero = ctypes.c_int64(0)
        require_success(_libc.sync_file_range(fd, zero, zero, _BEFORE_WRITE_AFTER), str(path))
    finally:
        os.close(fd)


def files(tree: Path) -> list[Path]:
    """Return the regular files in *tree*, in order of their names."""
    return sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


def _contents(paths: Iterable[Path]) -> None:
    for path in paths:
        write_back(path)


def _nothing(filesystem: Filesystem, place: Path, tree: Path) -> None:
    """Cut the power with everything unsynced in the cache."""


def _metadata(filesystem: Filesystem, place: Path, tree: Path) -> None:
    commit(filesystem, place)


def _data(filesystem: Filesystem, place: Path, tree: Path) -> None:
    _contents(files(tree))


def _both(filesystem: Filesystem, place: Path, tree: Path) -> None:
    _contents(files(tree))
    commit(filesystem, place)


def _first(filesystem: Filesystem, place: Path, tree: Path) -> None:
    _contents(files(tree)[:1])
    commit(filesystem, place)


def _last(filesystem: Filesystem, place: Path, tree: Path) -> None:
    _contents(files(tree)[-1:])
    commit(filesystem, place)


NUDGES: Final[dict[str, Callable[[Filesystem, Path, Path], None]]] = {
    "nothing": _nothing,
    "metadata": _metadata,
    "data": _data,
    "data, then metadata": _both,
    "one file's data, then metadata": _first,
    "another file's data, then metadata": _last,
}
"""By name; each is given the filesystem, where it is mounted, and the tree in it."""
