"""A directory as a crash may leave it, by reference: bytes are named here and read elsewhere."""

import stat
from typing import Final, Protocol

from msgspec import Struct

PAGE: Final = 4096
"""Bytes in a page: what a filesystem writes back as one."""
SECTOR: Final = 512
"""Bytes that a disk writes as one; the smallest piece of a torn page."""


class Content(Struct, frozen=True):
    """What a regular file holds: pages over what it held when the recording began, over zeros."""

    size: int
    """In bytes; what lies beyond is not seen, whatever is named here."""
    base: int = 0
    """Inode number of the file in the starting tree whose bytes these are; 0: of none."""
    base_limit: int = 0
    """How many bytes of the base can still be seen, from its start; zeros come behind them."""
    pages: tuple[tuple[int, int], ...] = ()
    """Number of the page and its id in the store of pages, in order of the number."""


class Node(Struct, frozen=True):
    """One file of any type."""

    ino: int
    """As in the journal; two paths with the same are two names of one file."""
    mode: int
    """Type and permission bits (inode(7))."""
    uid: int
    gid: int
    content: Content | None = None
    """Of a regular file."""
    target: str | None = None
    """Of a symbolic link, path text."""
    rdev: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()
    """Names, path text, and values."""

    @property
    def is_directory(self) -> bool:
        """Whether it is one."""
        return stat.S_ISDIR(self.mode)


class Image(Struct, frozen=True):
    """A whole tree."""

    nodes: tuple[tuple[str, Node], ...]
    """Path text and what is there, each directory before what is in it; ``.`` comes first."""


class Bytes(Protocol):
    """Where the bytes are that an image names."""

    def page(self, number: int) -> bytes:
        """Return the `PAGE` bytes with this id."""

    def base(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a file as it was when the recording began; fewer at its end.

        Raises:
            RecordingError: they can't be had any more.
        """
