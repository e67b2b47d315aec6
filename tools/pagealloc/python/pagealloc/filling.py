"""Fill a file with generated pages from several threads that share one descriptor."""

import errno
import os
from threading import Lock, Thread
from typing import Final

from pagealloc.descriptor import Path, opened, size_of, write_synced
from pagealloc.errors import ArgumentError, SystemCallError, words
from pagealloc.generated import SEED_MAX, generated_page
from pagealloc.page import PAGE_SIZE, check_page_count

THREADS_MAX: Final = 64


def fill_pages(path: Path, pages: int, *, threads: int = 1, seed: int = 0) -> None:
    """Write pages 0 to *pages* - 1, each once, and return once all are on the disk.

    The threads take page numbers from one counter, so pages need not be written in order. Each
    page's pwrite64 and fdatasync are one step: no write begins before the last one is synced.

    Raises:
        ArgumentError: A number is out of its range; nothing was opened.
        SystemCallError: Of the page that failed first. No page is begun after it; those written
            before are on the disk, and the file is as long as they made it.
        SyncError: Alike, and the page that failed may not be on the disk.
    """
    check_page_count(pages)
    if not 1 <= threads <= THREADS_MAX:
        raise ArgumentError(f"threads must be 1 to {THREADS_MAX}: {threads}")
    if not 0 <= seed <= SEED_MAX:
        raise ArgumentError(f"seed is not an unsigned 64-bit number: {seed}")
    with opened(path, os.O_RDWR | os.O_CREAT) as fd:
        _Filling(path, fd, size_of(fd, path), pages, seed).run(threads)


class _Filling:
    """One file being filled: what its threads share."""

    def __init__(self, path: Path, fd: int, size: int, pages: int, seed: int) -> None:
        self._path, self._fd, self._seed = path, fd, seed
        self._pages = pages
        self._next = 0
        self._counter = Lock()  # guards _next
        self._size = size
        self._failure: BaseException | None = None
        self._file = Lock()  # held for a write with its sync; guards _size and _failure

    def run(self, threads: int) -> None:
        """Return when every page is written, or raise what failed first."""
        started: list[Thread] = []
        try:
            for _ in range(threads):
                worker = Thread(target=self._work)
                worker.start()
                started.append(worker)
        except RuntimeError as error:  # pthread_create(3) has no other reason than EAGAIN
            refused = SystemCallError(f"{os.fsdecode(self._path)}: thread: {words(errno.EAGAIN)}")
            refused.__cause__ = error
            with self._file:
                self._stop(refused)
        for worker in started:
            worker.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while (page_no := self._take()) is not None:
            page = generated_page(self._seed, page_no)
            with self._file:
                if self._failure is not None:
                    return
                try:
                    self._write(page_no, page)
                except BaseException as error:  # noqa: BLE001  # run raises it
                    self._stop(error)

    def _take(self) -> int | None:
        """Return the next page number, None when all are taken."""
        with self._counter:
            page_no = self._next
            self._next += 1
        return page_no if page_no < self._pages else None

    def _write(self, page_no: int, page: bytes) -> None:
        write_synced(self._fd, page, self._path, page_no, self._size)
        self._size = max(self._size, (page_no + 1) * PAGE_SIZE)

    def _stop(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
