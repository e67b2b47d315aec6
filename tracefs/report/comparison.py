"""Two runs compared, as text: the answer, the differences among calls, what each kind means."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tracefs.golden.compare import Comparison, Kind, Lane, Order, Outcome, Step
from tracefs.golden.entry import GUESSED, UNKNOWN, Entry, changed
from tracefs.report.entry_text import columns, named, sentence, where
from tracefs.report.frame import plural
from tracefs.report.pages import pages_of
from tracefs.report.quote import printable
from tracefs.report.style import PLAIN, Style

SHOWN: Final = 20
"""Differences that are shown with the calls around them, unless all are asked for."""
CONTEXT: Final = 3
_FOLDED: Final = 3
"""Rows from which on a run of the same call is one row."""

_COLOURS: Final = {Outcome.EQUAL: "green", Outcome.DIFFERENT: "red", Outcome.UNKNOWN: "yellow"}
_MEANING: Final = {
    "call": "another system call did the work",
    "path": "on another file",
    "opened": "through another open of the file",
    "target": "with another second name",
    "flags": "with other flags",
    "offset": "at another place of the file",
    "length": "with another length",
    "created": "the file was there before in one of the two: begin each run in the same directory",
    "synced_by": "made synchronous in another way",
    "errno": "with another end",
    "result": "with another result",
    GUESSED: "but its name was seen in one of the two alone, so that it may be the same",
    UNKNOWN: "one of the two has no name, so that they may be the same call",
}
_SYNCING: Final = frozenset({"sync", "syncdir", "syncfs"})


class Row(NamedTuple):
    """One line of the table."""

    mark: str
    """``-`` in A alone, ``+`` in B alone, blank in both."""
    a: str
    b: str
    cells: tuple[str, str, str, str]


class ComparisonText(Struct, frozen=True, kw_only=True):
    """How to write a comparison as text."""

    name_a: str
    name_b: str
    context: int = CONTEXT
    shown: int | None = SHOWN
    """None: all."""
    style: Style = PLAIN

    def render(self, found: Comparison) -> Iterator[str]:
        """Yield the lines."""
        yield self._answer(found)
        yield f"  A: {printable(self.name_a)}, {plural(len(found.a.entries), 'call')}"
        yield f"  B: {printable(self.name_b)}, {plural(len(found.b.entries), 'call')}"
        for why in found.undecided:
            yield f"  undecided: {printable(why)}"
        if found.order is Order.THREAD and found.differences:
            yield "  compared thread by thread: the order between threads differs"
        left = found.differences if self.shown is None else self.shown
        for lane in found.lanes:
            if lane.differences and left > 0:
                yield from self._lane(lane, found, left)
                left -= lane.differences
        if left < 0:
            yield f"... and {plural(-left, 'difference')} more (--all shows them)"
        if found.differences:
            yield ""
            yield from summary(found)

    def _answer(self, found: Comparison) -> str:
        answer = self.style.paint(str(found.outcome), _COLOURS[found.outcome])
        if not found.differences:
            if not found.a.entries:
                return f"{answer}: no calls"
            seen = "" if found.outcome is Outcome.EQUAL else "as far as can be told, "
            return f"{answer}: {seen}the same calls{_in_order(found)}"
        lane = next(lane for lane in found.lanes if lane.differences)
        step = next(step for step in lane.steps if step.kind is not Kind.SAME)
        where = "" if lane.name is None else f"thread {lane.name}, "
        first = f"{where}{_place(step, lane)}: {first_sentence(step, lane, found.a.page_size)}"
        certain = ", none certain" if found.outcome is Outcome.UNKNOWN else ""
        return f"{answer}: {plural(found.differences, 'difference')}{certain}; the first at {first}"

    def _lane(self, lane: Lane, found: Comparison, most: int) -> Iterator[str]:
        for hunk in _hunks(lane.steps, self.context, most):
            rows = list(_rows(hunk, lane, found.a.page_size))
            widths = [max(len(row.cells[i]) for row in rows) for i in range(4)]
            width_a = max(len(row.a) for row in rows)
            width_b = max(len(row.b) for row in rows)
            yield ""
            title = "" if lane.name is None else f"  thread {lane.name}"
            yield self.style.paint(f"  {'A':>{width_a}} {'B':>{width_b}}{title}", "dim")
            for row in rows:
                cells = "  ".join(
                    f"{cell:<{width}}" for cell, width in zip(row.cells, widths, strict=True)
                ).rstrip()
                line = f"{row.mark} {row.a:>{width_a}} {row.b:>{width_b}}  {cells}"
                colour = {"-": "red", "+": "green"}.get(row.mark)
                yield line if colour is None else self.style.paint(line, colour)


def _in_order(found: Comparison) -> str:
    return {
        Order.WHOLE: " in the same order",
        Order.THREAD: " in each thread; the order between threads differs",
        Order.NONE: "; their order was not compared",
        Order.EITHER: "",
    }[found.order]


def _place(step: Step, lane: Lane) -> str:
    a = f"call {lane.at_a[step.a]} of A" if step.kind is not Kind.EXTRA else ""
    b = f"call {lane.at_b[step.b]} of B" if step.kind is not Kind.MISSING else ""
    return ", ".join(part for part in (a, b) if part)


def first_sentence(step: Step, lane: Lane, page_size: int) -> str:
    """Return what is otherwise in *step*, in one sentence."""
    if step.kind is Kind.CHANGED:
        a, b = lane.a[step.a], lane.b[step.b]
        said = "; ".join(sentence(field, a, b, page_size) for field in changed(a, b))
        return f"{named(a, page_size)}: {said}"
    entry = lane.a[step.a] if step.kind is Kind.MISSING else lane.b[step.b]
    one, other = ("A", "B") if step.kind is Kind.MISSING else ("B", "A")
    name = f"{named(entry, page_size)}{_behind(step, lane, page_size)}"
    return f"{name} is at another place in {other}" if step.moved else f"{name} is in {one} alone"


def _behind(step: Step, lane: Lane, page_size: int) -> str:
    """Return which write stands right before a sync, whose own line doesn't tell what it syncs."""
    calls, at = (lane.a, step.a) if step.kind is Kind.MISSING else (lane.b, step.b)
    if calls[at].family not in _SYNCING or not at or calls[at - 1].family != "write":
        return ""
    before = calls[at - 1]
    pages = where(before, page_size)
    return f", after {before.call}{f' of {pages}' if pages else ''},"


