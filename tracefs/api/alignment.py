"""Two lists of calls side by side, so that what is missing or too much stands alone."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tracefs.api.call import Call

LONGEST: Final = 200
"""Calls of either list, between their like beginnings and endings, that are compared each with
each; of more, those at the same place are."""

_GAP: Final = 2.0
_CHANGED: Final = 2.5
_UNLIKE: Final = 4.5
"""More than a gap in either list."""


class Row(NamedTuple):
    """One line of the comparison; None: nothing stands there."""

    expected: Call | None
    seen: Call | None

    @property
    def equal(self) -> bool:
        """Whether both are there, and equal."""
        return self.expected is not None and self.expected == self.seen


def align(expected: Sequence[Call], seen: Sequence[Call]) -> list[Row]:
    """Return rows in order; each call stands in one."""
    start = 0
    while start < min(len(expected), len(seen)) and expected[start] == seen[start]:
        start += 1
    stop = 0
    while stop < min(len(expected), len(seen)) - start and expected[-1 - stop] == seen[-1 - stop]:
        stop += 1
    head = list(map(Row, expected[:start], seen[:start]))
    tail = list(map(Row, expected[len(expected) - stop :], seen[len(seen) - stop :]))
    middle = expected[start : len(expected) - stop], seen[start : len(seen) - stop]
    return [*head, *_middle(*middle), *tail]


def _middle(expected: Sequence[Call], seen: Sequence[Call]) -> list[Row]:
    if max(len(expected), len(seen)) > LONGEST:
        both = list(map(Row, expected, seen))
        return [
            *both,
            *(Row(call, None) for call in expected[len(both) :]),
            *(Row(None, call) for call in seen[len(both) :]),
        ]
    return _cheapest(expected, seen)


def _cheapest(expected: Sequence[Call], seen: Sequence[Call]) -> list[Row]:
    """Align as Needleman and Wunsch do; cost[i][j] is that of the lists from i and j on."""
    rows, columns = len(expected), len(seen)
    cost = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            if i < rows and j < columns:
                cost[i][j] = min(
                    _difference(expected[i], seen[j]) + cost[i + 1][j + 1],
                    _GAP + cost[i + 1][j],
                    _GAP + cost[i][j + 1],
                )
            else:
                cost[i][j] = _GAP * (rows - i + columns - j)
    found: list[Row] = []
    i = j = 0
    while i < rows and j < columns:
        if cost[i][j] == _difference(expected[i], seen[j]) + cost[i + 1][j + 1]:
            found.append(Row(expected[i], seen[j]))
            i, j = i + 1, j + 1
        elif cost[i][j] == _GAP + cost[i][j + 1]:
            # What is too much comes first: it is often the rest of a write that was split.
            found.append(Row(None, seen[j]))
            j += 1
        else:
            found.append(Row(expected[i], None))
            i += 1
    found += [Row(call, None) for call in expected[i:]]
    found += [Row(None, call) for call in seen[j:]]
    return found


def _difference(one: Call, other: Call) -> float:
    if one == other:
        return 0.0
    return _CHANGED if one.family == other.family else _UNLIKE
