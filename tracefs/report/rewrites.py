"""Pages that were written more than once."""

import heapq
from typing import Final

from msgspec import Struct

from tracefs.report.page_counts import PageCounts

PAGE_LIMIT: Final = 1 << 18
"""Pages that are followed at once, over all files: 1 GiB of data in pages of 4096 bytes."""


class PageCount(Struct, frozen=True, kw_only=True, order=True):
    """How often one page was written."""

    writes: int
    path: str
    page: int


class Rewrites(Struct, frozen=True, kw_only=True):
    """Pages written more than once."""

    pages: int
    """How many there are."""
    top: tuple[PageCount, ...]
    """Those written most, most first."""
    not_followed: int
    """Page writes beyond the limit, so counted nowhere above; 0: the figures are exact."""


class PageWrites:
    """Counts writes by file and page; a file is its inode number, from creation to creation."""

    def __init__(self, page_size: int, top: int, limit: int = PAGE_LIMIT) -> None:
        self._top_wanted = top
        self._counts = PageCounts(page_size, limit)
        self._paths: dict[int, str] = {}
        self._top: list[PageCount] = []
        self._pages = 0

    def add(self, ino: int, path: str, offset: int, length: int) -> None:
        """Count a write of *length* bytes at *offset*."""
        self._paths[ino] = path
        self._counts.add(ino, offset, length)

    def forget(self, ino: int) -> None:
        """Close the account of *ino*: its number now names a new file."""
        path = self._paths.pop(ino, "?")
        for page, writes in self._counts.forget(ino).items():
            if writes > 1:
                self._pages += 1
                self._rank(PageCount(writes=writes, path=path, page=page))

    def result(self) -> Rewrites:
        """Close all accounts and return what they come to."""
        for ino in list(self._paths):
            self.forget(ino)
        top = sorted(self._top, key=lambda count: (-count.writes, count.path, count.page))
        return Rewrites(pages=self._pages, top=tuple(top), not_followed=self._counts.not_followed)

    def _rank(self, count: PageCount) -> None:
        if len(self._top) < self._top_wanted:
            heapq.heappush(self._top, count)
        elif self._top_wanted:
            heapq.heappushpop(self._top, count)
