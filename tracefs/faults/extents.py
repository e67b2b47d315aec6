"""Which blocks of a file are allocated, as data."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Extents:
    """Disjoint ranges of block numbers, in order; neighbours are one range."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """Take ranges ``(first, end)``; *end* is no longer in the range."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, end in ranges:
            self.add(first, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __len__(self) -> int:
        """Return how many blocks there are."""
        return sum(self._ends) - sum(self._starts)

    def gaps(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield what is missing of ``first … end``, in order."""
        at = bisect_right(self._ends, first)
        while first < end:
            if at == len(self._starts) or self._starts[at] >= end:
                yield first, end
                return
            if self._starts[at] > first:
                yield first, self._starts[at]
            first = self._ends[at]
            at += 1

    def add(self, first: int, end: int) -> int:
        """Add ``first … end``; return how many blocks are new."""
        if first >= end:
            return 0
        new = sum(stop - start for start, stop in self.gaps(first, end))
        left, right = bisect_left(self._ends, first), bisect_right(self._starts, end)
        if left < right:
            first, end = min(first, self._starts[left]), max(end, self._ends[right - 1])
        self._starts[left:right] = [first]
        self._ends[left:right] = [end]
        return new

    def remove(self, first: int, end: int | None = None) -> int:
        """Remove ``first … end``, or all from *first* on; return how many blocks that were."""
        if end is None:
            end = max(self._ends[-1] if self._ends else 0, first)
        if first >= end:
            return 0
        gone = end - first - sum(stop - start for start, stop in self.gaps(first, end))
        left, right = bisect_right(self._ends, first), bisect_left(self._starts, end)
        kept = []
        if left < right:
            kept = [(self._starts[left], first), (end, self._ends[right - 1])]
        kept = [(start, stop) for start, stop in kept if start < stop]
        self._starts[left:right] = [start for start, _ in kept]
        self._ends[left:right] = [stop for _, stop in kept]
        return gone
