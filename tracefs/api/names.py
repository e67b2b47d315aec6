"""Names of calls and families, as a test may choose by them."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tracefs.errors import UsageError
from tracefs.report.selection import call_names
from tracefs.suggestion import closest
from tracefs.trace import Call
from tracefs.trace.families import FAMILIES, OWN, families_of
from tracefs.trace.guesses import alike, is_guessed

_CALLED: Final = FAMILIES - {"read"}
"""The fetching of pages is no call."""


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
    families = frozenset(each for each in asked if each in _CALLED)
    names = frozenset[str]().union(*(call_names(each) for each in asked if each not in _CALLED))
    for name in names:
        if name not in OWN and name != "unknown":
            raise UsageError(f"There is no call or family {name!r}{_suggestion(name)}.")
    return Chosen(families, names, families_of(names))


def _suggestion(name: str) -> str:
    close = closest(name, sorted({*_CALLED, *OWN, "pwrite"}))
    return f"; did you mean {close!r}?" if close else ""
