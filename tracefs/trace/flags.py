"""Flag bits by name, in strace's spelling.

Values from ``include/uapi/asm-generic/fcntl.h``, ``arch/arm64/include/uapi/asm/fcntl.h`` and
``include/uapi/linux/fs.h``.
"""

from functools import lru_cache
from typing import Final

O_ACCMODE: Final = 0o3
O_CREAT: Final = 0o100
O_TRUNC: Final = 0o1000
O_APPEND: Final = 0o2000
O_DSYNC: Final = 0o10000
O_SYNC: Final = 0o4010000
"""Contains the bit of O_DSYNC."""
O_PATH: Final = 0o10000000
O_TMPFILE: Final = 0o20000000
"""Its own bit, without that of O_DIRECTORY."""

RWF_DSYNC: Final = 0x2
RWF_SYNC: Final = 0x4
RWF_APPEND: Final = 0x10
RWF_NOAPPEND: Final = 0x20

FMODE_EXEC: Final = 0x20
"""``__FMODE_EXEC`` of ``linux/fs.h``: the kernel opens the file to execute it."""
_FMODE_NONOTIFY: Final = 0x4000000
_INT: Final = 0xFFFFFFFF

_ACCESS: Final = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")

_Names = tuple[tuple[int, str], ...]


def _open_names(directory: int, nofollow: int, direct: int) -> _Names:
    """Return the table for one machine; what contains another flag's bits comes before it."""
    return (
        (O_CREAT, "O_CREAT"),
        (0o200, "O_EXCL"),
        (0o400, "O_NOCTTY"),
        (O_TRUNC, "O_TRUNC"),
        (O_APPEND, "O_APPEND"),
        (0o4000, "O_NONBLOCK"),
        (O_SYNC, "O_SYNC"),
        (O_DSYNC, "O_DSYNC"),
        (0o20000, "O_ASYNC"),
        (direct, "O_DIRECT"),
        (nofollow, "O_NOFOLLOW"),
        (0o1000000, "O_NOATIME"),
        (0o2000000, "O_CLOEXEC"),
        (O_PATH, "O_PATH"),
        (O_TMPFILE | directory, "O_TMPFILE"),
        (directory, "O_DIRECTORY"),
    )


_GENERIC: Final = _open_names(directory=0o200000, nofollow=0o400000, direct=0o40000)
_ARM: Final = _open_names(directory=0o40000, nofollow=0o100000, direct=0o200000)
_LARGEFILE: Final = {"aarch64": 0o400000}
_MACHINES: Final = {"aarch64": _ARM}
_DIRECT: Final = {"aarch64": 0o200000}

_RWF: Final = (
    (0x1, "RWF_HIPRI"),
    (RWF_DSYNC, "RWF_DSYNC"),
    (RWF_SYNC, "RWF_SYNC"),
    (0x8, "RWF_NOWAIT"),
    (RWF_APPEND, "RWF_APPEND"),
    (RWF_NOAPPEND, "RWF_NOAPPEND"),
    (0x40, "RWF_ATOMIC"),
    (0x80, "RWF_DONTCACHE"),
)
_RENAME: Final = ((0x1, "RENAME_NOREPLACE"), (0x2, "RENAME_EXCHANGE"), (0x4, "RENAME_WHITEOUT"))

_FALLOCATE: Final = (
    (0x01, "FALLOC_FL_KEEP_SIZE"),
    (0x02, "FALLOC_FL_PUNCH_HOLE"),
    (0x08, "FALLOC_FL_COLLAPSE_RANGE"),
    (0x10, "FALLOC_FL_ZERO_RANGE"),
    (0x20, "FALLOC_FL_INSERT_RANGE"),
    (0x40, "FALLOC_FL_UNSHARE_RANGE"),
)


def _spell(bits: int, names: _Names) -> tuple[str, ...]:
    found = []
    for value, name in names:
        if bits & value == value:
            found.append(name)
            bits &= ~value
    if bits:
        found.append(hex(bits))
    return tuple(found)


@lru_cache(maxsize=256)
def open_flags(bits: int, machine: str) -> tuple[str, ...]:
    """Return the names of open(2) flags, access mode first; an unknown bit as a hexadecimal number.

    O_LARGEFILE and the kernel's own bits are left out: the kernel adds them to every open.
    """
    hidden = _LARGEFILE.get(machine, 0o100000) | FMODE_EXEC | _FMODE_NONOTIFY
    rest = bits & _INT & ~(O_ACCMODE | hidden)
    return (_ACCESS[bits & O_ACCMODE], *_spell(rest, _MACHINES.get(machine, _GENERIC)))


@lru_cache(maxsize=64)
def rwf_flags(bits: int) -> tuple[str, ...]:
    """Return the names of the flags of pwritev2(2)."""
    return _spell(bits & _INT, _RWF)


@lru_cache(maxsize=64)
def rename_flags(bits: int) -> tuple[str, ...]:
    """Return the names of the flags of renameat2(2)."""
    return _spell(bits & _INT, _RENAME)


@lru_cache(maxsize=64)
def fallocate_flags(bits: int) -> tuple[str, ...]:
    """Return the names of the mode bits of fallocate(2)."""
    return _spell(bits & _INT, _FALLOCATE)


def flag_names() -> frozenset[str]:
    """Return the names that flags can have here."""
    tables = (*_GENERIC, *_RWF, *_RENAME, *_FALLOCATE)
    return frozenset(_ACCESS).union(name for _, name in tables)


def o_directory(machine: str) -> int:
    """Return the bit of O_DIRECTORY."""
    return 0o40000 if machine == "aarch64" else 0o200000


def o_direct(machine: str) -> int:
    """Return the bit of O_DIRECT."""
    return _DIRECT.get(machine, 0o40000)


def sync_flag(open_bits: int, rwf_bits: int) -> str | None:
    """Return the strongest flag that makes a write synchronous; None: there is none."""
    if open_bits & O_SYNC == O_SYNC:
        return "O_SYNC"
    if rwf_bits & RWF_SYNC:
        return "RWF_SYNC"
    if open_bits & O_DSYNC:
        return "O_DSYNC"
    return "RWF_DSYNC" if rwf_bits & RWF_DSYNC else None
