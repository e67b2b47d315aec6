"""Submissions side by side: what became of each, its verdict, its points, its first finding."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tracefs.findings import Verdict
from tracefs.grades import Attempt, Ending, signal_name
from tracefs.report import finding as words
from tracefs.report.points import Points, errors, number, total
from tracefs.report.quote import printable


class Grade(Struct, frozen=True, kw_only=True):
    """One row."""

    submission: str
    ran: str
    """``yes``, or what became of it instead."""
    verdict: Verdict
    points: Points | None
    """None: nothing is graded."""
    first: str
    """What is wrong, in short: what stood in the way, or the first finding; empty: nothing."""


def grades(attempts: Sequence[Attempt]) -> list[Grade]:
    """Return a row for each of *attempts*, in their order."""
    possible = possible_points(attempts)
    return [
        Grade(
            submission=printable(attempt.submission),
            ran=_ran(attempt),
            verdict=attempt.verdict,
            points=earned(attempt, possible),
            first=printable(_first(attempt)),
        )
        for attempt in attempts
    ]


def possible_points(attempts: Sequence[Attempt]) -> float | None:
    """Return what the contracts are worth, which they say of each submission that was judged."""
    for attempt in attempts:
        points = None if attempt.result is None else total(attempt.result)
        if points is not None:
            return points.possible
    return None


def earned(attempt: Attempt, possible: float | None) -> Points | None:
    """Return what *attempt* earns: nothing unless its command ran to its end with status 0."""
    points = None if attempt.result is None else total(attempt.result)
    if points is not None and attempt.ran:
        return points
    return None if possible is None else Points(earned=0.0, possible=possible)


def table(rows: Sequence[Grade]) -> Iterator[str]:
    """Yield a heading, a line for each row, and what they come to."""
    graded = any(row.points is not None for row in rows)
    cells = [
        ["submission", "ran", "verdict", *(["points"] if graded else []), "first finding"],
        *(_cells(row, graded=graded) for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()
    yield ""
    yield _sum(rows)


def _cells(row: Grade, *, graded: bool) -> list[str]:
    points = [] if not graded else ["" if row.points is None else str(row.points)]
    return [row.submission, row.ran, str(row.verdict), *points, row.first]


def _sum(rows: Sequence[Grade]) -> str:
    verdicts = Counter(row.verdict for row in rows)
    parts = [f"{verdicts[each]} {each}" for each in (Verdict.KEPT, Verdict.BROKEN, Verdict.UNKNOWN)]
    noun = "submission" if len(rows) == 1 else "submissions"
    text = f"{len(rows)} {noun}: {', '.join(parts)}"
    points = [row.points for row in rows if row.points is not None]
    if not points:
        return text
    got, could = sum(each.earned for each in points), sum(each.possible for each in points)
    return f"{text}; {number(got)} of {number(could)} points"


def _ran(attempt: Attempt) -> str:
    if attempt.ending is not Ending.ENDED:
        return str(attempt.ending)
    if attempt.status is not None and attempt.status > 128:
        return signal_name(attempt.status - 128)
    return "yes" if attempt.status == 0 else f"exit {attempt.status}"


def _first(attempt: Attempt) -> str:
    if attempt.reason is not None:
        return attempt.reason
    for contract in () if attempt.result is None else attempt.result.contracts:
        for finding in words.few(errors(contract)):
            where = "" if finding.call is not None else f": {finding.message}"
            return f"{words.heading(finding)}{where}"
    return "" if attempt.verdict is Verdict.KEPT else "The recording is incomplete."
