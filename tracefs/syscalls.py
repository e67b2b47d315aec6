"""System calls that can reach a file, by number: names and which argument is which.

Numbers from ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``scripts/syscall.tbl`` (aarch64);
argument order from section 2 of the manual. Only calls that a FUSE request can be held for, or that
say something about one, are listed: a number that is not here is not named.
"""

from typing import Final

from msgspec import Struct


class Syscall(Struct, frozen=True):
    """Shape of one system call; argument indices count from 0, None: it has no such argument."""

    name: str
    family: str
    """write, sync, open, or a name from `tracefs.trace.call.Call.family`."""
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
        Syscall("syncfs", "sync"),
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
    1: "write", 2: "open", 18: "pwrite64", 20: "writev", 26: "msync", 40: "sendfile", 49: "bind",
    59: "execve", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename",
    83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink", 88: "symlink", 90: "chmod",
    91: "fchmod", 92: "chown", 93: "fchown", 94: "lchown", 132: "utime", 133: "mknod", 162: "sync",
    188: "setxattr", 189: "lsetxattr", 190: "fsetxattr", 197: "removexattr", 198: "lremovexattr",
    199: "fremovexattr", 209: "io_submit", 235: "utimes", 257: "openat", 258: "mkdirat",
    259: "mknodat", 260: "fchownat", 261: "futimesat", 263: "unlinkat", 264: "renameat",
    265: "linkat", 266: "symlinkat", 268: "fchmodat", 275: "splice", 280: "utimensat",
    285: "fallocate", 296: "pwritev", 306: "syncfs", 316: "renameat2", 322: "execveat",
    326: "copy_file_range", 328: "pwritev2", 425: "io_uring_setup", 426: "io_uring_enter",
    437: "openat2", 452: "fchmodat2",
}  # fmt: skip

_AARCH64: Final = {
    2: "io_submit", 5: "setxattr", 6: "lsetxattr", 7: "fsetxattr", 14: "removexattr",
    15: "lremovexattr", 16: "fremovexattr", 33: "mknodat", 34: "mkdirat", 35: "unlinkat",
    36: "symlinkat", 37: "linkat", 38: "renameat", 45: "truncate", 46: "ftruncate",
    47: "fallocate", 52: "fchmod", 53: "fchmodat", 54: "fchownat", 55: "fchown", 56: "openat",
    64: "write", 66: "writev", 68: "pwrite64", 70: "pwritev", 71: "sendfile", 76: "splice",
    81: "sync", 82: "fsync", 83: "fdatasync", 88: "utimensat", 200: "bind", 221: "execve",
    227: "msync", 267: "syncfs", 276: "renameat2", 281: "execveat", 285: "copy_file_range",
    287: "pwritev2", 425: "io_uring_setup", 426: "io_uring_enter", 437: "openat2",
    452: "fchmodat2",
}  # fmt: skip


def table(machine: str) -> dict[int, Syscall]:
    """Return number -> call for ``uname -m`` *machine*; empty for one that is not known."""
    numbers = {"x86_64": _X86_64, "aarch64": _AARCH64}.get(machine, {})
    return {number: _CALLS[name] for number, name in numbers.items()}
