"""How often each page was written, in bounded memory."""

import heapq
from typing import Final

from msgspec import Struct

from tracefs.report.pages import pages_of

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


class _File:
    __slots__ = ("path", "writes")

    def __init__(self) -> None:
        self.path = "?"
        self.writes: dict[int, int] = {}


class PageWrites:
    """Counts writes by file and page; a file is its inode number, from creation to creation."""

    def __init__(self, page_size: int, top: int, limit: int = PAGE_LIMIT) -> None:
        self._page_size = page_size
        self._top_wanted = top
        self._left = self._limit = limit
        self._files: dict[int, _File] = {}
        self._top: list[PageCount] = []
        self._pages = 0
        self._not_followed = 0

    def add(self, ino: int, path: str, offset: int, length: int) -> None:
        """Count a write of *length* bytes at *offset*."""
        file = self._files.setdefault(ino, _File())
        file.path = path
        pages = pages_of(offset, length, self._page_size)
        # No real call touches more pages than the limit; a forged journal can say so.
        last = min(pages.last, pages.first + self._limit)
        self._not_followed += pages.last - last
        if last - pages.first < len(file.writes) or self._left:
            for page in range(pages.first, last + 1):
                self._count(file.writes, page)
            return
        # No room for new pages: look at those that are followed, which are fewer.
        known = [page for page in file.writes if pages.first <= page <= last]
        for page in known:
            file.writes[page] += 1
        self._not_followed += last - pages.first + 1 - len(known)

    def forget(self, ino: int) -> None:
        """Close the account of *ino*: its number now names a new file."""
        file = self._files.pop(ino, None)
        if file is None:
            return
        self._left += len(file.writes)
        for page, writes in file.writes.items():
            if writes > 1:
                self._pages += 1
                self._rank(PageCount(writes=writes, path=file.path, page=page))

    def result(self) -> Rewrites:
        """Close all accounts and return what they come to."""
        for ino in list(self._files):
            self.forget(ino)
        top = sorted(self._top, key=lambda count: (-count.writes, count.path, count.page))
        return Rewrites(pages=self._pages, top=tuple(top), not_followed=self._not_followed)

    def _count(self, writes: dict[int, int], page: int) -> None:
        if page in writes:
            writes[page] += 1
        elif self._left:
            self._left -= 1
            writes[page] = 1
        else:
            self._not_followed += 1

    def _rank(self, count: PageCount) -> None:
        if len(self._top) < self._top_wanted:
            heapq.heappush(self._top, count)
        elif self._top_wanted:
            heapq.heappushpop(self._top, count)
