"""What the kernel may write back at any time, made to happen just before the power is cut."""

import ctypes
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reality.filesystems import Filesystem
from tracefs.filecalls import require_success

_libc: Final = ctypes.CDLL(None, use_errno=True)
_BEGIN: Final = 2
"""SYNC_FILE_RANGE_WRITE (sync_file_range(2))."""
_BEFORE_WRITE_AFTER: Final = 7
"""SYNC_FILE_RANGE_WAIT_BEFORE | WRITE | WAIT_AFTER."""
_BTRFS_START_SYNC: Final = 0x80089418
"""BTRFS_IOC_START_SYNC (linux/btrfs.h): begins a commit, without writing file contents first."""
_BTRFS_WAIT_SYNC: Final = 0x40089416
"""BTRFS_IOC_WAIT_SYNC of what it began."""


def commit(filesystem: Filesystem, place: Path) -> None:
    """Have the log of all metadata changes written, as by the clock, and no contents for it."""
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


def write_back(path: Path, *, waits: bool) -> None:
    """Have a file's contents written to where they belong, and nothing else."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        zero = ctypes.c_int64(0)
        require_success(
            _libc.sync_file_range(fd, zero, zero, _BEFORE_WRITE_AFTER if waits else _BEGIN),
            str(path),
        )
    finally:
        os.close(fd)


def files(tree: Path) -> list[Path]:
    """Return the regular files in *tree*, in order of their names."""
    return sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


@dataclass(frozen=True)
class Nudge:
    """What is written back, contents first."""

    contents: tuple[int | None, int | None] = (0, 0)
    """Of which files, in order of their names: from and to, as in a slice."""
    metadata: bool = False
    waits: bool = True
    """For the contents, before anything else; else they are on their way."""

    def give(self, filesystem: Filesystem, place: Path, tree: Path) -> None:
        """Do so for the *filesystem* at *place*, and the files in *tree* on it."""
        for path in files(tree)[slice(*self.contents)]:
            write_back(path, waits=self.waits)
        if self.metadata:
            commit(filesystem, place)


NUDGES: Final = {
    "nothing": Nudge(),
    "metadata": Nudge(metadata=True),
    "data": Nudge((None, None)),
    "data, then metadata": Nudge((None, None), metadata=True),
    "data begun, then metadata": Nudge((None, None), metadata=True, waits=False),
    "first file, then metadata": Nudge((None, 1), metadata=True),
    "last file, then metadata": Nudge((-1, None), metadata=True),
}
"""By name."""
