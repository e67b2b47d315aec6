"""Which requests of the kernel a name in a rule stands for.

A request is named as its line in the journal is. Those that only ask (look-ups, attributes,
listings) are none of these: no rule strikes them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tracefs.syscalls import family_of

TRUNCATE: Final = "truncate"
"""SETATTR of a size; of anything else it is ``setattr``."""

FAMILIES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "allocate": frozenset({"fallocate"}),
        "attr": frozenset({"setattr", "ioctl"}),
        "close": frozenset({"flush"}),
        "link": frozenset({"link"}),
        "mkdir": frozenset({"mkdir"}),
        "mknod": frozenset({"mknod"}),
        "open": frozenset({"open", "create"}),
        "read": frozenset({"read"}),
        "rename": frozenset({"rename"}),
        "rmdir": frozenset({"rmdir"}),
        "symlink": frozenset({"symlink"}),
        "sync": frozenset({"fsync", "fsyncdir"}),
        "syncdir": frozenset({"fsyncdir"}),
        "truncate": frozenset({TRUNCATE}),
        "unlink": frozenset({"unlink"}),
        "write": frozenset({"write", "copy"}),
        "xattr": frozenset({"setxattr", "removexattr"}),
    }
)
"""Family -> its requests."""
ALL: Final = "all"
EVERY: Final = frozenset().union(*FAMILIES.values())
"""All requests that a rule can strike."""

EXACTLY: Final = "="
"""Before a name: the system call, though a family has that name, too."""

READS: Final = frozenset({"read", "readv", "pread64", "preadv", "preadv2"})
"""Calls that read; `tracefs.syscalls` has none, for no witness is asked who reads."""
_BY_NAME: Final = {
    "copy_file_range": frozenset({"copy", "write"}),
    "fallocate": FAMILIES["allocate"],
}
_BY_FAMILY: Final = {
    "write": frozenset({"write"}),
    "sync": frozenset({"fsync", "fsyncdir"}),
    "attr": frozenset({"setattr"}),
    "ioctl": frozenset({"ioctl"}),
    "unlink": frozenset({"unlink", "rmdir"}),
}
"""Requests that a call of this family can come as, where they are not those of the family."""
_UNHEARD: Final = frozenset({"sync", "syncfs"})
"""Calls of a heard family that send no request (FUSE has SYNCFS for virtiofs alone)."""
_MANY: Final = frozenset({"io_submit", "io_uring_enter", "io_uring_setup"})
UNWITNESSED: Final = frozenset({"read", "flush"})
"""Requests whose caller is not looked at: a call's name stands for all of them."""


def is_family(name: str) -> bool:
    """Return whether a rule that says *name* means a family, whatever call has that name, too."""
    return name == ALL or name in FAMILIES


def family(name: str) -> frozenset[str]:
    """Return the requests of a family."""
    return EVERY if name == ALL else FAMILIES[name]


def of_call(name: str) -> frozenset[str]:
    """Return the requests that a call can come as; none: no filesystem hears of it.

    >>> sorted(of_call("fsync")), sorted(of_call("pread64")), sorted(of_call("lseek"))
    (['fsync', 'fsyncdir'], ['read'], [])
    """
    if name in READS:
        return FAMILIES["read"]
    if name in _UNHEARD:
        return frozenset()
    if name in _MANY:
        return EVERY - UNWITNESSED
    if name in _BY_NAME:
        return _BY_NAME[name]
    kind = family_of(name)
    return _BY_FAMILY.get(kind) or FAMILIES.get(kind, frozenset())
