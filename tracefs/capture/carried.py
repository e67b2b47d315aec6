"""Requests that pyfuse3 has no handler for, as the kernel sends them and wants them answered.

They come through the handler of READ (``_request.c``). Layouts and numbers: ``linux/fuse.h``.
"""

import os
import struct
from typing import Final, NamedTuple

from tracefs.capture.request import carried

FALLOCATE: Final = 43
COPY_FILE_RANGE: Final = 47
IOCTL: Final = 39
TMPFILE: Final = 51

_FALLOCATE_IN: Final = struct.Struct("=QQQII")
_COPY_IN: Final = struct.Struct("=QQQQQQQ")
_CREATE_IN: Final = struct.Struct("=IIII")
_IOCTL_IN: Final = struct.Struct("=QIIQII")
_WRITE_OUT: Final = struct.Struct("=II")
_ENTRY_OUT: Final = struct.Struct("=QQQQII")
_ATTRIBUTES: Final = struct.Struct("=QQQqqqIIIIIIIIII")
_OPEN_OUT: Final = struct.Struct("=QIi")
_IOCTL_OUT: Final = struct.Struct("=iIII")
_FOPEN_DIRECT_IO: Final = 1
_SECOND_NS: Final = 1_000_000_000


class Request(NamedTuple):
    """One request, whose *body* `fallocate`, `copy`, `creation` or `ioctl` reads."""

    opcode: int
    nodeid: int
    tid: int
    uid: int
    gid: int
    body: bytes


class Fallocate(NamedTuple):
    """struct fuse_fallocate_in; offset and length in bytes."""

    fh: int
    offset: int
    length: int
    mode: int


class Copy(NamedTuple):
    """struct fuse_copy_file_range_in; offsets and size in bytes."""

    from_fh: int
    from_offset: int
    fh: int
    offset: int
    size: int


class Creation(NamedTuple):
    """struct fuse_create_in of a file without a name."""

    flags: int
    mode: int


class Ioctl(NamedTuple):
    """struct fuse_ioctl_in, and the bytes that go with it."""

    fh: int
    command: int
    data: bytes
    out_size: int


def current_request() -> Request:
    """Return the request that READ stands for, until its handler awaits."""
    return Request(*carried())


def fallocate(body: bytes) -> Fallocate:
    """Read a FALLOCATE."""
    fh, offset, length, mode, _ = _FALLOCATE_IN.unpack_from(body)
    return Fallocate(fh, offset, length, mode)


def copy(body: bytes) -> Copy:
    """Read a COPY_FILE_RANGE."""
    from_fh, from_offset, _, fh, offset, size, _ = _COPY_IN.unpack_from(body)
    return Copy(from_fh, from_offset, fh, offset, size)


def creation(body: bytes) -> Creation:
    """Read a TMPFILE."""
    flags, mode, _, _ = _CREATE_IN.unpack_from(body)
    return Creation(flags, mode & 0o7777)


def ioctl(body: bytes) -> Ioctl:
    """Read an IOCTL."""
    fh, _, command, _, in_size, out_size = _IOCTL_IN.unpack_from(body)
    data = body[_IOCTL_IN.size : _IOCTL_IN.size + in_size]
    return Ioctl(fh, command, data, out_size)


def copied(size: int) -> bytes:
    """Return the reply to a COPY_FILE_RANGE."""
    return _WRITE_OUT.pack(size, 0)


def controlled(data: bytes) -> bytes:
    """Return the reply to an IOCTL that succeeded."""
    return _IOCTL_OUT.pack(0, 0, 0, 0) + data


def made(ino: int, fh: int, info: os.stat_result, *, valid_s: int, direct_io: bool) -> bytes:
    """Return the reply to a TMPFILE: entry, attributes trusted for *valid_s* seconds, open."""
    times = info.st_atime_ns, info.st_mtime_ns, info.st_ctime_ns
    return b"".join(
        (
            _ENTRY_OUT.pack(ino, 0, valid_s, valid_s, 0, 0),
            _ATTRIBUTES.pack(
                ino, info.st_size, info.st_blocks,
                *(time // _SECOND_NS for time in times), *(time % _SECOND_NS for time in times),
                info.st_mode, info.st_nlink, info.st_uid, info.st_gid, 0, info.st_blksize, 0,
            ),
            _OPEN_OUT.pack(fh, _FOPEN_DIRECT_IO if direct_io else 0, 0),
        )
    )  # fmt: skip
