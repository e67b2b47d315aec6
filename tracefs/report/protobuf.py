"""The wire format of protocol buffers, as far as a trace for Perfetto needs it.

https://protobuf.dev/programming-guides/encoding/: a field is its number and its wire type, then a
varint, or a length and bytes.
"""

from functools import lru_cache
from typing import Final

_VARINT: Final = 0
_BYTES: Final = 2
_MASK: Final = 2**64 - 1
_SHORT: Final = tuple(bytes((number,)) for number in range(128))


def varint(number: int) -> bytes:
    """Return a number below 2^64; one below 0 as its two's complement (int64)."""
    if 0 <= number < 128:
        return _SHORT[number]
    number &= _MASK
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


_NUMBERS: Final = tuple(varint(field << 3 | _VARINT) for field in range(128))
_MESSAGES: Final = tuple(varint(field << 3 | _BYTES) for field in range(128))
"""What a field begins with, by its number."""


def number(field: int, value: int) -> bytes:
    """Return a field with a number, a boolean or a word of an enumeration."""
    return _NUMBERS[field] + varint(value)


@lru_cache(maxsize=4096)
def text(field: int, value: str) -> bytes:
    """Return a field with a text; most come again and again."""
    return message(field, value.encode("utf-8", "backslashreplace"))


def message(field: int, *parts: bytes) -> bytes:
    """Return a field with a message, of which *parts* are the fields."""
    content = b"".join(parts)
    return _MESSAGES[field] + varint(len(content)) + content
