"""Numbers by the million in few bytes: a column each, as varints, deflated together.

A varint is little-endian base 128 (https://protobuf.dev/programming-guides/encoding/); signed
numbers are folded so that small ones are short, whatever their sign (ibid., ZigZag). What is not
known is folded into the same numbers as 0.
"""

import base64
import zlib
from typing import Final

from msgspec import Struct

LARGEST: Final = 2**50 - 1
"""So that folded distances stay below what JavaScript can count to, 2^53 (ECMA-262); what is beyond
is left out."""
_RAW_DEFLATE: Final = -15
"""Window bits of zlib for a stream without a header (RFC 1951)."""
_LEVEL: Final = 6


class Column:
    """One number for each call."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def put(self, number: int) -> None:
        """Add a number from 0 up."""
        data = self.bytes
        while number > 127:
            data.append(number & 127 | 128)
            number >>= 7
        data.append(number)

    def put_signed(self, number: int) -> None:
        """Add a number of either sign."""
        self.put(_folded(number))

    def put_known(self, number: int | None, expected: int = 0) -> None:
        """Add a number that may be unknown, as its distance from the one that is expected."""
        self.put(0 if number is None else _folded(number - expected) + 1)


def _folded(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def countable(number: int | None) -> int | None:
    """Return *number* up to `LARGEST`, else None."""
    return None if number is None or abs(number) > LARGEST else number


class Packed(Struct, frozen=True, kw_only=True):
    """Columns as text."""

    names: tuple[str, ...]
    lengths: tuple[int, ...]
    """Bytes of each, before they were deflated; they stand one behind the other."""
    text: str
    """Base64 of the raw deflate stream (RFC 4648, RFC 1951)."""


def pack(columns: dict[str, Column]) -> Packed:
    """Return all of them as one text."""
    press = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    pressed = b"".join([*(press.compress(one.bytes) for one in columns.values()), press.flush()])
    return Packed(
        names=tuple(columns),
        lengths=tuple(len(one.bytes) for one in columns.values()),
        text=base64.b64encode(pressed).decode(),
    )
