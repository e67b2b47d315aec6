"""Read and write single pages of a file, with one system call for each."""

import os
from collections.abc import Iterator

from pagealloc.descriptor import (
    Path,
    opened,
    place,
    read_at,
    size_of,
    sync_directory,
    write_synced,
)
from pagealloc.errors import ContentError
from pagealloc.page import HEADER, build_page, check_page_no, fault_of


def write_page(path: Path, page_no: int, data: bytes, *, sync_dir: bool = False) -> None:
    """Make *data* the payload of page *page_no* and return once it is on the disk.

    The calls are openat, fstat (a query), one pwrite64 of 4096 bytes, fdatasync, close. A missing
    file is created with mode 0644; its name is durable only after a sync of the directory, which
    *sync_dir* adds: openat, fsync, close of the directory, whether or not the file is new.

    Raises:
        ArgumentError: The page number or the payload can't be; nothing was opened.
        SystemCallError: The file has the size it had; one created by this call is left, empty.
            The exception is a directory that can't be opened: the page is on the disk then.
        SyncError: The page was written, but it or the file's name may not be on the disk; the sync
            is not tried again.
    """
    check_page_no(page_no)
    page = build_page(data)
    with opened(path, os.O_RDWR | os.O_CREAT) as fd:
        write_synced(fd, page, path, page_no, old_size=size_of(fd, path))
    if sync_dir:
        sync_directory(path)


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
    check_page_no(page_no)
    with opened(path, os.O_RDONLY) as fd:
        size_of(fd, path)
        page = read_at(fd, path, page_no)
    if not page:
        raise ContentError(f"{place(path, page_no)}: beyond the end of the file")
    return page


def raw_pages(path: Path) -> Iterator[bytes]:
    """Yield every page as it is; the last one may be shorter.

    Raises:
        SystemCallError: The file can't be read.
    """
    with opened(path, os.O_RDONLY) as fd:
        size_of(fd, path)
        page_no = 0
        while page := read_at(fd, path, page_no):
            yield page
            page_no += 1
