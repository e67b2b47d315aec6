"""Sets of bytes, or of blocks, as disjoint ranges."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of positions; ranges that touch are one, so memory follows the number of gaps."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """Take the ranges ``(start, stop)``."""
        self._starts: list[int] = []
        self._stops: list[int] = []
        self.total = 0
        """Number of bytes in the set."""
        for start, stop in ranges:
            self.add(start, stop)

    def __len__(self) -> int:
        """Return the number of ranges."""
        return len(self._starts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges in order: first byte, and the one behind the last."""
        return zip(self._starts, self._stops, strict=True)

    def gaps(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield what is missing from *start* up to *stop*, in order."""
        at = bisect_right(self._stops, start)
        while start < stop:
            if at == len(self._starts) or self._starts[at] >= stop:
                yield start, stop
                return
            if self._starts[at] > start:
                yield start, self._starts[at]
            start = self._stops[at]
            at += 1

    def add(self, start: int, stop: int) -> None:
        """Add the bytes from *start* up to *stop*."""
        if start >= stop:
            return
        low = bisect_left(self._stops, start)
        high = bisect_right(self._starts, stop)
        if low < high:
            start = min(start, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._replace(low, high, [(start, stop)])

    def remove(self, start: int, stop: int) -> None:
        """Take the bytes from *start* up to *stop* out."""
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        if start >= stop or low >= high:
            return
        kept = [(self._starts[low], start), (stop, self._stops[high - 1])]
        self._replace(low, high, [(a, b) for a, b in kept if a < b])

    def clear(self) -> None:
        """Empty the set."""
        self._starts.clear()
        self._stops.clear()
        self.total = 0

    def _replace(self, low: int, high: int, ranges: list[tuple[int, int]]) -> None:
        self.total -= sum(self._stops[low:high]) - sum(self._starts[low:high])
        self.total += sum(b - a for a, b in ranges)
        self._starts[low:high] = [a for a, _ in ranges]
        self._stops[low:high] = [b for _, b in ranges]
