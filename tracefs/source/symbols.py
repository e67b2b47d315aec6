"""The functions that an ELF file's symbol tables tell (elf(5)).

addr2line names what nothing else is known of by the nearest symbol below, however far: in a
stripped library that is any exported function. A symbol's size says what is really of it.
"""

import bisect
import struct
from pathlib import Path
from typing import IO, Final

from tracefs.source.elf import open_module, read_at

_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_TABLES: Final = frozenset({2, 11})  # SHT_SYMTAB, SHT_DYNSYM
_FUNCTIONS: Final = frozenset({0, 2, 10})  # STT_NOTYPE as in assembler, STT_FUNC, STT_GNU_IFUNC
_MAX_BYTES: Final = 1 << 26
"""Of all tables together: 2.8 million symbols."""


class Symbols:
    """The functions of one file; of one that can't be read, none."""

    def __init__(self, path: Path) -> None:
        try:
            with open_module(path) as file:
                self._sizes = _functions(file)
        except (OSError, struct.error):
            self._sizes = {}
        self._starts = sorted(self._sizes)

    def cover(self, address: int) -> bool:
        """Return whether the nearest symbol, which is what addr2line takes, is of *address*."""
        at = bisect.bisect_right(self._starts, address) - 1
        return at >= 0 and address < self._starts[at] + self._sizes[self._starts[at]]


def _functions(file: IO[bytes]) -> dict[int, int]:
    """Return start and size of each; of no 64-bit ELF file, none."""
    head = file.read(64)
    if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
        return {}
    (table,) = struct.unpack_from("<Q", head, 40)
    size, count = struct.unpack_from("<HH", head, 58)
    if size != _SECTION.size:
        return {}
    found: dict[int, int] = {}
    left = _MAX_BYTES
    for _, kind, _, _, offset, length, *_ in _SECTION.iter_unpack(
        read_at(file, table, size * count)
    ):
        if kind in _TABLES and length <= left:
            left -= length
            symbols = read_at(file, offset, length)
            for _, info, _, section, value, extent in _SYMBOL.iter_unpack(symbols):
                if info & 15 in _FUNCTIONS and section:
                    found[value] = max(extent, found.get(value, 0))
    return found
