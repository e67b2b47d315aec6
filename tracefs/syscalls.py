"""System calls that can reach a file, by number: names and which argument is which.

Numbers from ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``scripts/syscall.tbl`` (aarch64);
argument order from section 2 of the manual. Only calls that a FUSE request can be held for, that
say something about one, or that a seccomp witness is notified of are listed: a number that is not
here is not named.
"""

from typing import Final

from msgspec import Struct


class Syscall(Struct, frozen=True):
    """Shape of one system call; argument indices count from 0, None: it has no such argument."""

    name: str
    family: str
    """A name from `tracefs.trace.call.Call.family`."""
    fd: int | None = None
    """Index of the descriptor of the file that is changed."""
    length: int | None = None
    """Index of the byte count."""
    offset: int | None = None
    """Index of the file offset, where it is passed by value."""
    vector: int | None = None
    """Index of a ``struct iovec *``; the count follows it."""
    flags: int | None = None
    """Index of open(2), RWF_* or RENAME_* flags."""


CHOWNS: Final = frozenset({"chown", "fchown", "lchown", "fchownat"})
"""Calls that change owner and group."""

_CALLS: Final = {
    call.name: call
    for call in (
        Syscall("write", "write", fd=0, length=2),
        Syscall("pwrite64", "write", fd=0, length=2, offset=3),
        Syscall("writev", "write", fd=0, vector=1),
        Syscall("pwritev", "write", fd=0, vector=1, offset=3),
        Syscall("pwritev2", "write", fd=0, vector=1, offset=3, flags=5),
        Syscall("sendfile", "write", fd=0, length=3),
        Syscall("splice", "write", fd=2, length=4),
        Syscall("copy_file_range", "write", fd=2, length=4),
        Syscall("io_submit", "write"),
        Syscall("io_uring_enter", "write"),
        Syscall("io_uring_setup", "write"),
        Syscall("fallocate", "write", fd=0, offset=2, length=3),
        Syscall("fsync", "sync", fd=0),
        Syscall("fdatasync", "sync", fd=0),
        Syscall("msync", "sync"),
        Syscall("sync", "sync"),
        Syscall("syncfs", "sync", fd=0),
        Syscall("sync_file_range", "range", fd=0, offset=1, length=2, flags=3),
        Syscall("lseek", "seek", fd=0, offset=1),
        Syscall("mmap", "map", fd=4, length=1, offset=5),
        Syscall("dup", "dup", fd=0),
        Syscall("dup2", "dup", fd=0),
        Syscall("dup3", "dup", fd=0),
        Syscall("fcntl", "dup", fd=0),
        Syscall("close", "close", fd=0),
        Syscall("close_range", "close"),
        Syscall("exit", "close"),
        Syscall("exit_group", "close"),
        Syscall("open", "open", flags=1),
        Syscall("openat", "open", flags=2),
        Syscall("openat2", "open"),
        Syscall("creat", "open"),
        Syscall("execve", "open"),
        Syscall("execveat", "open"),
        Syscall("truncate", "truncate", length=1),
        Syscall("ftruncate", "truncate", fd=0, length=1),
        Syscall("chmod", "attr"),
        Syscall("fchmod", "attr", fd=0),
        Syscall("fchmodat", "attr"),
        Syscall("fchmodat2", "attr"),
        Syscall("chown", "attr"),
        Syscall("fchown", "attr", fd=0),
        Syscall("lchown", "attr"),
        Syscall("fchownat", "attr"),
        Syscall("utime", "attr"),
        Syscall("utimes", "attr"),
        Syscall("futimesat", "attr"),
        Syscall("utimensat", "attr"),
        Syscall("ioctl", "ioctl", fd=0),
        Syscall("rename", "rename"),
        Syscall("renameat", "rename"),
        Syscall("renameat2", "rename", flags=4),
        Syscall("link", "link"),
        Syscall("linkat", "link"),
        Syscall("unlink", "unlink"),
        Syscall("unlinkat", "unlink"),
        Syscall("rmdir", "rmdir"),
        Syscall("mkdir", "mkdir"),
        Syscall("mkdirat", "mkdir"),
        Syscall("mknod", "mknod"),
        Syscall("mknodat", "mknod"),
        Syscall("symlink", "symlink"),
        Syscall("symlinkat", "symlink"),
        Syscall("bind", "mknod"),
        Syscall("setxattr", "xattr"),
        Syscall("lsetxattr", "xattr"),
        Syscall("fsetxattr", "xattr", fd=0),
        Syscall("removexattr", "xattr"),
        Syscall("lremovexattr", "xattr"),
        Syscall("fremovexattr", "xattr", fd=0),
    )
}

