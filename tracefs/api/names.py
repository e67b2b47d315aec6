"""Names of calls and families, as a test may choose by them."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from tracefs.errors import UsageError
from tracefs.report.selection import call_names
from tracefs.syscalls import table
from tracefs.trace import Call
from tracefs.trace.guesses import alike, is_guessed

_MACHINES: Final = ("x86_64", "aarch64")

OWN_FAMILY: Final[Mapping[str, str]] = MappingProxyType(
    {call.name: call.family for machine in _MACHINES for call in table(machine).values()}
    | {"sync": "syncfs", "syncfs": "syncfs", "fallocate": "allocate"}
)
"""The family that a call's own requests have, by name."""

FAMILIES: Final = frozenset(
    {
        "open", "write", "sync", "syncdir", "close", "truncate", "attr", "xattr", "rename", "link",
        "unlink", "symlink", "mkdir", "rmdir", "mknod", "allocate", "seek", "dup", "flags", "map",
        "syncfs", "range", "ring", "none",
    }
)  # fmt: skip
"""As in `tracefs.trace.call.Call.family`, but for page fetches, which are no calls."""
_MORE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "fsync": frozenset({"sync", "syncdir"}),
        "fdatasync": frozenset({"sync", "syncdir"}),
        "mmap": frozenset({"map", "write"}),
        "unlinkat": frozenset({"unlink", "rmdir"}),
        "fcntl": frozenset({"dup", "flags"}),
    }
)
"""Families of calls that belong to several."""


class Chosen(Struct, frozen=True):
    """Which calls are asked for: those of a family, or of a name."""

    families: frozenset[str]
    names: frozenset[str]
    possible: frozenset[str]
    """Families in which a call without a name may be one of *names*."""

    def covers(self, call: Call) -> bool:
        """Tell whether *call* is asked for; one whose name nobody saw is, if it may be."""
        if call.family in self.families or call.call in self.names:
            return True
        if is_guessed(call):
            return not self.names.isdisjoint(alike(call.call))
        return call.call == "unknown" and call.family in self.possible


def choose(only: str | Iterable[str]) -> Chosen:
    """Return what *only* asks for; where a family and a call have one name, it is the family.

    Raises:
        UsageError: There is no such family or call; the message suggests one.
    """
    asked = [only] if isinstance(only, str) else list(only)
    families = frozenset(each for each in asked if each in FAMILIES)
    names = frozenset[str]().union(*(call_names(each) for each in asked if each not in FAMILIES))
    for name in names:
        if name not in OWN_FAMILY and name != "unknown":
            raise UsageError(f"There is no call or family {name!r}{_suggestion(name)}.")
    return Chosen(families, names, frozenset[str]().union(*map(_families, names)))


def _families(name: str) -> frozenset[str]:
    return _MORE.get(name, frozenset({OWN_FAMILY.get(name, "none")}))


def _suggestion(name: str) -> str:
    close = get_close_matches(name, sorted({*FAMILIES, *OWN_FAMILY, "pwrite"}), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
