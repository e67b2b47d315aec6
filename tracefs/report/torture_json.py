"""Runs with faults as JSON Lines: one object a run, in the order of the plan."""

from collections.abc import Iterator

from msgspec import Struct

from tracefs.report.jsonline import line
from tracefs.report.torture import again
from tracefs.tortures import Report, Result, Row, Target


class StrikeRecord(Struct, frozen=True, kw_only=True):
    """A fault and its call."""

    fault: str
    rule: str
    """As ``tracefs run --inject`` takes it."""
    target: Target


class RunRecord(Struct, frozen=True, kw_only=True):
    """One run; the fields in the order in which they are printed."""

    outcome: str
    strikes: tuple[StrikeRecord, ...]
    exit: str
    result: Result
    again: str
    """Command for a shell that makes the run once more."""


def lines(report: Report) -> Iterator[str]:
    """Yield a line of JSON for each run."""
    for row in report.rows:
        yield line(record(report, row))


def record(report: Report, row: Row) -> RunRecord:
    """Return what there is to say of *row*."""
    return RunRecord(
        outcome=str(row.result.outcome),
        strikes=tuple(
            StrikeRecord(fault=one.fault, rule=one.rule.text, target=one.target)
            for one in row.trial.strikes
        ),
        exit=row.result.exit,
        result=row.result,
        again=again(report, row),
    )
