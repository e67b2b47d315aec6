"""States: which atoms a crash at some point left, and what they are called."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tracefs.errors import UsageError
from tracefs.persistence.history import History, bits
from tracefs.persistence.image import PAGE, SECTOR

ALL_SECTORS: Final = (1 << PAGE // SECTOR) - 1


class State(Struct, frozen=True):
    """What a crash left."""

    point: int
    """The crash came after this many steps."""
    atoms: int
    torn: tuple[tuple[int, int], ...] = ()
    """Atoms of data that are not there as a whole, and a mask of the sectors of their first page
    that are."""


def spell(state: State, happened: int) -> str:
    """Return the name of *state*, of whose point all atoms are *happened*.

    ``37`` is everything before step 37; ``37-12.14:20`` all but the atoms 12 and 14 to 20;
    ``37-12t0f`` has of atom 12 the sectors 0 to 3.
    """
    torn = dict(state.torn)
    words = []
    for first, last in _runs(bits(happened & ~state.atoms), set(torn)):
        word = str(first) if first == last else f"{first}:{last}"
        words.append(f"{word}t{torn[first]:02x}" if first in torn else word)
    return f"{state.point}-{'.'.join(words)}" if words else str(state.point)


def parse(name: str, history: History) -> State:
    """Return the state of that name.

    Raises:
        UsageError: it is no name of a state of this history.
    """
    wrong = UsageError(
        f"{name!r} is no state of this recording",
        repair="tracefs crash prints the names of those that fail",
    )
    found = re.fullmatch(r"(\d{1,9})(?:-([0-9a-ft.:]+))?", name)
    if found is None or int(found[1]) > len(history.steps):
        raise wrong
    point = int(found[1])
    stop = history.stop(point)
    atoms, torn = (1 << stop) - 1, []
    for word in (found[2] or "").split(".") if found[2] else ():
        part = re.fullmatch(r"(\d{1,9})(?::(\d{1,9})|t([0-9a-f]{2}))?", word)
        if part is None:
            raise wrong
        first, last = int(part[1]), int(part[2] or part[1])
        if not first <= last < stop:
            raise wrong
        atoms &= ~((1 << last + 1) - (1 << first))
        if part[3]:
            torn.append((first, int(part[3], 16)))
    return State(point, atoms, tuple(torn))


def _runs(numbers: list[int], alone: set[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each run; those *alone* are one each."""
    first = last = None
    for number in numbers:
        if first is not None and last == number - 1 and not {last, number} & alone:
            last = number
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last
