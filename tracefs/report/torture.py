"""Runs with faults as a table: what did not pass first, and what all of it comes to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tracefs.report.quote import printable
from tracefs.report.shell import shell_line
from tracefs.report.style import PLAIN, Style
from tracefs.tortures import Checked, Outcome, Report, Row

_COLUMNS: Final = ("result", "fault", "call", "exit", "contracts", "check", "again")
_COLOURS: Final = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.HUNG: "red",
    Outcome.UNKNOWN: "yellow",
}
_ORDER: Final = (Outcome.FAILED, Outcome.HUNG, Outcome.UNKNOWN, Outcome.PASSED)


def table(report: Report, *, passed: bool = False, style: Style = PLAIN) -> Iterator[str]:
    """Yield lines: a row for each run that did not pass, and with *passed* for all, and the sum.

    Below a row stands why it did not pass.
    """
    rows = [row for row in in_order(report.rows) if passed or not _has_passed(row)]
    if rows:
        yield from _rows(report, rows, style)
        yield ""
    if not passed and len(rows) < len(report.rows):
        yield _passed(row for row in report.rows if _has_passed(row))
    yield counted(row.result.outcome for row in report.rows)
    coverage = report.coverage
    if coverage.chosen < coverage.possible:
        yield (
            f"chosen from {coverage.possible} by --seed {coverage.seed}: "
            f"{coverage.possible - coverage.chosen} were not tried"
        )
    left = coverage.chosen - len(report.rows)
    if left:
        yield f"not finished: {left} {'run is' if left == 1 else 'runs are'} left"
    yield from map(printable, report.remarks)
    if rows:
        where = printable(report.directory)
        yield f"note: tracefs run works in {where} itself, not in a copy"


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return *rows*, the gravest first, else as they were."""
    return sorted(rows, key=lambda row: _ORDER.index(row.result.outcome))


def counted(outcomes: Iterable[Outcome]) -> str:
    """Return ``293 runs: 290 passed, 3 failed, 0 hung, 0 unknown``."""
    counts = Counter(outcomes)
    total = sum(counts.values())
    parts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    return f"{total} {'run' if total == 1 else 'runs'}: {parts}"


def again(report: Report, row: Row) -> str:
    """Return the command that makes the run of *row* once more, for a shell."""
    words = ["tracefs", "run"]
    for strike in row.trial.strikes:
        words += ["--inject", strike.rule.text]
    if report.directory != ".":
        words += ["--dir", report.directory]
    for contract in row.result.judged_by:
        words += ["--contract", contract]
    return shell_line([*words, "--", *report.command])


def called(row: Row) -> str:
    """Return the calls that are struck, ``7 fdatasync(3<pages.db>)``."""
    return ", then ".join(
        f"{strike.target.index} {strike.target.shown}" for strike in row.trial.strikes
    )


def faults(row: Row) -> str:
    """Return the faults, ``EIO`` or ``EIO+ENOSPC``."""
    return "+".join(strike.fault for strike in row.trial.strikes)


def reasons(row: Row) -> Iterator[str]:
    """Yield why a run did not pass."""
    result = row.result
    if result.reason is not None:
        yield printable(result.reason)
    if result.unjudged:
        yield "it ended with 0 in spite of the fault, and no --check says whether that is right"
    if result.finding is not None:
        yield printable(result.finding)
    if result.checked not in {Checked.GOOD, Checked.NOT_ASKED} and result.said:
        yield f"check: {printable(result.said)}"
    if result.printed is not None:
        yield f"printed: {printable(result.printed)}"
    if result.recording is not None:
        yield f"kept in {printable(result.recording)}"


def _rows(report: Report, rows: Sequence[Row], style: Style) -> Iterator[str]:
    cells = [_COLUMNS, *(_cells(report, row) for row in rows)]
    # The last one is as long as it likes.
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)][:-1]
    lines = ["  ".join([*map(str.ljust, line, widths), line[-1]]) for line in cells]
    yield style.paint(lines[0], "bold")
    for row, line in zip(rows, lines[1:], strict=True):
        outcome = row.result.outcome
        width = len(outcome)
        yield style.paint(line[:width], _COLOURS[outcome]) + line[width:]
        if outcome is not Outcome.PASSED:
            yield from (f"    {reason}" for reason in reasons(row))


def _cells(report: Report, row: Row) -> tuple[str, ...]:
    result = row.result
    contracts = "-" if result.contracts is None else str(result.contracts)
    checked = "-" if result.checked is Checked.NOT_ASKED else str(result.checked)
    return (
        str(result.outcome), faults(row), called(row), result.exit, contracts, checked,
        again(report, row),
    )  # fmt: skip


def _has_passed(row: Row) -> bool:
    return row.result.outcome is Outcome.PASSED


def _passed(rows: Iterable[Row]) -> str:
    counts = Counter(faults(row) for row in rows)
    return f"passed: {', '.join(f'{count} {fault}' for fault, count in counts.items())}"
