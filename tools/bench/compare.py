"""tracefs beside the other targets, round by round."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from bench.sample import Cell, Figure
from bench.spread import Spread, ratios

SUBJECT: Final = "tracefs"


class Ratio(Struct, frozen=True, kw_only=True):
    """The median of *cell* by that of another target, in the same round each time."""

    cell: Cell
    to: str
    """The other target."""
    times: Spread


def compare(figures: Sequence[Figure]) -> tuple[Ratio, ...]:
    """Return how many times as long tracefs takes as each other target did for the same."""
    by_cell = {one.cell: one for one in figures}
    targets = dict.fromkeys(one.cell.target for one in figures if one.cell.target != SUBJECT)
    found = []
    for one in figures:
        if one.cell.target != SUBJECT:
            continue
        for target in targets:
            other = by_cell.get(msgspec.structs.replace(one.cell, target=target))
            times = ratios(_medians(one), _medians(other)) if other else None
            if times is not None:
                found.append(Ratio(cell=one.cell, to=target, times=times))
    return tuple(found)


def _medians(one: Figure) -> dict[int, float]:
    return {sample.round: sample.median_ns for sample in one.rounds}
