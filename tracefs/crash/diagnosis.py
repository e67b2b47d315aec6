"""Why states fail: what was lost, on which filesystems, by the fewest changes."""

import stat
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from tracefs.crash.changes import Describer
from tracefs.crash.examiner import Examiner
from tracefs.crash.reduction import Reducer, breaking, lost_ack
from tracefs.crash.search import Found, Search
from tracefs.crashes import Answer, Checked, Failure, Loss
from tracefs.persistence.history import Atom, History, Part, bits
from tracefs.persistence.profiles import LINUX
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import spell

MOST: Final = 12
"""Failures that are made small, each; what is like none of them is counted with the likest."""


class Reduced(Struct, kw_only=True):
    """A failure, and what it stands for."""

    failure: Failure
    found: Found
    dropped: int
    states: list[Found]


class Diagnosis:
    """Makes failures of failing states."""

    def __init__(
        self,
        search: Search,
        examiner: Examiner,
        explored: Sequence[Persistence],
        everywhere: Sequence[Persistence],
        describer: Describer,
    ) -> None:
        """Take the profiles that were explored, and all that there are, weakest first."""
        self._search = search
        self._history = search.history
        self._examiner = examiner
        self._reducers = {one.rules.name: Reducer(search, examiner, one) for one in explored}
        self._explored = {one.rules.name: one for one in explored}
        self._everywhere = everywhere
        self._describer = describer

    def failures(
        self, failing: Sequence[tuple[Found, Answer]], told: Callable[[int], None]
    ) -> list[Reduced]:
        """Return the failures behind *failing*; each state is counted with one of them."""
        found: list[Reduced] = []
        for done, (state, answer) in enumerate(sorted(failing, key=self._simplest)):
            told(done)
            same = self._explained(found, state, answer)
            if same is None:
                new = self._reduced(state, answer)
                same = next((one for one in found if self._alike(one, new)), None)
                if same is None:
                    found.append(new)
                    continue
            same.states.append(state)
        return found

    def _alike(self, one: Reduced, other: Reduced) -> bool:
        """Tell whether both lose the same kind of thing, by the same parts of the same files."""
        return one.failure.loss is other.failure.loss and self._kind(one) == self._kind(other)

    def _kind(self, reduced: Reduced) -> frozenset[tuple[int, bool]]:
        found = set()
        for number in bits(reduced.dropped):
            atom = self._history.atoms[number]
            if atom.part is Part.NAME:
                found |= {(entry.directory, True) for entry in atom.entries}
            else:
                found.add((atom.file, False))
        return frozenset(found)

    def _simplest(self, pair: tuple[Found, Answer]) -> tuple[int, int]:
        return self._missing(pair[0]).bit_count(), pair[0].state.point

    def _missing(self, found: Found) -> int:
        happened = self._explored[found.profile].happened(found.state.point)
        torn = sum(1 << atom for atom, _ in found.state.torn)
        return happened & ~found.state.atoms | torn

    def _explained(self, known: list[Reduced], found: Found, answer: Answer) -> Reduced | None:
        missing, loss = self._missing(found), self._loss(found, answer)
        alike = [one for one in known if one.failure.loss is loss]
        for one in alike:
            if one.dropped and not one.dropped & ~missing:
                return one
        return alike[-1] if len(known) >= MOST and alike else None

    def _loss(self, found: Found, answer: Answer) -> Loss:
        if answer.checked is not Checked.BAD:
            return Loss.CHECKER
        if self._history.acks and not found.acks and self._creating(found.state.point):
            return Loss.CREATION
        return Loss.CORRUPT if lost_ack(found, self._examiner) is None else Loss.ACKNOWLEDGED

    def _creating(self, point: int) -> bool:
        """Tell whether nothing that was there at the start has been changed."""
        before = self._history.atoms[: self._history.stop(point)]
        return not any(map(self._changes_old, before))

    def _changes_old(self, atom: Atom) -> bool:
        concerned = {entry.before for entry in atom.entries} if atom.entries else {atom.file}
        files = (self._history.files[file] for file in concerned if file)
        return any(file.base and not stat.S_ISDIR(file.mode) for file in files)

    def _reduced(self, state: Found, answer: Answer) -> Reduced:
        small, dropped = self._reducers[state.profile].reduce(state, answer.checked)
        ((_, answer),) = self._examiner.ask([small])
        loss = self._loss(small, answer)
        ack = lost_ack(small, self._examiner) if loss is Loss.ACKNOWLEDGED else None
        point = small.state.point
        profiles = breaking(
            self._search, self._examiner, self._everywhere, point, dropped, answer.checked
        )
        if small.profile not in profiles:
            profiles = (*profiles, small.profile)
        happened = self._explored[state.profile].happened(point)
        torn = [atom for atom, _ in small.state.torn]
        failure = Failure(
            id=spell(small.state, happened),
            loss=loss,
            point=point,
            after_call=call_before(self._history, point),
            before_call=call_after(self._history, point),
            acks=len(small.acks),
            ack=None if ack is None else small.acks[ack],
            answer=answer,
            dropped=self._describer.changes(dropped, torn),
            kept=self._describer.kept(small.state.atoms, dropped),
            profiles=profiles,
            rule=self._rule(profiles[0]),
            where=where(profiles),
        )
        return Reduced(failure=failure, found=small, dropped=dropped, states=[state])

    def _rule(self, profile: str) -> str:
        return next(one.rules.title for one in self._everywhere if one.rules.name == profile)


def where(profiles: Sequence[str]) -> str:
    """Say on which systems *profiles* let it happen.

    >>> where(["xfs", "posix-strict"])
    'on xfs'
    """
    if "prefix" in profiles:
        return "on every profile, with nothing lost at all"
    real = [name for name in profiles if name in LINUX]
    if len(real) == len(LINUX):
        return f"on {', '.join(real[:-1])} and {real[-1]}"
    if real:
        return "on " + " and ".join(real)
    if "ext4-writeback" in profiles:
        return "on ext4-writeback"
    return "only where the standard allows more than any Linux filesystem does"


def call_before(history: History, point: int) -> int | None:
    """Return the index of the last call before *point*; None: none is known."""
    calls = (step.call for step in reversed(history.steps[:point]) if step.call is not None)
    return next(calls, None)


def call_after(history: History, point: int) -> int | None:
    """Return the index of the next call after *point*; None: none is known."""
    calls = (step.call for step in history.steps[point:] if step.call is not None)
    return next(calls, None)
