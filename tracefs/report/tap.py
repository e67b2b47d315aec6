r"""Verdicts as TAP 14 (testanything.org): one line for each contract and each graded rule.

What can't be told is ``not ok``. No directive is used: ``# SKIP`` and ``# TODO`` count as passed.
So that no name can be one, a ``#`` in a name is written ``\x23``, which older readers that know no
escapes take right, too.
"""

from collections.abc import Iterator
from typing import Final

from tracefs.findings import CheckResult, Verdict
from tracefs.report import finding as words
from tracefs.report.cases import Case, cases, headline, help_lines
from tracefs.report.frame import calls, completeness
from tracefs.report.jsonline import line as json
from tracefs.report.points import number
from tracefs.report.quote import printable

_INDENT: Final = "  "


def tap(result: CheckResult) -> str:
    """Return *result* as one TAP document."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: CheckResult) -> Iterator[str]:
    found = list(cases(result))
    yield "TAP version 14"
    yield f"1..{len(found)}"
    for place, case in enumerate(found, 1):
        ok = "ok" if case.verdict is Verdict.KEPT else "not ok"
        yield f"{ok} {place} - {_description(case.name)}"
        yield from (f"{_INDENT}{line}" for line in _diagnostics(case))
        for finding in case.advice:
            yield from (f"# {line}" for line in words.lines(finding))
    yield f"# rests on: {calls(result.trace)}, recording {completeness(result.trace)}"


def _description(name: str) -> str:
    return printable(name, also="#").replace("\\", "\\\\")


def _diagnostics(case: Case) -> Iterator[str]:
    """Yield a YAML block; its scalars are JSON, which YAML takes as it is."""
    if case.verdict is Verdict.KEPT and case.points is None:
        return
    yield "---"
    yield f"verdict: {case.verdict}"
    if case.points is not None:
        yield f"points: {number(case.points.earned)}"
        yield f"possible: {number(case.points.possible)}"
    if case.verdict is not Verdict.KEPT:
        yield f"message: {json(headline(case))}"
        if case.findings:
            yield "findings:"
        for finding in case.findings:
            yield f"  - rule: {json(printable(finding.rule))}"
            yield f"    verdict: {finding.verdict}"
            yield f"    at: {json(', '.join(words.place(finding)))}"
            yield f"    message: {json(printable(finding.message))}"
            yield f"    repair: {json(printable(finding.repair))}"
        if case.unlisted:
            yield f"unlisted: {case.unlisted}"
        if case.help:
            yield "help:"
            yield from (f"  - {json(line)}" for line in help_lines(case.help))
    yield "..."
