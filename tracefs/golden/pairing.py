"""Which call that is missing and which that is extra are the same call, done otherwise."""

from collections.abc import Sequence
from typing import Final

from tracefs.golden.align import align
from tracefs.golden.entry import UNKNOWN, Entry

_MOST: Final = 2_500
"""Pairs that are weighed one by one; where there are more, family and path alone count."""
_SYNCS: Final = frozenset({"sync", "syncdir", "syncfs", "range"})


def pairs(a: Sequence[Entry], b: Sequence[Entry]) -> list[tuple[int, int]]:
    """Return the places in *a* and *b* that are best put beside each other, in order."""
    if not a or not b:
        return []
    if len(a) * len(b) > _MOST:
        runs = align(list(map(_coarse, a)), list(map(_coarse, b)))
        return [(run.a + n, run.b + n) for run in runs for n in range(run.length)]
    return _weighed(a, b)


def _coarse(entry: Entry) -> tuple[str, str | None]:
    return entry.family, entry.path


def _weighed(a: Sequence[Entry], b: Sequence[Entry]) -> list[tuple[int, int]]:
    """Return the pairs with the highest weight in all, by dynamic programming."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(len(b) - 1, -1, -1):
            alike = likeness(a[i], b[j])
            row[j] = max(below[j], row[j + 1], alike and below[j + 1] + alike)
    found = []
    i = j = 0
    while i < len(a) and j < len(b):
        alike = likeness(a[i], b[j])
        if alike and best[i][j] == best[i + 1][j + 1] + alike:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def likeness(a: Entry, b: Entry) -> int:
    """Return how alike two calls are; 0: they have nothing to do with each other."""
    both_sync = a.family in _SYNCS and b.family in _SYNCS
    unnamed = UNKNOWN in {a.call, b.call}
    if a.family != b.family and not both_sync and not unnamed:
        return 0
    if a.path != b.path and (a.call != b.call or unnamed):
        return 0
    return (
        4
        + 2 * (a.call == b.call)
        + 3 * (a.path == b.path)
        + 2 * (a.offset == b.offset)
        + (a.length == b.length)
        + (a.flags == b.flags)
        + (a.opened == b.opened)
    )
