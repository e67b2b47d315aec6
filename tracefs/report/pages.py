"""Where bytes lie, in pages."""

from typing import NamedTuple


class Pages(NamedTuple):
    """The pages that a range of bytes touches."""

    first: int
    last: int
    start: int
    """Offset of the first byte within the first page."""

    def __str__(self) -> str:
        name = (
            f"page {self.first}" if self.first == self.last else f"pages {self.first}-{self.last}"
        )
        return f"{name} at +{self.start}" if self.start else name


def pages_of(offset: int, length: int, page_size: int) -> Pages:
    """Return the pages of *length* bytes from *offset*; an empty range touches its first page.

    >>> str(pages_of(100, 4096, 4096))
    'pages 0-1 at +100'
    """
    first, start = divmod(offset, page_size)
    last = (offset + max(length, 1) - 1) // page_size
    return Pages(first, last, start)
