"""Pages that a played disk has and the file has not: kept in memory, and on disk beyond that."""

import os
from typing import Final

from tracefs.faults.pages import PAGE

IN_MEMORY: Final = 64 << 20
"""Bytes that are kept in memory; what comes on top is kept in a file without a name."""


class KeptImages:
    """`tracefs.faults.pages.Images`, for all files of a mount.

    Where the file can't be made or written, memory takes what is left.

    Args:
        folder: a descriptor (O_PATH) of the directory for that file; no path is walked.
        limit: bytes in memory.
    """

    def __init__(self, folder: int, limit: int = IN_MEMORY) -> None:
        self._folder = folder
        self._room = limit
        self._memory: dict[int, bytes] = {}
        self._places: dict[int, tuple[int, int]] = {}
        """Number -> where in the file, and how many bytes."""
        self._free: list[int] = []
        self._end = 0
        self._last = 0
        self._file: int | None = None

    def keep(self, data: bytes, /) -> int:
        """Keep *data*, a page at most; return the number that it has from now on."""
        self._last += 1
        if self._room >= len(data) or not self._put(self._last, data):
            self._memory[self._last] = bytes(data)
            self._room -= len(data)
        return self._last

    def get(self, number: int, /) -> bytes:
        """Return what was kept; OSError when it can't be read back."""
        kept = self._memory.get(number)
        if kept is not None:
            return kept
        offset, size = self._places[number]
        assert self._file is not None
        return os.pread(self._file, size, offset)

    def drop(self, number: int, /) -> None:
        """Forget it."""
        kept = self._memory.pop(number, None)
        if kept is not None:
            self._room += len(kept)
        else:
            self._free.append(self._places.pop(number)[0])

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _put(self, number: int, data: bytes) -> bool:
        offset = self._free[-1] if self._free else self._end
        try:
            if self._file is None:
                flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
                self._file = os.open(".", flags, 0o600, dir_fd=self._folder)
            if os.pwrite(self._file, data, offset) != len(data):
                return False
        except OSError:
            return False
        if self._free:
            self._free.pop()
        else:
            self._end += PAGE
        self._places[number] = offset, len(data)
        return True
