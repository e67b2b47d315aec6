"""The bytes that images name: pages in a file that grows, and files of the starting tree.

The file of pages is shared by all processes of a machine: who explores adds to it, those who make
states read. For other machines, `Store.embedded` has all of it in itself.
"""

import os
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol, Self

from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.persistence.image import PAGE

_SMALL: Final = 1 << 20
"""Longest read of a starting file that is kept, in bytes."""
_KEPT: Final = 64 << 20
"""Bytes of starting files that are kept."""

_MOST_PAGES: Final = 8192
"""That are kept: 32 MiB."""


class Start(Protocol):
    """The starting tree, as a recording has it."""

    def read(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a file; fewer at its end.

        Raises:
            RecordingError: they can't be had any more.
        """


class Pages:
    """A file of pages, made new; each page is there once. A context manager."""

    def __init__(self, name: str) -> None:
        """Make the file *name*.

        Raises:
            OSError: it can't be made.
        """
        self.name = name
        self._file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._ids: dict[bytes, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, data: bytes) -> int:
        """Return the id of the page *data*, `PAGE` bytes.

        Raises:
            OSError: there is no room for it.
        """
        digest = blake2b(data, digest_size=16).digest()
        known = self._ids.get(digest)
        if known is not None:
            return known
        assert len(data) == PAGE
        new = len(self._ids)
        if os.pwrite(self._file, data, new * PAGE) != PAGE:
            raise RecordingError(f"{self.name} can't be written: no room for more pages")
        self._ids[digest] = new
        return new

    def page(self, number: int) -> bytes:
        """Return the page with this id."""
        return os.pread(self._file, PAGE, number * PAGE)


class Embedded(Struct):
    """Bytes as values, to be sent to another machine."""

    pages: dict[int, bytes]
    bases: dict[int, bytes]

    def page(self, number: int) -> bytes:
        """Return the page with this id."""
        try:
            return self.pages[number]
        except KeyError:
            raise RecordingError(f"page {number} was not sent along") from None

    def base(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a starting file."""
        try:
            return self.bases[ino][offset : offset + size]
        except KeyError:
            raise RecordingError(f"starting file {ino} was not sent along") from None


class Store:
    """Pages and the starting tree by their places on this machine; can be pickled."""

    def __init__(
        self,
        pages: str,
        recording: Path | None = None,
        opened: Callable[[Path], Start] | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            pages: name of the file of `Pages`.
            recording: folder with the starting tree; None: there is none.
            opened: opens it; can be pickled.
        """
        self._names = pages, recording, opened
        self._file: int | None = None
        self._start: Start | None = None
        self._kept: dict[tuple[int, int, int], bytes] = {}
        self._room = _KEPT
        self._pages: dict[int, bytes] = {}

    def __reduce__(self) -> tuple[type["Store"], tuple[object, ...]]:
        return type(self), self._names

    def page(self, number: int) -> bytes:
        """Return the page with this id.

        Raises:
            RecordingError: nobody has added it.
        """
        if (known := self._pages.get(number)) is not None:
            return known
        if self._file is None:
            self._file = os.open(self._names[0], os.O_RDONLY | os.O_CLOEXEC)
        data = os.pread(self._file, PAGE, number * PAGE)
        if len(data) != PAGE:
            raise RecordingError(f"there is no page {number}")
        if len(self._pages) == _MOST_PAGES:
            self._pages.clear()
        self._pages[number] = data
        return data

    def base(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a starting file; those of small ones are read once.

        Raises:
            RecordingError: they can't be had any more.
        """
        key = (ino, offset, size)
        if (known := self._kept.get(key)) is not None:
            return known
        data = self._opened().read(ino, offset, size)
        if len(data) <= min(_SMALL, self._room):
            self._kept[key] = data
            self._room -= len(data)
        return data

    def close(self) -> None:
        """Let go of the file of pages."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def embedded(self, bases: Mapping[int, int]) -> Embedded:
        """Return all pages that there are, and starting files, as values.

        Args:
            bases: inode numbers of starting files, and how many bytes of each are needed.

        Raises:
            RecordingError: they can't be had any more.
        """
        count = os.stat(self._names[0]).st_size // PAGE
        return Embedded(
            pages={number: self.page(number) for number in range(count)},
            bases={ino: self.base(ino, 0, size) for ino, size in bases.items()},
        )

    def _opened(self) -> Start:
        if self._start is None:
            _, recording, opened = self._names
            if recording is None or opened is None:
                raise RecordingError("the recording has no starting tree")
            self._start = opened(recording)
        return self._start
