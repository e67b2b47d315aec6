"""Numbers of any length, as tables of debuggers and interpreters spell them."""

from typing import Final

LEB128: Final = 7
"""Bits of a group in DWARF and in Go's tables (DWARF 5, 7.6)."""
LOCATIONS: Final = 6
"""In CPython's tables of lines (Objects/locations.md)."""

_MAX_BITS: Final = 128
"""Twice those of the largest number; each group more would cost more than the one before."""


def unsigned(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """Return the number that begins at *at*, and where it ends.

    Groups of *bits* bits, the lowest first; the bit above them says that another follows.

    Raises:
        IndexError: *data* ends within it.
        ValueError: it is longer than any that makes sense.
    """
    value = shift = 0
    while shift < _MAX_BITS:
        byte = data[at]
        at += 1
        value |= (byte & (1 << bits) - 1) << shift
        shift += bits
        if not byte >> bits & 1:
            return value, at
    raise ValueError("a number without end")
