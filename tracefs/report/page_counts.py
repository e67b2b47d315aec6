"""How often each page of each file was written, in bounded memory."""

from collections.abc import Mapping

from tracefs.report.pages import pages_of


class PageCounts:
    """Counts writes by inode number and page.

    Args:
        page_size: in bytes.
        limit: pages that are followed at once, over all files.
    """

    def __init__(self, page_size: int, limit: int) -> None:
        self._page_size = page_size
        self._left = self._limit = limit
        self._files: dict[int, dict[int, int]] = {}
        self.not_followed = 0
        """Page writes beyond the limit, counted nowhere else; 0: the figures are exact."""

    def add(self, ino: int, offset: int, length: int) -> None:
        """Count a write of *length* bytes at *offset*."""
        writes = self._files.setdefault(ino, {})
        pages = pages_of(offset, length, self._page_size)
        # No real call touches more pages than the limit; a forged journal can say so.
        last = min(pages.last, pages.first + self._limit)
        self.not_followed += pages.last - last
        if last - pages.first < len(writes) or self._left:
            for page in range(pages.first, last + 1):
                self._count(writes, page)
            return
        # No room for new pages: look at those that are followed, which are fewer.
        known = [page for page in writes if pages.first <= page <= last]
        for page in known:
            writes[page] += 1
        self.not_followed += last - pages.first + 1 - len(known)

    def of(self, ino: int) -> Mapping[int, int]:
        """Return how often each page of *ino* was written."""
        return self._files.get(ino, {})

    def cut(self, ino: int, size: int) -> None:
        """Forget the pages of *ino* that begin at byte *size* or behind it."""
        writes = self._files.get(ino, {})
        gone = [page for page in writes if page * self._page_size >= size]
        for page in gone:
            del writes[page]
        self._left += len(gone)

    def forget(self, ino: int) -> Mapping[int, int]:
        """Return the counts of *ino*, and begin anew: its number names another file now."""
        writes = self._files.pop(ino, {})
        self._left += len(writes)
        return writes

    def _count(self, writes: dict[int, int], page: int) -> None:
        if page in writes:
            writes[page] += 1
        elif self._left:
            self._left -= 1
            writes[page] = 1
        else:
            self.not_followed += 1
