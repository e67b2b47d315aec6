"""The words of contract files that come from Linux: calls, families, flags and error names."""

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tracefs.syscalls import call_names
from tracefs.trace.flags import flag_names
from tracefs.trace.unheard import flag_names as unheard_flag_names

END: Final = "end"
"""Where a scope ends; no call, and known to ``until`` alone."""
UNKNOWN: Final = "unknown"
"""A call that has no name."""

CALLS: Final = call_names() | {UNKNOWN}
"""Names that a call of a trace can have."""

ALIASES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        name: frozenset(calls.split())
        for name, calls in {
            "chmod": "chmod fchmodat fchmodat2",
            "chown": "chown fchownat",
            "fallocate64": "fallocate",
            "ftruncate64": "ftruncate",
            "futimens": "utimensat",
            "lchown": "lchown fchownat",
            "link": "link linkat",
            "lseek64": "lseek",
            "mkdir": "mkdir mkdirat",
            "mknod": "mknod mknodat",
            "mmap64": "mmap",
            "open": "open openat openat2 creat",
            "posix_fallocate": "fallocate",
            "pwrite": "pwrite64",
            "rename": "rename renameat renameat2",
            "rmdir": "rmdir unlinkat",
            "symlink": "symlink symlinkat",
            "truncate64": "truncate",
            "unlink": "unlink unlinkat",
            "utime": "utime utimensat",
            "utimes": "utimes futimesat utimensat",
        }.items()
    }
)
"""Names of the C library -> system calls behind them; every other name is that of one call."""

FAMILY_OF_ALIAS: Final[Mapping[str, str]] = MappingProxyType({"rmdir": "rmdir", "unlink": "unlink"})
"""What a name means of calls that do something else, too: unlinkat(2) with AT_REMOVEDIR."""

SYNC_DIRECTORY: Final = "fsyncdir"
"""Any sync of a directory: the family ``syncdir``."""

HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fclose": "close",
        "fflush": "write",
        "fopen": "open",
        "fprintf": "write",
        "fputs": "write",
        "fseek": "lseek",
        "fwrite": "write",
        "msync_async": "msync",
        "posix_fadvise": "@none",
    }
)
"""Names that look like calls -> what to write instead."""

NOT_RECORDED: Final = frozenset({"pread", "pread64", "preadv", "preadv2", "read", "readv"})
"""Calls that no recording has: often the kernel has the pages already."""

FLAGS: Final = flag_names() | unheard_flag_names() | {"O_LARGEFILE"}
"""Names that a call's flags can have; the kernel adds O_LARGEFILE, and few recordings show it."""

ERRNOS: Final = frozenset(errno.errorcode.values())

SYNCING_FLAGS: Final = frozenset({"O_DSYNC", "O_SYNC", "RWF_DSYNC", "RWF_SYNC"})
"""What ``synced_by`` can be, beside nothing."""


def errno_name(name: str) -> str | None:
    """Return the one name that the error *name* has here, or None where there is no such error.

    >>> errno_name("EWOULDBLOCK"), errno_name("EIO"), errno_name("EVIL")
    ('EAGAIN', 'EIO', None)
    """
    number = getattr(errno, name, None) if name.startswith("E") else None
    return errno.errorcode.get(number) if isinstance(number, int) else None
