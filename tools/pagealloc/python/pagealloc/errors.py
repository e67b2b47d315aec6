"""What can go wrong, and whose fault it is.

::

    PageError
    ├── ContentError     1  the file does not hold what it should
    ├── ArgumentError    2  the caller asks for what can't be; the file was not touched
    └── SystemCallError  3  the system refused; the file has its old size
        └── SyncError    4  the page was written, but may not be on the disk

The number is the exit code of the command. Texts are the same for every C library and every
language that the command exists in, so error numbers are put into words here.
"""

import errno
from typing import ClassVar, Final

_WORDS: Final = {
    errno.EACCES: "permission denied",
    errno.EDQUOT: "disk quota exceeded",
    errno.EFBIG: "file too large",
    errno.EIO: "input/output error",
    errno.EISDIR: "is a directory",
    errno.ELOOP: "too many symbolic links",
    errno.EMFILE: "too many open files",
    errno.ENAMETOOLONG: "name too long",
    errno.ENOENT: "no such file or directory",
    errno.ENOSPC: "no space left on device",
    errno.ENOTDIR: "not a directory",
    errno.EPERM: "operation not permitted",
    errno.EROFS: "read-only file system",
    errno.ETXTBSY: "file is being executed",
}


def words(number: int) -> str:
    """Return what error number *number* means; ``error N`` for a rare one."""
    return _WORDS.get(number, f"error {number}")


class PageError(Exception):
    """One clear line about what went wrong."""

    exit_code: ClassVar[int]


class ContentError(PageError):
    """A page lies beyond the end, is cut short, or is not a page of this format."""

    exit_code = 1


class ArgumentError(PageError):
    """A page number or a payload that can't be; nothing was opened."""

    exit_code = 2


class SystemCallError(PageError):
    """A system call failed or did less than it was asked to."""

    exit_code = 3


class SyncError(SystemCallError):
    """The sync failed: whether the page is on the disk can't be known any more."""

    exit_code = 4
