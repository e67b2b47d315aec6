"""A directory taken away with all that is in it, whatever a checker has made of it."""

import os
import stat
from collections.abc import Iterator
from itertools import count
from typing import Final

_DIRECTORY: Final = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(directory: str | bytes) -> None:
    """Remove *directory*, following no link and entering nothing that is mounted.

    Each directory below is moved to the top before it is emptied: so none is too deep for a path,
    and what is mounted can't be moved (rename(2): EBUSY).

    Args:
        directory: in a directory that nobody else can write.

    Raises:
        OSError: something can't be removed; the rest may be there.
    """
    place = os.fsencode(directory)
    try:
        top = _enter(place)
    except FileNotFoundError:
        return
    try:
        waiting = _empty(top)
        kept = set(waiting)
        fresh = (name for name in map(b"%d".__mod__, count()) if name not in kept)
        while waiting:
            name = waiting.pop()
            inner = _enter(name, top)
            try:
                waiting += [_moved(each, inner, top, fresh) for each in _empty(inner)]
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(place)


def _enter(name: bytes, above: int | None = None) -> int:
    """Open a directory to be emptied, with all permissions for its owner.

    By a descriptor, as chmod(2) would follow a link.
    """
    try:
        file = os.open(name, os.O_RDONLY | _DIRECTORY, dir_fd=above)
    except PermissionError:
        return _allow(name, above)
    if os.fstat(file).st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(file, stat.S_IRWXU)
    return file


def _allow(name: bytes, above: int | None) -> int:
    """Do the same for one that may not be read."""
    file = os.open(name, os.O_PATH | _DIRECTORY, dir_fd=above)
    try:
        os.chmod(b"/proc/self/fd/%d" % file, stat.S_IRWXU)
        return os.open(b".", os.O_RDONLY | _DIRECTORY, dir_fd=file)
    finally:
        os.close(file)


def _empty(directory: int) -> list[bytes]:
    """Remove what can be removed at once; return the names of directories that aren't empty."""
    full = []
    with os.scandir(directory) as entries:
        found = [(os.fsencode(each.name), each.is_dir(follow_symlinks=False)) for each in entries]
    for name, is_directory in found:
        if not is_directory:
            os.unlink(name, dir_fd=directory)
            continue
        try:
            os.rmdir(name, dir_fd=directory)
        except OSError:
            full.append(name)
    return full


def _moved(name: bytes, directory: int, top: int, fresh: Iterator[bytes]) -> bytes:
    """Move a directory to the top; return its name there."""
    os.close(_enter(name, directory))  # one that gets another .. must be writable itself
    new = next(fresh)
    os.rename(name, new, src_dir_fd=directory, dst_dir_fd=top)
    return new
