"""What rounds came to, and how far apart they were."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

Number = TypeVar("Number", int, float)


class Spread(Struct, frozen=True, kw_only=True):
    """The middle one of the rounds, with the lowest and the highest.

    With few rounds quartiles would be made up between two of them; these three were measured.
    """

    median: float
    low: float
    high: float


def percentile(values: Iterable[Number], percent: int) -> Number:
    """Return the *percent*-th percentile by nearest rank: a value that was measured.

    >>> percentile([40, 10, 30, 20], 50), percentile([40, 10, 30, 20], 99)
    (20, 40)
    """
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def spread(values: Iterable[float]) -> Spread:
    """Return the spread of one value of each round.

    >>> spread([3, 9, 4])
    Spread(median=4, low=3, high=9)
    """
    ordered = sorted(values)
    return Spread(median=percentile(ordered, 50), low=ordered[0], high=ordered[-1])


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Spread | None:
    """Return *ours* by *theirs*, round by round: what drifts between rounds cancels out.

    Args:
        ours: round -> value.
        theirs: the same of what it is compared with.

    Returns:
        None: they have no round together.

    >>> ratios({0: 30, 1: 44}, {0: 10, 1: 22})
    Spread(median=2.0, low=2.0, high=3.0)
    """
    quotients = [ours[number] / theirs[number] for number in ours if theirs.get(number)]
    return spread(quotients) if quotients else None
