"""The side file with the bytes written: kept while recording goes on, and read again."""

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import Footer
from tracefs.journal.format import PAYLOAD
from tracefs.pathtext import to_text

MOST_HELD: Final = 8 << 20
"""Bytes that may wait to be written; then whoever has more waits, too."""
_BLOCK: Final = 1 << 20
_DIGEST_BYTES: Final = 16


class SpoolType(Protocol):
    """What ``_spool.c`` offers: appends to a descriptor, which it doesn't close."""

    def __init__(self, fd: int, most: int, /) -> None: ...

    def add(self, data: bytes, length: int, /) -> int:
        """Append the first *length* bytes, now or later; wait while more than *most* are held.

        Returns:
            0, or the error number of what failed, now or earlier: from then on nothing is written.
        """

    def error(self) -> int:
        """Return the same of what was added; wait for nothing."""

    def finish(self) -> int:
        """Return the same, once everything is written."""

    def drop(self) -> None:
        """Write nothing more; the descriptor is used no longer."""


class PlainSpool:
    """A spool that writes at once."""

    def __init__(self, fd: int, most: int, /) -> None:
        del most  # nothing is held
        self._fd = fd
        self._error = 0

    def add(self, data: bytes, length: int, /) -> int:
        """See `SpoolType`."""
        rest = memoryview(data)[:length]
        try:
            while rest and not self._error:
                count = os.write(self._fd, rest)
                self._error = 0 if count else errno.EIO
                rest = rest[count:]
        except OSError as error:
            self._error = error.errno or errno.EIO
        return self._error

    def error(self) -> int:
        """See `SpoolType`."""
        return self._error

    def finish(self) -> int:
        """See `SpoolType`."""
        return self._error

    def drop(self) -> None:
        """See `SpoolType`."""


Spool: type[SpoolType]
try:
    from tracefs.journal import _spool

    Spool = _spool.Spool
except ImportError:  # not compiled
    Spool = PlainSpool


class Whole(Struct, frozen=True):
    """What the footer says of the side file."""

    size: int
    sha256: str


class PayloadWriter:
    """The bytes of one recording, in the order in which they were kept; used by one thread.

    An offset is given at once, though the bytes may be written later. Owns *fd*.
    """

    def __init__(self, fd: int, spool: type[SpoolType] = Spool) -> None:
        self.fd: Final = fd
        self._spool = spool(fd, MOST_HELD)
        self._size = 0

    def keep(self, data: bytes, length: int) -> int:
        """Append the first *length* bytes and return their offset; OSError: see `check`."""
        _require(self._spool.add(data, length))
        offset = self._size
        self._size += length
        return offset

    def check(self) -> None:
        """Raise OSError if bytes could not be written."""
        _require(self._spool.error())

    def settle(self) -> None:
        """Wait until everything so far is written; OSError: see `check`."""
        _require(self._spool.finish())

    def finish(self) -> Whole:
        """Wait until everything is written; return what is in the file; OSError: see `check`."""
        self.settle()
        size, sha256 = _hashed(self.fd)
        if size != self._size:
            raise OSError(errno.EIO, f"it has {size} bytes instead of {self._size}")
        return Whole(size, sha256)

    def close(self) -> None:
        """Write nothing more, and close the file."""
        self._spool.drop()
        os.close(self.fd)


class PayloadReader:
    """The bytes that a recording kept.

    Raises:
        RecordingError: it kept none.
    """

    def __init__(self, recording: Path) -> None:
        self._name = to_text(os.fsencode(recording))
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            self._fd = os.open(recording / PAYLOAD, flags)
        except OSError as error:
            raise RecordingError(
                f"{self._name} has no bytes to replay: {error.strerror}",
                repair="record it with tracefs run --payload",
            ) from None
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise RecordingError(f"{self._name}: its {PAYLOAD} is no regular file")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def read(self, offset: int | None, size: int) -> bytes:
        """Return the bytes that a line names; RecordingError: they aren't there."""
        if not size:
            return b""
        if offset is None:
            raise RecordingError(
                "bytes to replay are missing", repair="record it with tracefs run --payload"
            )
        found = bytearray()
        while len(found) < size:
            more = os.pread(self._fd, min(size - len(found), _BLOCK), offset + len(found))
            if not more:
                raise RecordingError(
                    f"{self._name}: {PAYLOAD} ends before the bytes {offset} to {offset + size}, "
                    "which were not written when the recording was killed, or were cut off"
                )
            found += more
        return bytes(found)

    def difference(self, footer: Footer) -> str | None:
        """Say in what the bytes aren't those that were recorded, in one line; None: they are.

        Of a recording from before footers told that, or without bytes, nothing can be said.
        """
        if footer.payload_sha256 is None:
            return f"the footer says nothing of {PAYLOAD}"
        try:
            size, sha256 = _hashed(self._fd)
        except OSError as error:
            return f"{PAYLOAD}: {error.strerror}"
        if size != footer.payload_size:
            return f"{PAYLOAD} has {size} bytes, the footer says {footer.payload_size}"
        if sha256 != footer.payload_sha256:
            return f"the footer's hash of {PAYLOAD} doesn't match: it was changed"
        return None


def digest(data: bytes | memoryview) -> str:
    """Return the hash that a line has of the bytes written."""
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def _hashed(fd: int) -> tuple[int, str]:
    found = hashlib.sha256()
    size = 0
    while block := os.pread(fd, _BLOCK, size):
        found.update(block)
        size += len(block)
    return size, found.hexdigest()


def _require(failed: int) -> None:
    if failed:
        raise OSError(failed, os.strerror(failed))
