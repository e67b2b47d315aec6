"""A failing state becomes the smallest loss that fails."""

from collections.abc import Iterable, Sequence

from tracefs.crash.examiner import Examiner
from tracefs.crash.search import Found, Search
from tracefs.crashes import Answer, Checked
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import State
from tracefs.persistence.strategies import Groups

_MOST = 200
"""States that are asked about to make one smaller, one after the other."""


class Reducer:
    """Makes failing states of one profile smaller."""

    def __init__(self, search: Search, examiner: Examiner, persistence: Persistence) -> None:
        self._search = search
        self._examiner = examiner
        self._persistence = persistence
        self._groups = Groups(search.history)

    def reduce(self, found: Found, checked: Checked) -> tuple[Found, int]:
        """Return a state that fails as *found* does with the fewest groups dropped, and those.

        The atoms are those to drop; what needs them goes with them.
        """
        state = found.state
        if state.torn:
            return found, sum(1 << atom for atom, _ in state.torn)
        missing = self._persistence.happened(state.point) & ~state.atoms
        groups = list(self._groups.among(missing))
        if not groups or self._fails(state.point, 0, checked):
            return self._found(state.point, 0), 0
        best: tuple[int, Found, int] | None = None
        singles = [self._found(state.point, group) for group in groups]
        alone = {id(one): group for one, group in zip(singles, groups, strict=True)}
        for one, answer in self._examiner.ask(singles):
            size = (self._persistence.happened(state.point) & ~one.state.atoms).bit_count()
            if answer.checked is checked and (best is None or size < best[0]):
                best = size, one, alone[id(one)]
        if best is not None:
            return best[1], best[2]
        kept = self._fewest(state.point, groups, checked)
        if not kept:
            return found, missing
        return self._found(state.point, _union(kept)), _union(kept)

    def _fewest(self, point: int, groups: list[int], checked: Checked) -> list[int]:
        """Return groups of which none can be left out; empty: not even all of them fail.

        Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002).
        """
        if not self._fails(point, _union(groups), checked):
            return []
        asked, size = 0, max(1, len(groups) // 2)
        while asked < _MOST:
            smaller = False
            for first in range(0, len(groups), size):
                rest = groups[:first] + groups[first + size :]
                asked += 1
                if rest and self._fails(point, _union(rest), checked):
                    groups, smaller = rest, True
                    break
            if not smaller:
                if size == 1:
                    break
                size = max(1, size // 2)
        return groups

    def _fails(self, point: int, dropped: int, checked: Checked) -> bool:
        ((_, answer),) = self._examiner.ask([self._found(point, dropped)])
        return answer.checked is checked

    def _found(self, point: int, dropped: int) -> Found:
        state = State(point, self._persistence.without(point, dropped))
        return self._search.found(state, self._persistence.rules.name)


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def breaking(
    search: Search,
    examiner: Examiner,
    profiles: Sequence[Persistence],
    point: int,
    dropped: int,
    checked: Checked,
) -> tuple[str, ...]:
    """Return the profiles that let *dropped* be lost at *point*, and fail then in the same way."""
    found: list[str] = []
    for persistence in profiles:
        if dropped & persistence.forced(point):
            continue
        state = State(point, persistence.without(point, dropped))
        ((_, answer),) = examiner.ask([search.found(state, persistence.rules.name)])
        if answer.checked is checked:
            found.append(persistence.rules.name)
    return tuple(found)


def without_acks(found: Found, acks: int) -> Found:
    """Return *found* as if only the first *acks* acknowledgements had been made."""
    content = found.key.rpartition("-")[0]
    return Found(found.state, found.profile, f"{content}-{acks}", found.image, found.acks[:acks])


def lost_ack(found: Found, examiner: Examiner) -> int | None:
    """Return which acknowledgement is the first that is lost; None: it fails without any."""

    def good(acks: int) -> Answer:
        ((_, answer),) = examiner.ask([without_acks(found, acks)])
        return answer

    if not found.acks or good(0).checked is not Checked.GOOD:
        return None
    low, high = 0, len(found.acks)
    while high - low > 1:
        middle = (low + high) // 2
        if good(middle).checked is Checked.GOOD:
            low = middle
        else:
            high = middle
    return low
