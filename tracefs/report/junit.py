r"""Verdicts as JUnit XML, in the form that Jenkins, GitLab and pytest's readers share.

A contract is a test case, and so is each of its rules that carries points. A broken one has a
``failure``, one that can't be told an ``error``: readers count either as not passed. Advice is
output of the case.

XML 1.0 can't hold control characters, not even escaped (section 2.2). None comes so far: whatever
is not printable is path text, ``\x1b``.
"""

from collections.abc import Iterable, Iterator
from html import escape

from msgspec import Struct

from tracefs.findings import CheckResult, Verdict
from tracefs.report import finding as words
from tracefs.report.cases import Case, cases, details, headline
from tracefs.report.points import number
from tracefs.report.quote import printable


class Suite(Struct, frozen=True, kw_only=True):
    """Cases under one name: a recording, a submission."""

    name: str
    cases: tuple[Case, ...]


def junit(result: CheckResult) -> str:
    """Return *result* as one document."""
    return document([Suite(name="tracefs", cases=tuple(cases(result)))])


def document(suites: Iterable[Suite]) -> str:
    """Return *suites* as one document."""
    known = tuple(suites)
    every = [case for suite in known for case in suite.cases]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="tracefs" {_counts(every)}>',
    ]
    for suite in known:
        lines.append(f"  <testsuite {_name(suite.name)} {_counts(suite.cases)}>")
        for case in suite.cases:
            lines.extend(f"    {line}" for line in _case(case))
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _case(case: Case) -> Iterator[str]:
    yield f'<testcase {_name(case.name)} classname="tracefs.{_quoted(printable(case.contract))}">'
    if case.points is not None:
        yield "  <properties>"
        yield f'    <property name="points" value="{number(case.points.earned)}"/>'
        yield f'    <property name="possible" value="{number(case.points.possible)}"/>'
        yield "  </properties>"
    if case.verdict is not Verdict.KEPT:
        tag = "failure" if case.verdict is Verdict.BROKEN else "error"
        # Text keeps its line breaks: an indented line would show its indentation.
        text = "\n".join(details(case))
        message = _quoted(headline(case))
        yield f'  <{tag} type="{case.verdict}" message="{message}">{_text(text)}</{tag}>'
    if case.advice:
        text = "\n".join(line for finding in case.advice for line in words.lines(finding))
        yield f"  <system-out>{_text(text)}</system-out>"
    yield "</testcase>"


def _counts(found: Iterable[Case]) -> str:
    verdicts = [case.verdict for case in found]
    broken, unknown = verdicts.count(Verdict.BROKEN), verdicts.count(Verdict.UNKNOWN)
    return f'tests="{len(verdicts)}" failures="{broken}" errors="{unknown}" skipped="0"'


def _name(name: str) -> str:
    return f'name="{_quoted(printable(name))}"'


def _quoted(text: str) -> str:
    return _text(text).replace('"', "&quot;")


def _text(text: str) -> str:
    """Return *text* for an element; ``]]>`` ends nothing, as ``>`` is escaped, too."""
    return escape(text, quote=False)
