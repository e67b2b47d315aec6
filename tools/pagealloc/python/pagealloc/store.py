"""Read and write pages of a file, with one system call for each.

Python itself repeats a call that a signal interrupted (EINTR, PEP 475), so nothing here does.
The file position is never used: pread64 and pwrite64 take the offset, and no lseek is made.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

from pagealloc.errors import ContentError, SyncError, SystemCallError, words
from pagealloc.page import HEADER, PAGE_SIZE, build_page, fault_of, offset_of
from pagealloc.sync import SYNC_CALL, full_sync

Path: TypeAlias = str | bytes


def write_page(path: Path, page_no: int, data: bytes) -> None:
    """Make *data* the payload of page *page_no* and return once it is on the disk.

    The calls are openat, fstat (a query), one pwrite64 of 4096 bytes, fdatasync, close. A missing
    file is created with mode 0644; its name is durable only after a sync of the directory.

    Raises:
        ArgumentError: The page number or the payload can't be; nothing was opened.
        SystemCallError: The file has the size it had; one created by this call is left, empty.
        SyncError: The page was written, but may not be on the disk; it is not tried again.
    """
    offset = offset_of(page_no)
    page = build_page(data)
    with _opened(path, os.O_RDWR | os.O_CREAT) as fd:
        old_size = _size(fd, path)
        where = place(path, page_no)
        _write_whole(fd, page, offset, old_size, where)
        try:
            full_sync(fd)
        except OSError as error:
            raise SyncError(
                f"{where}: {SYNC_CALL}: {words(error.errno or 0)}; the page may not be on the disk"
            ) from error


def read_page(path: Path, page_no: int) -> bytes:
    """Return the 4080 payload bytes of page *page_no*, padding included.

    Raises:
        ArgumentError: The page number can't be.
        ContentError: The page lies beyond the end, is cut short, or is no page of this format.
        SystemCallError: The file can't be read.
    """
    page = read_raw(path, page_no)
    fault = fault_of(page)
    if fault is not None:
        raise ContentError(f"{place(path, page_no)}: {fault}")
    return page[len(HEADER) :]


def read_raw(path: Path, page_no: int) -> bytes:
    """Return page *page_no* as it is, without judging it; fewer than 4096 bytes at the end.

    Raises:
        ArgumentError: The page number can't be.
        ContentError: The page lies beyond the end.
        SystemCallError: The file can't be read.
    """
    offset = offset_of(page_no)
    with _opened(path, os.O_RDONLY) as fd:
        _size(fd, path)
        page = _read(fd, offset, place(path, page_no))
    if not page:
        raise ContentError(f"{place(path, page_no)}: beyond the end of the file")
    return page


def raw_pages(path: Path) -> Iterator[bytes]:
    """Yield every page as it is; the last one may be shorter.

    Raises:
        SystemCallError: The file can't be read.
    """
    with _opened(path, os.O_RDONLY) as fd:
        _size(fd, path)
        page_no = 0
        while page := _read(fd, offset_of(page_no), place(path, page_no)):
            yield page
            page_no += 1


def place(path: Path, page_no: int) -> str:
    """Return how messages name a page."""
    return f"{os.fsdecode(path)}: page {page_no} at offset {page_no * PAGE_SIZE}"


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open *path*, close it again; an error inside is not hidden by one of the close."""
    try:
        fd = os.open(path, flags | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SystemCallError(f"{os.fsdecode(path)}: open: {words(error.errno or 0)}") from error
    try:
        yield fd
    except BaseException:
        with suppress(OSError):
            os.close(fd)
        raise
    try:
        os.close(fd)
    except OSError as error:
        raise SystemCallError(f"{os.fsdecode(path)}: close: {words(error.errno or 0)}") from error


def _size(fd: int, path: Path) -> int:
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


def _write_whole(fd: int, page: bytes, offset: int, old_size: int, where: str) -> None:
    """Write *page* with one pwrite64; a part is no success and is cut off again."""
    try:
        written = os.pwrite(fd, page, offset)
    except OSError as error:
        raise SystemCallError(f"{where}: pwrite: {words(error.errno or 0)}") from error
    if written != len(page):
        _cut_back(fd, offset + written, old_size)
        raise SystemCallError(f"{where}: pwrite: short write: {written} of {len(page)} bytes")


def _cut_back(fd: int, end: int, old_size: int) -> None:
    """Give the file its old size again, if the part that ends at *end* is what made it longer."""
    with suppress(OSError):  # the short write is what gets reported
        # A file that ends elsewhere was made longer by somebody else, who would lose data.
        if old_size < end == os.fstat(fd).st_size:
            os.ftruncate(fd, old_size)


def _read(fd: int, offset: int, where: str) -> bytes:
    try:
        return os.pread(fd, PAGE_SIZE, offset)
    except OSError as error:
        raise SystemCallError(f"{where}: pread: {words(error.errno or 0)}") from error
