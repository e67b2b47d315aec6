"""Names of the C library for system calls: what somebody writes who names a call."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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
