"""Whether a tree that was seen is one that a profile allows after a crash.

The search is exact. It begins with what is forced, the least state that there may be. Where its
image differs from what was seen, a state with the seen tree must have one more atom, of those that
can change what differs: names on the way to the path, or what belongs to the file there. Each is
tried, with all that it needs; nothing is ever taken out again, so that a state is met once.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tracefs.persistence.difference import Difference, all_of
from tracefs.persistence.history import bits
from tracefs.persistence.image import Bytes
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence
from tracefs.persistence.seen import Seen
from tracefs.persistence.states import State
from tracefs.persistence.touching import Touching

MOST_TRIED: Final = 20_000
"""States; beyond, the answer is that nobody knows."""


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

    def __init__(self, persistence: Persistence, resolver: Resolver, source: Bytes) -> None:
        """Take images from *resolver*, of the same history, and their bytes from *source*."""
        self._touching = Touching(persistence.history)
        self._persistence = persistence
        self._resolver = resolver
        self._source = source

    def find(self, point: int, seen: Sequence[Seen], most: int = MOST_TRIED) -> Membership:
        """Look for a state at *point* whose tree is *seen*, among at most so many."""
        happened = self._persistence.happened(point)
        start = self._persistence.closed(point, 0)
        waiting, met = [start], {start}
        nearest: tuple[Difference, ...] | None = None
        tried = 0
        while waiting and tried < most:
            atoms = waiting.pop()
            tried += 1
            image = self._resolver.image(State(point, atoms))
            differences = tuple(all_of(image, seen, self._source))
            if not differences:
                return Membership(tried, atoms)
            if nearest is None or len(differences) < len(nearest):
                nearest = differences
            could = self._touching.could_change(differences[0], atoms) & happened & ~atoms
            # The earliest is tried first: what was seen is mostly not far from what was forced.
            for number in reversed(bits(could)):
                wider = self._persistence.closed(point, atoms | 1 << number)
                if wider & ~happened == 0 and wider not in met:
                    met.add(wider)
                    waiting.append(wider)
        return Membership(tried, nearest=nearest or (), complete=not waiting)
