"""The build id of an ELF file (elf(5)); tells whether it is still the one that ran."""

import struct
from pathlib import Path
from typing import Final

from tracefs.elfnotes import GNU, GNU_BUILD_ID, notes

_PT_NOTE: Final = 4
_PHDR: Final = struct.Struct("<IIQQQQQQ")
_MAX_NOTES: Final = 1 << 16


def build_id(path: Path) -> str | None:
    """Return the GNU build id, hexadecimal; None: it has none, or is no 64-bit ELF file.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02":
            return None
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        if size != _PHDR.size:
            return None
        file.seek(table)
        headers = file.read(size * count)
        for kind, _, offset, _, _, length, _, _ in _PHDR.iter_unpack(
            headers[: len(headers) // size * size]
        ):
            if kind == _PT_NOTE and length <= _MAX_NOTES:
                file.seek(offset)
                found = _in_notes(file.read(length))
                if found is not None:
                    return found
    return None


def _in_notes(raw: bytes) -> str | None:
    for name, kind, content in notes(raw):
        if name == GNU and kind == GNU_BUILD_ID:
            return content.hex()
    return None
