"""What a file's cache has and its disk has not, page by page.

The file below a mount has what a program sees: the cache. Of each page that differs on the disk
that is played, the disk's content is kept here as an *image*. What a sync that fails does to the
pages depends on the filesystem, and `docs/explanation/failed-syncs.md` has the rules with their
sources. In short: the pages count as clean (so that no later sync writes them), though the disk
still has the old content.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from msgspec import Struct

from tracefs.faults.model import Mode

PAGE: Final = 4096
"""Bytes of a page; that of the filesystems that are played, whatever a report counts in."""


class Images(Protocol):
    """Where the disk's content of pages is kept."""

    def keep(self, data: bytes, /) -> int:
        """Keep *data*, a page at most; return the number that it has from now on."""

    def get(self, number: int, /) -> bytes:
        """Return what was kept."""

    def drop(self, number: int, /) -> None:
        """Forget it."""


class Piece(Struct, frozen=True):
    """Bytes of a file that are again as the disk has them."""

    offset: int
    data: bytes


class Back(Struct, frozen=True):
    """What the cache is to be again: the disk's."""

    pages: tuple[int, ...]
    """Numbers of the pages, ascending."""
    size: int
    """Of the file afterwards, in bytes."""


class _Page:
    __slots__ = ("dirty", "image", "lost")

    def __init__(self, image: int) -> None:
        self.image = image
        """Number of the disk's content; `_NOTHING`: zeros."""
        self.dirty = False
        """The next sync writes it."""
        self.lost = False
        """A sync that failed was to write it. With *dirty*: and it was written again since."""


_NOTHING: Final = -1


class Pages:
    """One file; memory follows the number of pages that differ."""

    def __init__(self, size: int, images: Images) -> None:
        """Begin with a file of *size* bytes, which the disk has as it is."""
        self.size = size
        """As the program sees it."""
        self.disk_size = size
        self._images = images
        self._pages: dict[int, _Page] = {}

    def wanted(self, start: int, stop: int) -> Iterator[int]:
        """Yield the pages whose content is to be kept before bytes *start* up to *stop* change."""
        for index in range(start // PAGE, _pages(min(stop, self.disk_size))):
            if index not in self._pages:
                yield index

    def keep(self, contents: Mapping[int, bytes]) -> None:
        """Keep the *contents* of pages, which are the disk's; they may be cut short at its end."""
        for index, data in contents.items():
            self._pages[index] = _Page(self._images.keep(data))

    def wrote(self, start: int, stop: int) -> None:
        """The bytes from *start* up to *stop* were written."""
        if start >= stop:
            return
        for index in range(start // PAGE, _pages(stop)):
            page = self._pages.get(index)
            if page is None:
                page = self._pages[index] = _Page(_NOTHING)
            page.dirty = True
        self.size = max(self.size, stop)

    def went_through(self, start: int, stop: int) -> None:
        """The bytes from *start* up to *stop* are on the disk, without a sync."""
        for index in range(start // PAGE, _pages(stop)):
            if index in self._pages:
                self._forget(index)
        self.disk_size = max(self.disk_size, stop)

    def resized(self, size: int) -> None:
        """The file was cut off or made longer, and its journal has that without a sync of data."""
        for index in [index for index in self._pages if index * PAGE >= size]:
            self._forget(index)
        edge, rest = divmod(size, PAGE)
        if rest and size < self.size and (page := self._pages.get(edge)) is not None:
            # Its end is zeroed in the cache, and with that the whole page is to be written.
            page.dirty = True
            if page.image != _NOTHING:
                kept = self._images.get(page.image)
                self._images.drop(page.image)
                page.image = self._images.keep(kept[:rest])
        self.size = self.disk_size = size

    def rearranged(self, start: int) -> None:
        """What is behind *start* was moved or zeroed, which is not played: it counts as saved."""
        for index in [index for index in self._pages if (index + 1) * PAGE > start]:
            self._forget(index)

    def saved(self) -> None:
        """A sync has written what was dirty.

        What a mapping has written while it ran counts, too: there the kernel keeps nothing else
        from a file that is being synced (inode_lock, fuse_fsync in fs/fuse/file.c).
        """
        last = -1
        for index, page in list(self._pages.items()):
            if page.dirty:
                last = max(last, index)
            if page.dirty or not page.lost:
                self._forget(index)
        # XFS moves the end on the disk to where data has arrived (xfs_setfilesize); elsewhere it
        # is there already.
        self.disk_size = max(self.disk_size, min(self.size, (last + 1) * PAGE))

    def failed(self, mode: Mode) -> Back | None:
        """A sync has failed as in *mode*; return what is as the disk has it from now on."""
        if mode is Mode.BTRFS:
            return self._undone()
        for index, page in list(self._pages.items()):
            page.lost = page.lost or page.dirty
            page.dirty = False
            if not page.lost:
                self._forget(index)
        if mode is not Mode.XFS:
            self.disk_size = self.size
        return None

    def fall(self, *, evicted: bool) -> Back | None:
        """The cache drops what it takes for clean; return what the program sees anew.

        *evicted*: what is known of the file goes too, its size among it. None: nothing differs.
        """
        lost = [index for index, page in self._pages.items() if page.lost and not page.dirty]
        dirty = any(page.dirty for page in self._pages.values())
        size = self.disk_size if evicted and not dirty else self.size
        return self._back(lost, size)

    def pieces(self, back: Back) -> Iterator[Piece]:
        """Yield the bytes of *back*, and forget them: from then on cache and disk are the same."""
        for index in back.pages:
            page = self._pages[index]
            image = b"" if page.image == _NOTHING else self._images.get(page.image)
            offset = index * PAGE
            length = min(PAGE, back.size - offset)
            if length > 0:
                yield Piece(offset, image[:length].ljust(length, b"\0"))
            self._forget(index)

    def differs(self) -> bool:
        """Return whether the disk lacks anything that the cache has."""
        return bool(self._pages) or self.size != self.disk_size

    def close(self) -> None:
        """Forget everything."""
        for index in list(self._pages):
            self._forget(index)

    def _undone(self) -> Back | None:
        """Btrfs writes elsewhere, and does not point to it where that failed (copy on write)."""
        dirty = [index for index, page in self._pages.items() if page.dirty]
        return self._back(dirty, self.disk_size)

    def _back(self, indexes: list[int], size: int) -> Back | None:
        if not indexes and size == self.size:
            return None
        for index in [index for index in self._pages if index * PAGE >= size]:
            if index not in indexes:
                self._forget(index)
        self.size = size
        return Back(tuple(sorted(indexes)), size)

    def _forget(self, index: int) -> None:
        page = self._pages.pop(index)
        if page.image != _NOTHING:
            self._images.drop(page.image)


def _pages(size: int) -> int:
    """Return how many pages hold *size* bytes."""
    return -(-size // PAGE)
