"""The memory of a stopped process, and the files mapped into it.

To be used by the supervisor alone, for a thread that has stopped at a system call's entry: reading
takes the ``mmap_lock``, which another thread may hold while it waits for the server of the mount.
"""

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tracefs.pathtext import to_text
from tracefs.witness.roots import inside, outer_prefix

_U64: Final = struct.Struct("<Q")
_U32: Final = struct.Struct("<I")
_ALL: Final = (1 << 64) - 1
_MAX_READ: Final = 1 << 24
"""Bytes; what asks for more read a length that makes no sense."""
_MAX_ALL: Final = 1 << 24
_MAX_SCANNED: Final = 1 << 28
"""Bytes of one process at one moment, read where something leads there and searched through; it
waits meanwhile, and may be made to be read for ever."""
_EACH: Final = 64
"""What a read costs beside its bytes."""


class Mapping(Struct, frozen=True):
    """One line of /proc/<pid>/maps (proc_pid_maps(5))."""

    start: int
    end: int
    offset: int
    """In the file, bytes."""
    executable: bool
    path: str
    """Path text; empty: of no file."""


class Memory:
    """One process at one moment; close it before the process goes on.

    Args:
        tid: of a living thread; the first one, which the process is named by, may have ended.

    Raises:
        OSError: it may not be read, or is gone.
    """

    def __init__(self, tid: int) -> None:
        self._mem = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            with open(f"/proc/{tid}/maps", "rb") as maps:
                self._take(list(_parse(maps.read(), outer_prefix(tid))))
        except OSError:
            self.close()
            raise

    def _take(self, mappings: list[Mapping]) -> None:
        self.mappings = mappings
        self._starts = [mapping.start for mapping in mappings]
        self._left, self._left_to_scan = _MAX_ALL, _MAX_SCANNED

    def close(self) -> None:
        """Let go of the process."""
        os.close(self._mem)

    def read(self, address: int, size: int) -> bytes:
        """Return *size* bytes.

        Raises:
            OSError: they are not all there, or too much was read before.
        """
        self._left -= min(max(size, 0), _MAX_READ) + _EACH
        if self._left < 0 <= size <= _MAX_READ:
            raise OSError("there is more to read than makes sense")
        return self._read(address, size)

    def scan(self, address: int, size: int) -> bytes:
        """Return *size* bytes of what is searched through from end to end.

        Raises:
            OSError: as `read`.
        """
        self._left_to_scan -= size
        if self._left_to_scan < 0:
            raise OSError("there is more to search than makes sense")
        return self._read(address, size)

    def _read(self, address: int, size: int) -> bytes:
        if not 0 <= address < 1 << 63:
            raise OSError(f"there is no address {address & _ALL:#x}")
        if not 0 <= size <= _MAX_READ:
            raise OSError(f"{size} bytes at {address:#x} are not read")
        data = os.pread(self._mem, size, address)
        if len(data) != size:
            raise OSError(f"only {len(data)} of {size} bytes at {address:#x}")
        return data

    def u64(self, address: int) -> int:
        """Return the 64-bit word at *address*, little-endian."""
        return int(_U64.unpack(self.read(address, 8))[0])

    def u32(self, address: int) -> int:
        """Return the 32-bit word at *address*, little-endian."""
        return int(_U32.unpack(self.read(address, 4))[0])

    def find(self, address: int) -> Mapping | None:
        """Return what is mapped at *address*."""
        at = bisect_right(self._starts, address) - 1
        found = self.mappings[at] if at >= 0 else None
        return found if found is not None and address < found.end else None


def _parse(maps: bytes, prefix: bytes) -> Iterator[Mapping]:
    for line in maps.split(b"\n")[:-1]:  # a name may hold any other end of a line
        words = line.split(None, 5)
        start, end = (int(word, 16) for word in words[0].split(b"-"))
        path = words[5] if len(words) > 5 and words[5].startswith(b"/") else b""
        yield Mapping(
            start, end, int(words[2], 16), b"x" in words[1], to_text(inside(path, prefix))
        )