def summary(found: Comparison) -> Iterator[str]:
    """Yield one line for each kind of difference: how often, what it means, the first of them."""
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    for lane in found.lanes:
        for step in lane.steps:
            for kind, said in _kinds(step, lane, found.a.page_size):
                counts[kind] = counts.get(kind, 0) + step.length
                first.setdefault(kind, said)
    for kind, times in counts.items():
        yield f"{plural(times, 'call')} {kind}: {first[kind]}"


def _kinds(step: Step, lane: Lane, page_size: int) -> Iterator[tuple[str, str]]:
    if step.kind is Kind.CHANGED:
        a, b = lane.a[step.a], lane.b[step.b]
        for field in changed(a, b):
            said = sentence(field, a, b, page_size)
            yield f"changed, {_MEANING[field]}", f"{named(a, page_size)}: {said}"
    elif step.kind is not Kind.SAME:
        entry = lane.a[step.a] if step.kind is Kind.MISSING else lane.b[step.b]
        kind = "missing in B" if step.kind is Kind.MISSING else "in B alone"
        if step.moved:
            kind = "moved, the same at another place"
        elif step.kind is Kind.MISSING and entry.family in _SYNCING:
            kind += ", so that what was written before may be lost in a power failure"
        yield kind, f"the first is {named(entry, page_size)}"


def _hunks(steps: tuple[Step, ...], context: int, most: int) -> Iterator[list[Step]]:
    """Yield runs of steps with *most* differences in all, and *context* calls around each."""
    hunk: list[Step] = []
    differences = 0
    for step in steps:
        if step.kind is not Kind.SAME:
            if differences == most:
                break
            differences += 1
            hunk.append(step)
            continue
        has_difference = any(one.kind is not Kind.SAME for one in hunk)
        if has_difference and step.length <= 2 * context:
            hunk.append(step)
            continue
        if has_difference:
            yield [*hunk, step._replace(length=min(context, step.length))]
        kept = min(context, step.length)
        skipped = step.length - kept
        hunk = [Step(Kind.SAME, step.a + skipped, step.b + skipped, kept)] if kept else []
    if any(one.kind is not Kind.SAME for one in hunk):
        yield hunk


def _rows(hunk: list[Step], lane: Lane, page_size: int) -> Iterator[Row]:
    run: list[tuple[str, int | None, int | None, Entry]] = []
    for cell in _cells(hunk, lane):
        if run and not _continues(run, cell):
            yield from _folded(run, page_size)
            run = []
        run.append(cell)
    yield from _folded(run, page_size)


def _cells(hunk: list[Step], lane: Lane) -> Iterator[tuple[str, int | None, int | None, Entry]]:
    for step in hunk:
        for n in range(step.length):
            a, b = step.a + n, step.b + n
            if step.kind is Kind.SAME:
                yield " ", lane.at_a[a], lane.at_b[b], lane.a[a]
                continue
            if step.kind is not Kind.EXTRA:
                yield "-", lane.at_a[a], None, lane.a[a]
            if step.kind is not Kind.MISSING:
                yield "+", None, lane.at_b[b], lane.b[b]


def _continues(
    run: list[tuple[str, int | None, int | None, Entry]],
    cell: tuple[str, int | None, int | None, Entry],
) -> bool:
    """Tell whether *cell* is the same call again, on the bytes that follow."""
    mark, _, _, entry = cell
    last_mark, _, _, last = run[-1]
    if mark != last_mark or entry.family != last.family or entry.call == UNKNOWN:
        return False
    if entry.offset is None or last.offset is None or not last.length:
        return entry == replace(last, thread=entry.thread)
    after = replace(last, offset=last.offset + last.length, thread=entry.thread)
    return entry == after


def _folded(run: list[tuple[str, int | None, int | None, Entry]], page_size: int) -> Iterator[Row]:
    if len(run) < _FOLDED:
        for mark, a, b, entry in run:
            yield Row(mark, _number(a), _number(b), columns(entry, page_size))
        return
    (mark, first_a, first_b, entry), (_, last_a, last_b, last) = run[0], run[-1]
    name, path, arguments, result = columns(entry, page_size)
    if entry.offset is not None and last.offset is not None and entry.length:
        span = last.offset + entry.length - entry.offset
        pages = f", {pages_of(entry.offset, span, page_size)}" if entry.family == "write" else ""
        arguments = f"{entry.length} bytes each from {entry.offset}{pages}"
    times = f"{len(run)} times"
    arguments = f"{arguments}, {times}" if arguments else times
    yield Row(mark, _span(first_a, last_a), _span(first_b, last_b), (name, path, arguments, result))


def _number(place: int | None) -> str:
    return "" if place is None else str(place)


def _span(first: int | None, last: int | None) -> str:
    return "" if first is None else f"{first}-{last}"
