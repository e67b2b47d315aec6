"""Whether a tree that was seen is one that a profile allows after a crash.

The search is exact. It begins with what is forced, the least state that there may be. Where its
image differs from what was seen, a state with the seen tree must have one more atom, of those that
can change what differs: names on the way to the path, or what belongs to the file there. Each is
tried, with all that it needs; nothing is ever taken out again, so that a state is met once.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from tracefs.persistence.difference import Difference, all_of
from tracefs.persistence.history import History, bits
from tracefs.persistence.image import Bytes, Image
from tracefs.persistence.seen import Seen
from tracefs.persistence.touching import Touching

MOST_TRIED: Final = 20_000
"""States; beyond, the answer is that nobody knows."""


class Rules(Protocol):
    """A profile applied to a history; masks are as in `tracefs.persistence.history`."""

    def happened(self, point: int) -> int:
        """Return the atoms of the steps before *point*."""

    def forced(self, point: int) -> int:
        """Return those that must be there."""

    def closed(self, atoms: int) -> int:
        """Return the least set with *atoms* that may be there."""


class Membership(Struct, frozen=True):
    """What the search found."""

    tried: int
    """How many states were looked at."""
    atoms: int | None = None
    """Those of a state that gives the tree; None: there is none, or none was found."""
    nearest: tuple[Difference, ...] = ()
    """With no state: how the one with the fewest differences differs."""
    complete: bool = True
    """False: the search was given up."""

    def __bool__(self) -> bool:
        return self.atoms is not None

    def __str__(self) -> str:
        if self.atoms is not None:
            return f"allowed: atoms {self.atoms:#x}"
        wrong = "; ".join(one.text for one in self.nearest)
        if not self.complete:
            return f"not found in {self.tried} states; the nearest: {wrong}"
        return f"no state gives this ({self.tried} tried); the nearest: {wrong}"


class Seeker:
    """Looks for the states of one history under one profile; for many trees."""

    def __init__(
        self, history: History, rules: Rules, image: Callable[[int, int], Image], source: Bytes
    ) -> None:
        """Take *image* for the tree of a point and atoms, with its bytes in *source*."""
        self._touching = Touching(history)
        self._rules = rules
        self._image = image
        self._source = source

    def find(self, point: int, seen: Sequence[Seen], most: int = MOST_TRIED) -> Membership:
        """Look for a state at *point* whose tree is *seen*, among at most so many."""
        happened = self._rules.happened(point)
        start = self._rules.closed(self._rules.forced(point))
        waiting, met = [start], {start}
        nearest: tuple[Difference, ...] | None = None
        tried = 0
        while waiting and tried < most:
            atoms = waiting.pop()
            tried += 1
            differences = tuple(all_of(self._image(point, atoms), seen, self._source))
            if not differences:
                return Membership(tried, atoms)
            if nearest is None or len(differences) < len(nearest):
                nearest = differences
            could = self._touching.could_change(differences[0], atoms) & happened & ~atoms
            # The earliest is tried first: what was seen is mostly not far from what was forced.
            for number in reversed(bits(could)):
                wider = self._rules.closed(atoms | 1 << number)
                if wider & ~happened == 0 and wider not in met:
                    met.add(wider)
                    waiting.append(wider)
        return Membership(tried, nearest=nearest or (), complete=not waiting)
