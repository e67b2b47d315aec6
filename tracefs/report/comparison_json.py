"""A comparison as one JSON object: the output of ``tracefs diff --json``."""

from collections.abc import Iterator

from msgspec import Struct

from tracefs.golden.compare import Comparison, Kind, Lane
from tracefs.golden.entry import Entry, Golden, changed
from tracefs.report.comparison import first_sentence
from tracefs.report.jsonline import line


class SideRecord(Struct, frozen=True, kw_only=True):
    """One of the two runs."""

    name: str
    calls: int
    unknown_calls: int
    witness: str
    page_size: int
    incomplete_because: str | None


class DifferenceRecord(Struct, frozen=True, kw_only=True):
    """One difference."""

    kind: str
    """changed, missing (in B) or extra (in B alone)."""
    moved: bool
    """The same call is at another place."""
    fields: tuple[str, ...]
    """What is otherwise in a changed call; ``unknown``: one of the two has no name."""
    message: str
    thread: str | None
    """null: the order of the whole run was compared."""
    index_a: int | None
    index_b: int | None
    a: Entry | None
    b: Entry | None


class ComparisonRecord(Struct, frozen=True, kw_only=True):
    """The answer."""

    outcome: str
    order: str
    undecided: tuple[str, ...]
    a: SideRecord
    b: SideRecord
    differences: tuple[DifferenceRecord, ...]


def comparison_line(found: Comparison, name_a: str, name_b: str) -> str:
    """Return *found* as one line of JSON."""
    size = found.a.page_size
    return line(
        ComparisonRecord(
            outcome=found.outcome,
            order=found.order,
            undecided=found.undecided,
            a=_side(found.a, name_a),
            b=_side(found.b, name_b),
            differences=tuple(one for lane in found.lanes for one in _differences(lane, size)),
        )
    )


def _side(golden: Golden, name: str) -> SideRecord:
    return SideRecord(
        name=name,
        calls=len(golden.entries),
        unknown_calls=golden.unknown,
        witness=golden.witness,
        page_size=golden.page_size,
        incomplete_because=golden.incomplete,
    )


def _differences(lane: Lane, page_size: int) -> Iterator[DifferenceRecord]:
    for step in lane.steps:
        if step.kind is Kind.SAME:
            continue
        a = None if step.kind is Kind.EXTRA else lane.a[step.a]
        b = None if step.kind is Kind.MISSING else lane.b[step.b]
        yield DifferenceRecord(
            kind=step.kind,
            moved=step.moved,
            fields=() if a is None or b is None else changed(a, b),
            message=first_sentence(step, lane, page_size),
            thread=lane.name,
            index_a=None if a is None else lane.at_a[step.a],
            index_b=None if b is None else lane.at_b[step.b],
            a=a,
            b=b,
        )
