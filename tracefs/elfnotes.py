"""Notes of an ELF file (``Elf64_Nhdr`` in elf(5)), wherever their bytes were read from."""

import struct
from collections.abc import Iterator
from typing import Final

GNU: Final = b"GNU\0"
GNU_BUILD_ID: Final = 3
"""NT_GNU_BUILD_ID."""

_HEADER: Final = struct.Struct("<III")


def notes(raw: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield name, kind and content of each note in *raw*, a PT_NOTE segment."""
    at = 0
    while at + _HEADER.size <= len(raw):
        names, size, kind = _HEADER.unpack_from(raw, at)
        name = at + _HEADER.size
        begin = name + (names + 3 & ~3)
        yield raw[name : name + names], kind, raw[begin : begin + size]
        at = begin + (size + 3 & ~3)
