"""Names of calls and families that choose calls."""

from functools import cache
from typing import Final

from tracefs.golden.entry import UNKNOWN, Entry
from tracefs.syscalls import table

_ALIASES: Final = {"pwrite": "pwrite64"}
"""Names that people know from the C library."""
_BY_TRACE: Final = {"fallocate": "allocate", "exit": "close", "ioctl": "attr"}
"""Families that a trace gives other than the table of calls does, or that it lacks."""
_MORE_FAMILIES: Final = frozenset({"syncdir", "syncfs", "flags", "none"})
_ANYTHING: Final = "none"
"""Family of what reached no filesystem: an unnamed call of it may have been any."""


@cache
def usual_families() -> dict[str, str]:
    """Return the family that each call has most often, by name."""
    tables = (table(machine) for machine in ("x86_64", "aarch64"))
    known = {call.name: call.family for calls in tables for call in calls.values()}
    return known | _BY_TRACE | {UNKNOWN: ""}


@cache
def known() -> frozenset[str]:
    """Return all names and families there are."""
    usual = usual_families()
    return frozenset({*usual, *usual.values(), *_MORE_FAMILIES, *_ALIASES} - {""})


class Wanted:
    """Calls of some names and families; none: of all."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._all = not names
        self._names = frozenset(_ALIASES.get(name, name) for name in names)
        self._families = self._names | {
            family for name in self._names if (family := usual_families().get(name))
        }

    def has(self, entry: Entry) -> bool:
        """Tell whether *entry* is, or may be, one of them: what has no name isn't left out."""
        if self._all or entry.call in self._names or entry.family in self._names:
            return True
        if entry.call == UNKNOWN:
            return entry.family == _ANYTHING or entry.family in self._families
        return entry.guessed and entry.family in self._families
