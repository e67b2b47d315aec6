"""Files that are written whole or not at all."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from typing import IO, Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_whole(path: bytes, content: bytes) -> None:
    """Put *content* into the file *path*, as `whole_file` does.

    Raises:
        OSError: it can't be; what was there before still is.
    """
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def whole_file(path: bytes) -> Iterator[IO[bytes]]:
    """Give a file that is put in the place of *path* at the end, whole or, if that fails, not.

    rename(2) puts it there at once. A link's file is written, permissions stay, and a pipe or
    device is written as it is.

    Raises:
        OSError: it can't be; what was there before still is.
    """
    with _named(path), _written(path) as file:
        yield file


@contextlib.contextmanager
def _named(path: bytes) -> Iterator[None]:
    """Let an error of a full disk, which comes without a name, tell of *path*."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            raise OSError(error.errno, error.strerror, path) from None
        raise


@contextlib.contextmanager
def _written(path: bytes) -> Iterator[IO[bytes]]:
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as pipe:  # /dev/stdout and its like are written, not replaced
            yield pipe
        return
    # Beside the file itself, not beside a link to it.
    target = os.path.realpath(path)
    try:
        descriptor, beside = tempfile.mkstemp(prefix=b".tracefs-", dir=os.path.dirname(target))
    except OSError as error:
        # Who reads of it knows the file, not the one beside it.
        raise OSError(error.errno, error.strerror, path) from None
    try:
        with open(descriptor, "wb") as file:
            yield file
            os.fchmod(descriptor, _mode(target))
            file.flush()
            os.fsync(descriptor)
        os.rename(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _mode(path: bytes) -> int:
    """Return the permissions that the file has, or that a new one gets (umask(2))."""
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_mode & 0o7777
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
