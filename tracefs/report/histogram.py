"""Percentiles in constant memory."""

from typing import Final

_STEPS: Final = 32
"""Buckets for each doubling."""
_BITS: Final = _STEPS.bit_length() - 1

RESOLUTION: Final = 1 / _STEPS
"""A percentile is at most this fraction above the true one, and never below."""


class Histogram:
    """Counts of non-negative integers in buckets that widen with the value.

    Values below 64 have a bucket each; above, every doubling has 32. A value of 63 bits falls
    into one of about 1,900 buckets, so memory does not grow with the number of values.
    """

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.maximum = 0

    def add(self, value: int) -> None:
        """Count *value*; a negative one counts as 0."""
        value = max(value, 0)
        bucket = _bucket(value)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        self.maximum = max(self.maximum, value)

    def percentile(self, percent: float) -> int:
        """Return a value that *percent* of all values do not exceed; 0 when there are none."""
        wanted = self.count * percent / 100
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return min(_upper(bucket), self.maximum)
        return self.maximum

    def doublings(self) -> list[tuple[int, int]]:
        """Return how many values are below each power of two, and not below half of it.

        Those between the least and the greatest are there even where there is none.
        """
        counts: dict[int, int] = {}
        for bucket, count in self._buckets.items():
            bits = _upper(bucket).bit_length()
            counts[bits] = counts.get(bits, 0) + count
        bits_seen = range(min(counts), max(counts) + 1) if counts else range(0)
        return [(1 << bits, counts.get(bits, 0)) for bits in bits_seen]


def _bucket(value: int) -> int:
    shift = max(value.bit_length() - _BITS - 1, 0)
    return (shift << _BITS) + (value >> shift)


def _upper(bucket: int) -> int:
    """Return the greatest value that falls into *bucket*."""
    shift = max((bucket >> _BITS) - 1, 0)
    mantissa = bucket - (shift << _BITS)
    return ((mantissa + 1) << shift) - 1
