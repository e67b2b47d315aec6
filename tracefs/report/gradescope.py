"""Verdicts as Gradescope's ``results.json`` (its autograder specification, "Output format").

A contract or rule that carries points is a test with a score. What can't be told has ``failed``,
with no points and the reason. Where nothing carries points each contract is worth one, since
Gradescope takes no result without a score.

Every text is ``text``, the format in which Gradescope shows names and output as they are.
"""

from typing import Final

from msgspec import Struct

from tracefs.findings import CheckResult, Verdict
from tracefs.report import finding as words
from tracefs.report.cases import Case, cases, details
from tracefs.report.frame import calls, completeness
from tracefs.report.jsonline import line
from tracefs.report.points import Points

_PLAIN: Final = "text"


class GradedTest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of ``tests``."""

    name: str
    status: str
    """``passed`` or ``failed``."""
    output: str
    score: float | None = None
    max_score: float | None = None
    """Both None: it is shown, and counts nothing."""
    name_format: str = _PLAIN
    output_format: str = _PLAIN


class Results(Struct, frozen=True, kw_only=True):
    """The whole file."""

    score: float
    """Of all tests together; needed, since not each of them must have one."""
    output: str
    output_format: str
    tests: tuple[GradedTest, ...]


def gradescope(result: CheckResult) -> str:
    """Return *result* as one line of JSON, to be written to ``results.json``."""
    return line(results(tuple(cases(result)), rests_on(result))) + "\n"


def results(found: tuple[Case, ...], output: str) -> Results:
    """Return *found* as Gradescope's structure; *output* is said of the whole submission."""
    ungraded = all(case.points is None for case in found)
    tests = tuple(_test(case, ungraded=ungraded) for case in found)
    return Results(
        score=sum(test.score or 0.0 for test in tests),
        output=output,
        output_format=_PLAIN,
        tests=tests,
    )


def rests_on(result: CheckResult) -> str:
    """Return what the verdicts rest on."""
    return f"rests on: {calls(result.trace)}, recording {completeness(result.trace)}"


def _test(case: Case, *, ungraded: bool) -> GradedTest:
    kept = case.verdict is Verdict.KEPT
    points = case.points
    if points is None and ungraded:
        points = Points(earned=float(kept), possible=1.0)
    return GradedTest(
        name=case.name,
        status="passed" if kept else "failed",
        output="\n".join(_output(case)),
        score=None if points is None else points.earned,
        max_score=None if points is None else points.possible,
    )


def _output(case: Case) -> list[str]:
    verdict = {
        Verdict.KEPT: "kept",
        Verdict.BROKEN: "broken",
        Verdict.UNKNOWN: "unknown: it can't be told, and earns nothing",
    }[case.verdict]
    advice = [text for finding in case.advice for text in words.lines(finding)]
    return [verdict, *details(case), *advice]
