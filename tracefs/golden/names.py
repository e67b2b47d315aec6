"""Names of calls and families that choose calls."""

from functools import cache
from typing import Final

from tracefs.golden.entry import UNKNOWN, Entry
from tracefs.trace.families import FAMILIES, OWN, families_of

_ALIASES: Final = {"pwrite": "pwrite64"}
"""Names that people know from the C library."""
_ANYTHING: Final = "none"
"""Family of what reached no filesystem: an unnamed call of it may have been any."""


@cache
def usual_families() -> dict[str, str]:
    """Return the family that each call has most often, by name."""
    return {**OWN, UNKNOWN: ""}


@cache
def known() -> frozenset[str]:
    """Return all names and families there are."""
    return frozenset({*OWN, UNKNOWN, *FAMILIES, *_ALIASES} - {"read"})


class Wanted:
    """Calls of some names and families; none: of all."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._all = not names
        self._names = frozenset(_ALIASES.get(name, name) for name in names)
        self._families = self._names | families_of(self._names)

    def has(self, entry: Entry) -> bool:
        """Tell whether *entry* is, or may be, one of them: what has no name isn't left out."""
        if self._all or entry.call in self._names or entry.family in self._names:
            return True
        if entry.call == UNKNOWN:
            return entry.family == _ANYTHING or entry.family in self._families
        return entry.guessed and entry.family in self._families
