"""Families of calls (`tracefs.trace.call.Call.family`), and which a call can have, by its name."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from tracefs.syscalls import table

FAMILIES: Final = frozenset(
    {
        "allocate", "attr", "close", "dup", "flags", "link", "map", "mkdir", "mknod", "none",
        "open", "range", "read", "rename", "ring", "rmdir", "seek", "symlink", "sync", "syncdir",
        "syncfs", "truncate", "unlink", "write", "xattr",
    }
)  # fmt: skip
TWO_NAMES: Final = frozenset({"rename", "link"})
"""Families whose target is a name in the traced directory too."""
TARGETED: Final = TWO_NAMES | {"symlink"}
"""Families whose calls have a target; of others copy_file_range alone has one."""

OWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        call.name: call.family
        for machine in ("x86_64", "aarch64")
        for call in table(machine).values()
    }
    # The table of calls says what requests a call can cause, a trace what it was.
    | {"sync": "syncfs", "syncfs": "syncfs", "fallocate": "allocate", "ioctl": "attr"}
    | {"io_uring_setup": "ring"}
)
"""The family that a call has most often, by its name."""

_MORE: Final = {
    "fallocate": frozenset({"write"}),
    "fcntl": frozenset({"flags"}),
    "fdatasync": frozenset({"syncdir"}),
    "fsync": frozenset({"syncdir"}),
    "io_submit": frozenset({"sync", "syncdir"}),
    "io_uring_enter": FAMILIES,
    "io_uring_setup": FAMILIES,  # its kernel thread does what the ring holds
    "unlinkat": frozenset({"rmdir"}),
}
"""Families of calls that belong to several, by what they are done to or with."""
_ALWAYS_NAMED: Final = frozenset({"ioctl"})
"""Its request tells it (`tracefs.trace.naming.Namer.of_one`); so does that of a store of mmap."""


def families_of(names: AbstractSet[str]) -> frozenset[str]:
    """Return the families in which a call without a name may be one of *names*.

    >>> sorted(families_of({"unlinkat"})), families_of({"no such call"})
    (['rmdir', 'unlink'], frozenset())
    """
    known = OWN.keys() & names - _ALWAYS_NAMED
    return frozenset(OWN[name] for name in known).union(*(_MORE.get(name, ()) for name in known))
