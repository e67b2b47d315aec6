"""Why two lists of calls are not equal, for people: what pytest shows of a failed assertion."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, TypeGuard

from msgspec import Struct

from tracefs.api.alignment import Row, align
from tracefs.api.call import Call
from tracefs.api.hints import hints
from tracefs.report.pages import pages_of

MOST_HINTS: Final = 2
WIDEST: Final = 60
"""Characters of a column; what is longer is cut."""
AROUND: Final = 1
"""Rows of the short table before the first difference."""
SHORT: Final = 3
"""Rows of the short table."""
MOST_ROWS: Final = 200
"""Rows of the long table."""


class Explanation(Struct, frozen=True, kw_only=True):
    """What is said of two lists."""

    counts: str
    first: str
    """The first difference."""
    hints: tuple[str, ...]
    short: tuple[str, ...]
    """The table around the first difference."""
    table: tuple[str, ...]

    @property
    def is_cut(self) -> bool:
        """Whether the short table lacks something."""
        return self.short != self.table

    def lines(self, *, whole: bool) -> list[str]:
        """Return what pytest prints; not *whole*: so short that it cuts nothing off."""
        said = [f"hint: {hint}" for hint in self.hints]
        return [self.counts, self.first, *said, *(self.table if whole else self.short)]


def explain(left: object, right: object) -> Explanation | None:
    """Return why two lists of calls differ; None: they are none, or don't."""
    if not (_is_list(left) and _is_list(right)) or not (left or right):
        return None
    expected, seen = (left, right) if _is_seen(right, left) else (right, left)
    rows = align(expected, seen)
    place = next((place for place, row in enumerate(rows) if not row.equal), None)
    if place is None:
        return None
    return Explanation(
        counts=f"calls seen ({len(seen)}) == calls expected ({len(expected)})",
        first=_first(rows, place),
        hints=tuple(islice(hints(rows), MOST_HINTS)),
        short=tuple(_table(rows, max(0, place - AROUND), SHORT)),
        table=tuple(_table(rows, max(0, place - MOST_ROWS // 2), MOST_ROWS)),
    )


def _is_list(value: object) -> TypeGuard[Sequence[Call]]:
    return isinstance(value, list | tuple) and all(isinstance(each, Call) for each in value)


def _is_seen(one: Sequence[Call], other: Sequence[Call]) -> bool:
    """Tell whether *one* was recorded and *other* written down."""
    recorded = [any(call.index is not None for call in each) for each in (one, other)]
    if recorded[0] != recorded[1]:
        return recorded[0]
    # What was written down is not empty, so that what is was recorded.
    return not one and bool(other)


def _first(rows: Sequence[Row], place: int) -> str:
    index = sum(row.expected is not None for row in rows[:place])
    expected = next((row.expected for row in rows[place:] if row.expected is not None), None)
    seen = next((row.seen for row in rows[place:] if row.seen is not None), None)
    wanted = "no more calls" if expected is None else repr(expected)
    got = "none" if seen is None else f"{seen!r}{_remark(seen)}"
    return f"call {index}: expected {wanted}, saw {got}"


def _table(rows: Sequence[Row], start: int, most: int) -> Iterator[str]:
    shown = rows[start : start + most]
    left = [_cut(repr(row.expected)) if row.expected is not None else "" for row in shown]
    width = max(len("expected"), *map(len, left))
    yield f"    {'expected':<{width}}  seen"
    if start:
        yield f"    ... {start} before"
    for row, text in zip(shown, left, strict=True):
        seen = "" if row.seen is None else f"{_cut(repr(row.seen))}{_remark(row.seen)}"
        yield f"{_mark(row)}   {text:<{width}}  {seen}".rstrip()
    if len(rows) > start + most:
        yield f"    ... {len(rows) - start - most} more"


def _mark(row: Row) -> str:
    if row.equal:
        return " "
    if row.seen is None:
        return "-"
    return "+" if row.expected is None else "!"


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _remark(call: Call) -> str:
    said = []
    if call.family == "write" and isinstance(call.offset, int) and isinstance(call.length, int):
        said.append(str(pages_of(call.offset, call.length, call.page_size)))
    if call.source is not None:
        said.append(call.source)
    return f"  # {', '.join(said)}" if said else ""
