"""What is done with an open file: its calls, each with its error as one clear line.

Python itself repeats a call that a signal interrupted (EINTR, PEP 475), so nothing here does.
The file position is never used: pread64 and pwrite64 take the offset, and no lseek is made.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

from pagealloc.errors import SyncError, SystemCallError, words
from pagealloc.page import PAGE_SIZE
from pagealloc.sync import SYNC_CALL, full_sync

Path: TypeAlias = str | bytes


def place(path: Path, page_no: int) -> str:
    """Return how messages name a page."""
    return f"{os.fsdecode(path)}: page {page_no} at offset {page_no * PAGE_SIZE}"


@contextmanager
def opened(path: Path, flags: int, name: str | None = None) -> Iterator[int]:
    """Open *path*, close it again; an error inside is not hidden by one of the close.

    Messages begin with *name*, which is *path* unless given.
    """
    try:
        fd = os.open(path, flags | os.O_CLOEXEC, 0o644)
    except OSError as error:
        what = name or os.fsdecode(path)
        raise SystemCallError(f"{what}: open: {words(error.errno or 0)}") from error
    try:
        yield fd
    except BaseException:
        with suppress(OSError):
            os.close(fd)
        raise
    try:
        os.close(fd)
    except OSError as error:
        what = name or os.fsdecode(path)
        raise SystemCallError(f"{what}: close: {words(error.errno or 0)}") from error


def size_of(fd: int, path: Path) -> int:
    """Return the size in bytes; refuse what is not a regular file."""
    try:
        status = os.fstat(fd)
    except OSError as error:
        raise SystemCallError(f"{os.fsdecode(path)}: fstat: {words(error.errno or 0)}") from error
    if stat.S_ISDIR(status.st_mode):
        raise SystemCallError(f"{os.fsdecode(path)}: open: is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise SystemCallError(f"{os.fsdecode(path)}: open: not a regular file")
    return status.st_size


def read_at(fd: int, path: Path, page_no: int) -> bytes:
    """Return the bytes of page *page_no*, fewer at the end of the file, none behind it."""
    try:
        return os.pread(fd, PAGE_SIZE, page_no * PAGE_SIZE)
    except OSError as error:
        raise SystemCallError(
            f"{place(path, page_no)}: pread: {words(error.errno or 0)}"
        ) from error


def write_synced(fd: int, page: bytes, path: Path, page_no: int, old_size: int) -> None:
    """Write *page* with one pwrite64 and return once it is on the disk.

    *old_size* is what the file is cut back to, in bytes, should a part be all that was written.

    Raises:
        SystemCallError: The page was not written, and the file is no longer than *old_size*.
        SyncError: The page was written, but may not be on the disk; it is not tried again.
    """
    _write_whole(fd, page, path, page_no, old_size)
    try:
        full_sync(fd)
    except OSError as error:
        raise SyncError(
            f"{place(path, page_no)}: {SYNC_CALL}: {words(error.errno or 0)}; "
            "the page may not be on the disk"
        ) from error


def sync_directory(path: Path) -> None:
    """Make the name *path* durable: sync the directory that it is in.

    A symbolic link's target lies elsewhere, and its name is not made durable by this.

    Raises:
        SystemCallError: The directory can't be opened.
        SyncError: The name may not be on the disk.
    """
    name = f"{os.fsdecode(path)}: directory"
    folder = os.path.dirname(os.fsencode(path)) or b"."
    with opened(folder, os.O_RDONLY | os.O_DIRECTORY, name) as fd:
        try:
            os.fsync(fd)
        except OSError as error:
            raise SyncError(
                f"{name}: fsync: {words(error.errno or 0)}; the name may not be on the disk"
            ) from error


def _write_whole(fd: int, page: bytes, path: Path, page_no: int, old_size: int) -> None:
    """Write *page* with one pwrite64; a part is no success and is cut off again."""
    offset = page_no * PAGE_SIZE
    try:
        written = os.pwrite(fd, page, offset)
    except OSError as error:
        raise SystemCallError(
            f"{place(path, page_no)}: pwrite: {words(error.errno or 0)}"
        ) from error
    if written != len(page):
        _cut_back(fd, offset + written, old_size)
        raise SystemCallError(
            f"{place(path, page_no)}: pwrite: short write: {written} of {len(page)} bytes"
        )


def _cut_back(fd: int, end: int, old_size: int) -> None:
    """Give the file its old size again, if the part that ends at *end* is what made it longer."""
    with suppress(OSError):  # the short write is what gets reported
        # A file that ends elsewhere was made longer by somebody else, who would lose data.
        if old_size < end == os.fstat(fd).st_size:
            os.ftruncate(fd, old_size)
