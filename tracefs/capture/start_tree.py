"""The traced directory as it is when a recording begins: names and attributes, nothing is read."""

import errno
import os
import stat
from collections.abc import Iterator
from typing import Final

from tracefs.capture.backing import errno_of
from tracefs.journal.start import Entry, Head
from tracefs.pathtext import to_text

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_XATTRS: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})
_MOUNTED: Final = "another filesystem is mounted here, which is not looked into"


def head(root_fd: int) -> Head:
    """Return the first line for the directory *root_fd* (O_PATH)."""
    return Head(source=to_text(os.readlink(b"/proc/self/fd/%d" % root_fd)))


def walk(root_fd: int) -> Iterator[Entry]:
    """Give every file below the directory *root_fd* (O_PATH), and itself first.

    Parents come first. No symbolic link is followed, no mount below is crossed; what is made or
    removed meanwhile may be there or not.

    Raises:
        OSError: the directory itself can't be read.
    """
    root = os.open(".", _DIRECTORY, dir_fd=root_fd)
    # Each directory that is being listed, as a descriptor, and what is still to come of it.
    open_ones: list[tuple[int, bytes, Iterator[bytes]]] = [(root, b"", iter(()))]
    try:
        info = os.stat(root)
        device = info.st_dev
        names, missing = _names(root)
        if missing is not None:
            raise OSError(errno_of(missing), os.strerror(errno_of(missing)))
        yield _entry(b".", info, root, b".", None)
        open_ones[0] = (root, b"", iter(names))
        while open_ones:
            fd, path, rest = open_ones[-1]
            name = next(rest, None)
            if name is None:
                os.close(open_ones.pop()[0])
                continue
            try:
                info = os.stat(name, dir_fd=fd, follow_symlinks=False)
            except FileNotFoundError:
                continue
            below = path + name
            why, inner = None, -1
            if info.st_dev != device:
                why = _MOUNTED
            elif stat.S_ISDIR(info.st_mode):
                inner, names, missing = _listed(name, fd)
                if missing is not None:
                    why = f"it can't be read: {missing.strerror}"
            yield _entry(below, info, fd, name, why)
            if inner >= 0:
                open_ones.append((inner, below + b"/", iter(names)))
    finally:
        for fd, _, _ in open_ones:
            os.close(fd)


def _listed(name: bytes, directory: int) -> tuple[int, list[bytes], OSError | None]:
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=directory)
    except OSError as error:
        return -1, [], error
    names, missing = _names(fd)
    return fd, names, missing


def _names(fd: int) -> tuple[list[bytes], OSError | None]:
    try:
        return sorted(map(os.fsencode, os.listdir(fd))), None
    except OSError as error:
        return [], error


def _entry(
    path: bytes, info: os.stat_result, directory: int, name: bytes, missing: str | None
) -> Entry:
    target = None
    xattrs: tuple[tuple[str, bytes], ...] = ()
    try:
        if stat.S_ISLNK(info.st_mode):
            target = to_text(os.readlink(name, dir_fd=directory))
        xattrs = _xattrs(b"/proc/self/fd/%d/%s" % (directory, name))
    except OSError as error:
        missing = missing or f"its extended attributes can't be read: {error.strerror}"
    return Entry(
        path=to_text(path),
        ino=info.st_ino,
        mode=info.st_mode,
        uid=info.st_uid,
        gid=info.st_gid,
        nlink=info.st_nlink,
        size=info.st_size if stat.S_ISREG(info.st_mode) else 0,
        mtime_ns=info.st_mtime_ns,
        ctime_ns=info.st_ctime_ns,
        rdev=info.st_rdev,
        target=target,
        xattrs=xattrs,
        missing=missing,
    )


def _xattrs(path: bytes) -> tuple[tuple[str, bytes], ...]:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_XATTRS:
            return ()
        raise
    return tuple(
        (to_text(os.fsencode(name)), os.getxattr(path, name, follow_symlinks=False))
        for name in names
    )
