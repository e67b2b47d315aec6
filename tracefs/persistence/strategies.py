"""Which states are worth a look: few that find nearly everything, or many.

Measured on a prototype, the default found every class of failure that fourteen times as many states
found.
"""

import random
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tracefs.persistence.history import History, Part, StepKind, bits, origin
from tracefs.persistence.image import PAGE, SECTOR
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import State

_META: Final = frozenset({Part.NAME, Part.ATTRIBUTES})
_SECTORS: Final = PAGE // SECTOR


class Strategy(Struct, frozen=True, kw_only=True):
    """How many states are wanted."""

    deep: bool = False
    """Also each group left out or kept alone at every point, files left out, torn pages."""
    random: int = 0
    """This many states at random for each point, beside."""
    seed: int = 0


class Groups:
    """Atoms of a history that go together: one part of one file that one call changed."""

    def __init__(self, history: History) -> None:
        self.masks: list[int] = []
        self.parts: dict[Part, int] = dict.fromkeys(Part, 0)
        """All atoms of each part."""
        self.files: dict[int, int] = {}
        known: dict[tuple[int, int, Part], int] = {}
        for atom in history.atoms:
            bit = 1 << atom.number
            # The kernel divides a call's write where a page begins; a crash does so elsewhere.
            group = origin(history.steps[atom.step]), atom.file, atom.part
            place = known.setdefault(group, len(self.masks))
            if place == len(self.masks):
                self.masks.append(0)
            self.masks[place] |= bit
            self.parts[atom.part] |= bit
            self.files[atom.file] = self.files.get(atom.file, 0) | bit

    def among(self, atoms: int) -> Iterator[int]:
        """Yield the groups that have something of *atoms*."""
        for mask in self.masks:
            if mask & atoms:
                yield mask


def states(persistence: Persistence, strategy: Strategy) -> Iterator[State]:
    """Yield states that the profile allows; some come more than once.

    The plain ones come first, so that a limit leaves the rarer out.
    """
    history = persistence.history
    groups = Groups(history)
    points = range(len(history.steps) + 1)
    for point in points:
        yield State(point, persistence.happened(point))
    if not persistence.rules.loses:
        return
    for point in _chosen(history):
        yield from _usual(persistence, groups, point)
    if strategy.deep:
        for point in points:
            yield from _more(persistence, groups, point)
    if strategy.random:
        yield from _random(persistence, strategy)


def _chosen(history: History) -> list[int]:
    """Return the points just before a sync, after an acknowledgement, and the end."""
    points = {len(history.steps)}
    for step in history.steps:
        if step.kind is not StepKind.CHANGE:
            points.add(step.number + (step.kind is StepKind.ACK))
    return sorted(points)


def _usual(persistence: Persistence, groups: Groups, point: int) -> Iterator[State]:
    forced, happened = persistence.forced(point), persistence.happened(point)
    if forced == happened:
        return
    meta = sum(groups.parts[part] for part in _META) & happened
    data, size = groups.parts[Part.DATA] & happened, groups.parts[Part.SIZE] & happened
    yield State(point, persistence.closed(point, 0))
    yield State(point, persistence.without(point, data | size))
    yield State(point, persistence.without(point, data))
    yield State(point, persistence.closed(point, meta))
    yield State(point, persistence.closed(point, meta | size))
    yield State(point, persistence.without(point, meta))
    yield State(point, persistence.closed(point, data))
    yield from _left_out(persistence, groups, point)


def _left_out(persistence: Persistence, groups: Groups, point: int) -> Iterator[State]:
    """Yield states that lack one group each, and what needs it."""
    for mask in groups.among(persistence.happened(point) & ~persistence.forced(point)):
        yield State(point, persistence.without(point, mask))


def _more(persistence: Persistence, groups: Groups, point: int) -> Iterator[State]:
    lost = persistence.happened(point) & ~persistence.forced(point)
    if not lost:
        return
    yield from _left_out(persistence, groups, point)
    for mask in groups.among(lost):
        yield State(point, persistence.closed(point, mask))
        if mask.bit_count() > 1:
            for atom in bits(mask & lost):
                yield State(point, persistence.without(point, 1 << atom))
    for mask in groups.files.values():
        if mask & lost:
            yield State(point, persistence.without(point, mask))
    yield from _torn(persistence, groups.parts[Part.DATA] & lost, point)


def _torn(persistence: Persistence, data: int, point: int) -> Iterator[State]:
    """Yield states in which a disk had written some sectors of a page."""
    halves = (1 << _SECTORS // 2) - 1
    every_other = sum(1 << sector for sector in range(0, _SECTORS, 2))
    for atom in bits(data):
        state = persistence.without(point, 1 << atom)
        for sectors in (1, halves, every_other, ~halves & (1 << _SECTORS) - 1):
            yield State(point, state, ((atom, sectors),))


def _random(persistence: Persistence, strategy: Strategy) -> Iterator[State]:
    chance = random.Random(strategy.seed)  # noqa: S311  # chooses what is tried, no secret
    for point in range(len(persistence.history.steps) + 1):
        lost = bits(persistence.happened(point) & ~persistence.forced(point))
        for _ in range(strategy.random if lost else 0):
            share = chance.random()
            dropped = sum(1 << atom for atom in lost if chance.random() < share)
            yield State(point, persistence.without(point, dropped))
