"""The build id of an ELF file (elf(5)); tells whether it is still the one that ran.

A recording names the files, and whoever made it may have named any: a FIFO, a device, a file that
was built to be read for ever.
"""

import errno
import os
import stat
import struct
from pathlib import Path
from typing import IO, Final

from tracefs.elfnotes import GNU, GNU_BUILD_ID, notes

_PT_NOTE: Final = 4
_PHDR: Final = struct.Struct("<IIQQQQQQ")
_MAX_NOTES: Final = 1 << 16
"""Bytes, of all segments together."""
_MAX_OFFSET: Final = (1 << 63) - 1


def open_module(path: Path) -> IO[bytes]:
    """Open a regular file; of anything else, which could keep its reader waiting, nothing.

    Raises:
        OSError: it is no regular file, or can't be opened.
    """
    name = os.fspath(path)
    if not path.is_absolute() or "\0" in name:
        raise OSError(errno.EINVAL, "no path of a module")
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "no regular file")
    # It may have been replaced since: O_NONBLOCK keeps the open of a FIFO from waiting.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no regular file")
    return open(fd, "rb")


def read_at(file: IO[bytes], offset: int, size: int) -> bytes:
    """Return up to *size* bytes at *offset*; none where no file can have any."""
    if offset + size > _MAX_OFFSET:
        return b""
    return os.pread(file.fileno(), size, offset)  # lseek(2) would refuse some of them


def build_id(path: Path) -> str | None:
    """Return the GNU build id, hexadecimal; None: it has none, or is no 64-bit ELF file.

    Raises:
        OSError: the file can't be read.
    """
    with open_module(path) as file:
        head = file.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02":
            return None
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        if size != _PHDR.size:
            return None
        headers = read_at(file, table, size * count)
        left = _MAX_NOTES
        for kind, _, offset, _, _, length, _, _ in _PHDR.iter_unpack(
            headers[: len(headers) // size * size]
        ):
            if kind == _PT_NOTE and length <= left:
                left -= length
                found = _in_notes(read_at(file, offset, length))
                if found is not None:
                    return found
    return None


def _in_notes(raw: bytes) -> str | None:
    for name, kind, content in notes(raw):
        if name == GNU and kind == GNU_BUILD_ID:
            return content.hex()
    return None