_X86_64: Final = {
    1: "write", 2: "open", 3: "close", 8: "lseek", 9: "mmap", 16: "ioctl", 18: "pwrite64",
    20: "writev", 26: "msync", 32: "dup", 33: "dup2", 40: "sendfile", 49: "bind", 59: "execve",
    60: "exit", 72: "fcntl", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
    82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink", 88: "symlink",
    90: "chmod", 91: "fchmod", 92: "chown", 93: "fchown", 94: "lchown", 132: "utime", 133: "mknod",
    162: "sync", 188: "setxattr", 189: "lsetxattr", 190: "fsetxattr", 197: "removexattr",
    198: "lremovexattr", 199: "fremovexattr", 209: "io_submit", 231: "exit_group", 235: "utimes",
    257: "openat", 258: "mkdirat", 259: "mknodat", 260: "fchownat", 261: "futimesat",
    263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat", 268: "fchmodat",
    275: "splice", 277: "sync_file_range", 280: "utimensat", 285: "fallocate", 292: "dup3",
    296: "pwritev", 306: "syncfs", 316: "renameat2", 322: "execveat", 326: "copy_file_range",
    328: "pwritev2", 425: "io_uring_setup", 426: "io_uring_enter", 436: "close_range",
    437: "openat2", 452: "fchmodat2",
}  # fmt: skip

_AARCH64: Final = {
    2: "io_submit", 5: "setxattr", 6: "lsetxattr", 7: "fsetxattr", 14: "removexattr",
    15: "lremovexattr", 16: "fremovexattr", 23: "dup", 24: "dup3", 25: "fcntl", 29: "ioctl",
    33: "mknodat", 34: "mkdirat", 35: "unlinkat", 36: "symlinkat", 37: "linkat", 38: "renameat",
    45: "truncate", 46: "ftruncate", 47: "fallocate", 52: "fchmod", 53: "fchmodat", 54: "fchownat",
    55: "fchown", 56: "openat", 57: "close", 62: "lseek", 64: "write", 66: "writev", 68: "pwrite64",
    70: "pwritev", 71: "sendfile", 76: "splice", 81: "sync", 82: "fsync", 83: "fdatasync",
    84: "sync_file_range", 88: "utimensat", 93: "exit", 94: "exit_group", 200: "bind",
    221: "execve", 222: "mmap", 227: "msync", 267: "syncfs", 276: "renameat2", 281: "execveat",
    285: "copy_file_range", 287: "pwritev2", 425: "io_uring_setup", 426: "io_uring_enter",
    436: "close_range", 437: "openat2", 452: "fchmodat2",
}  # fmt: skip

_I386: Final = {
    1: "exit", 4: "write", 6: "close", 11: "execve", 19: "lseek", 36: "sync", 41: "dup",
    55: "fcntl", 63: "dup2", 90: "old_mmap", 93: "ftruncate", 118: "fsync", 140: "_llseek",
    144: "msync", 146: "writev", 148: "fdatasync", 181: "pwrite64", 187: "sendfile", 192: "mmap2",
    194: "ftruncate64", 221: "fcntl64", 239: "sendfile64", 248: "io_submit", 252: "exit_group",
    313: "splice", 314: "sync_file_range", 324: "fallocate", 330: "dup3", 334: "pwritev",
    344: "syncfs", 358: "execveat", 377: "copy_file_range", 379: "pwritev2", 425: "io_uring_setup",
    436: "close_range",
}  # fmt: skip
"""Calls of 32-bit programs on x86_64 (``arch/x86/entry/syscalls/syscall_32.tbl``).

``old_mmap`` is the mmap whose arguments are in memory (``struct mmap_arg_struct32`` in
``arch/x86/kernel/sys_ia32.c``).
"""


def table(machine: str) -> dict[int, Syscall]:
    """Return number -> call for ``uname -m`` *machine*; empty for one that is not known."""
    numbers = {"x86_64": _X86_64, "aarch64": _AARCH64}.get(machine, {})
    return {number: _CALLS[name] for number, name in numbers.items()}


def numbers(machine: str) -> dict[str, int]:
    """Return name -> number, for the names in `table`."""
    return {call.name: number for number, call in table(machine).items()}


def i386_names() -> dict[int, str]:
    """Return number -> name of the i386 calls that a seccomp witness may be notified of."""
    return _I386


def call_names() -> frozenset[str]:
    """Return all names that a call can have, on any machine."""
    return frozenset(_CALLS) | frozenset(_I386.values())


def family_of(name: str) -> str:
    """Return the family of a call; empty for a name that is not known."""
    call = _CALLS.get(name)
    return "" if call is None else call.family
