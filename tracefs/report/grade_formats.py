"""All submissions in the formats that other programs read."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tracefs.findings import CheckResult, Verdict
from tracefs.grades import Attempt
from tracefs.report.cases import Case, cases
from tracefs.report.grades import earned, grades, possible_points
from tracefs.report.gradescope import rests_on, results
from tracefs.report.jsonline import line
from tracefs.report.junit import Suite, document
from tracefs.report.points import Points
from tracefs.report.quote import printable

RAN: Final = "ran"
"""The case before all contracts: it was built, and its command ended with 0."""

_FORMULA: Final = ("=", "+", "-", "@")
"""What a cell begins with that a spreadsheet would compute."""


class GradeRecord(Struct, frozen=True, kw_only=True):
    """One submission in JSON; null: not known, or not graded."""

    submission: str
    ran: str
    status: int | None
    reason: str | None
    verdict: Verdict
    earned: float | None
    possible: float | None
    recording: str | None
    result: CheckResult | None
    """As ``tracefs check --json`` has it."""


class GradesRecord(Struct, frozen=True, kw_only=True):
    """All of them in JSON."""

    submissions: tuple[GradeRecord, ...]


def grades_json(attempts: Sequence[Attempt]) -> str:
    """Return *attempts* as one line of JSON."""
    found = zip(attempts, grades(attempts), strict=True)
    records = (
        GradeRecord(
            submission=attempt.submission,
            ran=row.ran,
            status=attempt.status,
            reason=attempt.reason,
            verdict=row.verdict,
            earned=None if row.points is None else row.points.earned,
            possible=None if row.points is None else row.points.possible,
            recording=attempt.recording,
            result=attempt.result,
        )
        for attempt, row in found
    )
    return line(GradesRecord(submissions=tuple(records))) + "\n"


def grades_csv(attempts: Sequence[Attempt]) -> str:
    """Return *attempts* as comma-separated values (RFC 4180), which spreadsheets take as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("submission", "ran", "verdict", "earned", "possible", "first finding", "recording")
    )
    for attempt, row in zip(attempts, grades(attempts), strict=True):
        points = ("", "") if row.points is None else (row.points.earned, row.points.possible)
        recording = "" if attempt.recording is None else _cell(printable(attempt.recording))
        writer.writerow(
            (_cell(row.submission), row.ran, row.verdict, *points, _cell(row.first), recording)
        )
    return text.getvalue()


def grades_junit(attempts: Sequence[Attempt]) -> str:
    """Return *attempts* as JUnit XML, a test suite each."""
    return document(
        Suite(name=attempt.submission, cases=tuple(_cases(attempt, attempts)))
        for attempt in attempts
    )


def grades_gradescope(attempts: Sequence[Attempt]) -> str:
    """Return one JSON object: by submission, what belongs in its ``results.json``.

    Each has the same points to earn. Where nothing carries points each contract is worth one.
    """
    ungraded = possible_points(attempts) is None
    judged = (attempt.result for attempt in attempts if attempt.result is not None)
    contracts = next((len(result.contracts) for result in judged), 1)
    return (
        line(
            {
                printable(attempt.submission): results(
                    tuple(
                        _worth_one(case, attempt, contracts) if ungraded else case
                        for case in _cases(attempt, attempts)
                    ),
                    "" if attempt.result is None else rests_on(attempt.result),
                )
                for attempt in attempts
            }
        )
        + "\n"
    )


def _worth_one(case: Case, attempt: Attempt, contracts: int) -> Case:
    """Return *case* with points: a contract's is one, and all are lost where none was judged."""
    if case.contract == RAN:
        lost = Points(earned=0.0, possible=float(contracts))
        return msgspec.structs.replace(case, points=None if attempt.result else lost)
    one = Points(earned=float(case.verdict is Verdict.KEPT), possible=1.0)
    return msgspec.structs.replace(case, points=one)


def _cases(attempt: Attempt, attempts: Sequence[Attempt]) -> Iterator[Case]:
    """Yield whether *attempt* ran, and what its recording says as far as that counts."""
    judged = [] if attempt.result is None else list(cases(attempt.result))
    # Without a result nobody says which contract has which points: they are all lost here.
    lost = None if judged else earned(attempt, possible_points(attempts))
    yield _ran(attempt, lost)
    for case in judged:
        yield case if attempt.ran else _withheld(case, attempt)


def _ran(attempt: Attempt, lost: Points | None) -> Case:
    return Case(
        contract=RAN,
        rule=None,
        verdict=Verdict.KEPT if attempt.ran else Verdict.UNKNOWN,
        reason=attempt.reason,
        findings=(),
        unlisted=0,
        advice=(),
        points=lost,
        help=None,
    )


def _withheld(case: Case, attempt: Attempt) -> Case:
    """Return *case* of a command that did not run to its end: not kept, and worth nothing."""
    points = None if case.points is None else Points(earned=0.0, possible=case.points.possible)
    broken = case.verdict is Verdict.BROKEN and attempt.verdict is Verdict.BROKEN
    return msgspec.structs.replace(
        case,
        verdict=Verdict.BROKEN if broken else Verdict.UNKNOWN,
        reason=attempt.reason,
        points=points,
    )


def _cell(text: str) -> str:
    """Return *text* so that a spreadsheet shows it and does not compute it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
