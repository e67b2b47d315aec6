"""The two tables of a recording, read by portions: its calls, and the releases between them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from tracefs.index.table import COLUMNS, call_of
from tracefs.trace.call import Released, TraceItem

if TYPE_CHECKING:
    import duckdb

_BATCH: Final = 4096
_CALL: Final = ", ".join("[]" if name == "stack" else f'"{name}"' for name in COLUMNS)
"""All columns; a stack takes long to read, and no rule asks about it."""
_INDEX: Final = list(COLUMNS).index("index")
PORTION: Final = 1_000_000
"""Calls that are looked at together; all of DuckDB's memory is for them."""
_FAR: Final = 50_000
"""Calls between two others that are better not read; a group of rows in the table has fewer."""
_MOST: Final = 200
"""Ranges in one query."""

Lines = tuple[int, int]
"""The first and the last of calls that follow each other, by their index."""


class Tables:
    """The tables of one recording: the views ``stored`` (calls) and ``releases``."""

    def __init__(self, database: "duckdb.DuckDBPyConnection") -> None:
        self.database = database

    def portions(self) -> Iterator[Lines]:
        """Yield portions that make up the trace: what came before the last call of each."""
        [(last,)] = self.database.execute('SELECT max("index") FROM stored').fetchall()
        # What was released behind the last call came before one that there is not.
        beyond = 0 if last is None else last + 1
        for first in range(0, beyond + 1, PORTION):
            yield first, min(first + PORTION - 1, beyond)

    def items(self, portion: Lines, without: Sequence[Lines] = ()) -> Iterator[TraceItem]:
        """Yield calls and releases of *portion* in order.

        Args:
            portion: one of `portions`.
            without: calls to leave out, in order, each with what was released from behind its first
                to behind its last.
        """
        kept = _others(portion, without)
        behind = _others(portion, [(first + 1, last + 1) for first, last in without])
        waiting = self._rows("before, handle, ino, end_ns", "releases", "before", behind)
        release = next(waiting, None)
        for row in self._rows(_CALL, "stored", '"index"', kept):
            while release is not None and release[0] <= row[_INDEX]:
                yield _released(release)
                release = next(waiting, None)
            yield call_of(row)
        if release is not None:
            yield _released(release)
        yield from map(_released, waiting)

    def _rows(
        self, columns: str, view: str, key: str, wanted: Iterable[Lines]
    ) -> Iterator[tuple[Any, ...]]:
        for ranges in _near(wanted):
            first, last = ranges[0][0], ranges[-1][1]
            any_of = " OR ".join(f"{key} BETWEEN {low} AND {high}" for low, high in ranges)
            # A cursor: both views are read at once.
            found = self.database.cursor().execute(
                f"SELECT {columns} FROM {view} "  # noqa: S608  # our own words, and numbers
                f"WHERE {key} BETWEEN {first} AND {last} AND ({any_of}) ORDER BY {key}"
            )
            while rows := found.fetchmany(_BATCH):
                yield from rows


def _others(portion: Lines, without: Iterable[Lines]) -> Iterator[Lines]:
    """Yield what is left of *portion* without some of its calls."""
    at, end = portion
    for first, last in without:
        if first > at:
            yield at, first - 1
        at = last + 1
    if at <= end:
        yield at, end


def _near(ranges: Iterable[Lines]) -> Iterator[list[Lines]]:
    """Yield *ranges* in groups that are worth to be read together."""
    group: list[Lines] = []
    for first, last in ranges:
        if group and (first - group[-1][1] > _FAR or len(group) == _MOST):
            yield group
            group = []
        group.append((first, last))
    if group:
        yield group


def _released(row: tuple[Any, ...]) -> Released:
    _, handle, ino, end_ns = row
    return Released(handle=handle, ino=ino, end_ns=end_ns)
