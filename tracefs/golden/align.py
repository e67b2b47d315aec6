"""What two sequences have in common, in order.

Anchors come first: what stands once on either side tells best where one is (Bram Cohen's patience
diff). Between them Myers' greedy algorithm (Algorithmica 1, 1986) finds the shortest
script. It is quadratic in the number of differences, so it is stopped after `_MOST` of them, goes
on from the furthest point it has reached, and may then miss a shorter script, never a difference.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final, NamedTuple

_MOST: Final = 64
_DEEPEST: Final = 12
"""Levels of anchors between anchors; each is one look at everything."""


class Match(NamedTuple):
    """A run that is equal: from *a* and *b* on, *length* long."""

    a: int
    b: int
    length: int


def align(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[Match]:
    """Return the runs that match *a* with *b*, in order, as long as they can be.

    >>> align("abcd", "abxd")
    [Match(a=0, b=0, length=2), Match(a=3, b=3, length=1)]
    """
    numbers: dict[Hashable, int] = {}
    left = [numbers.setdefault(item, len(numbers)) for item in a]
    right = [numbers.setdefault(item, len(numbers)) for item in b]
    # What the other side lacks can match nothing, and would only be in the way.
    in_left, in_right = set(left), set(right)
    where_a = [i for i, item in enumerate(left) if item in in_right]
    where_b = [j for j, item in enumerate(right) if item in in_left]
    pairs = _Aligner([left[i] for i in where_a], [right[j] for j in where_b]).pairs()
    return _joined([(where_a[i], where_b[j]) for i, j in pairs])


def _joined(pairs: list[tuple[int, int]]) -> list[Match]:
    runs: list[Match] = []
    for i, j in pairs:
        if runs and runs[-1].a + runs[-1].length == i and runs[-1].b + runs[-1].length == j:
            last = runs[-1]
            runs[-1] = Match(last.a, last.b, last.length + 1)
        else:
            runs.append(Match(i, j, 1))
    return runs


class _Aligner:
    """Two sequences of numbers, and the pairs of places that match so far, in any order."""

    def __init__(self, a: list[int], b: list[int]) -> None:
        self._a = a
        self._b = b
        self._pairs: list[tuple[int, int]] = []

    def pairs(self) -> list[tuple[int, int]]:
        pending = [(0, len(self._a), 0, len(self._b), 0)]
        while pending:
            low_a, high_a, low_b, high_b, depth = pending.pop()
            low_a, high_a, low_b, high_b = self._trim(low_a, high_a, low_b, high_b)
            if low_a == high_a or low_b == high_b:
                continue
            anchors = self._anchors(low_a, high_a, low_b, high_b) if depth < _DEEPEST else []
            if not anchors:
                self._search(low_a, high_a, low_b, high_b)
                continue
            for at_a, at_b in anchors:
                pending.append((low_a, at_a, low_b, at_b, depth + 1))
                self._pairs.append((at_a, at_b))
                low_a, low_b = at_a + 1, at_b + 1
            pending.append((low_a, high_a, low_b, high_b, depth + 1))
        return sorted(self._pairs)

    def _trim(self, low_a: int, high_a: int, low_b: int, high_b: int) -> tuple[int, int, int, int]:
        """Match what both begin and end with."""
        a, b = self._a, self._b
        while low_a < high_a and low_b < high_b and a[low_a] == b[low_b]:
            self._pairs.append((low_a, low_b))
            low_a, low_b = low_a + 1, low_b + 1
        while low_a < high_a and low_b < high_b and a[high_a - 1] == b[high_b - 1]:
            high_a, high_b = high_a - 1, high_b - 1
            self._pairs.append((high_a, high_b))
        return low_a, high_a, low_b, high_b

    def _anchors(self, low_a: int, high_a: int, low_b: int, high_b: int) -> list[tuple[int, int]]:
        """Return what stands once on either side, as far as it stands in the same order."""
        often_a = Counter(self._a[low_a:high_a])
        often_b = Counter(self._b[low_b:high_b])
        once = {item for item, times in often_a.items() if times == 1 == often_b[item]}
        if not once:
            return []
        at_b = {self._b[j]: j for j in range(low_b, high_b) if self._b[j] in once}
        pairs = [(i, at_b[self._a[i]]) for i in range(low_a, high_a) if self._a[i] in once]
        return _rising(pairs)

    def _search(self, low_a: int, high_a: int, low_b: int, high_b: int) -> None:
        while low_a < high_a and low_b < high_b:
            low_a, low_b = self._script(low_a, high_a, low_b, high_b)

    def _script(self, low_a: int, high_a: int, low_b: int, high_b: int) -> tuple[int, int]:
        """Match along the shortest script of at most `_MOST` steps; return where that ends."""
        a, b = self._a, self._b
        size_a, size_b = high_a - low_a, high_b - low_b
        furthest = {1: 0}
        rounds: list[dict[int, int]] = []
        end = (0, 0)
        for step in range(min(_MOST, size_a + size_b) + 1):
            rounds.append(furthest)
            furthest = {}
            for k in range(-step, step + 1, 2):
                x, _ = _reached(rounds[-1], k, size_a, size_b)
                if x < 0:
                    continue
                y = x - k
                while x < size_a and y < size_b and a[low_a + x] == b[low_b + y]:
                    x, y = x + 1, y + 1
                furthest[k] = x
            _, x, k = max((x + x - k, x, k) for k, x in furthest.items())
            end = (x, x - k)
            if end == (size_a, size_b):
                break
        x, y = end
        for reached in reversed(rounds):
            start, before = _reached(reached, x - y, size_a, size_b)
            while x > start:
                x, y = x - 1, y - 1
                self._pairs.append((low_a + x, low_b + y))
            x = reached[before]
            y = x - before
        return low_a + end[0], low_b + end[1]


def _reached(furthest: dict[int, int], k: int, size_a: int, size_b: int) -> tuple[int, int]:
    """Return how far in a one step leads on diagonal *k*, and from which; -1: none leads there."""
    across, down = furthest.get(k - 1, -1) + 1, furthest.get(k + 1, -1)
    if not 0 < across <= size_a:
        across = -1
    if not k <= down <= size_b + k:
        down = -1
    return (across, k - 1) if across > down else (down, k + 1)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of *pairs*, sorted by the first, in which the second rises too."""
    ends: list[int] = []
    """By length: the lowest second of a chain of that length."""
    at: list[int] = []
    before: list[int] = []
    for place, (_, second) in enumerate(pairs):
        length = bisect_left(ends, second)
        before.append(at[length - 1] if length else -1)
        if length == len(ends):
            ends.append(second)
            at.append(place)
        else:
            ends[length], at[length] = second, place
    chain = []
    place = at[-1] if at else -1
    while place >= 0:
        chain.append(pairs[place])
        place = before[place]
    return chain[::-1]
