r"""Verdicts as annotations of GitHub Actions ("Workflow commands"), and the rest as a table.

GitHub shows ten annotations of a kind in a step. So at most ten are made in all, the gravest
first; what is left is a Markdown table for the job's summary.

What is broken is an ``error``, what can't be told a ``warning`` (the exit code fails the step),
advice a ``notice``. The runner reads a command from each line that begins with ``::``, and from
``##[`` anywhere in a line (ActionCommand.cs), so no name may make either.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tracefs.findings import CheckResult, ContractResult, Finding, Verdict
from tracefs.report import finding as words
from tracefs.report.cases import cases, headline, help_lines
from tracefs.report.frame import calls, completeness
from tracefs.report.points import total
from tracefs.report.quote import printable
from tracefs.report.sourceplace import source_place

MOST: Final = 10
"""Annotations of one kind that GitHub shows of a step."""

_LEVELS: Final = {"error": "error", "unknown": "warning", "advice": "notice"}


class _Said(Struct, frozen=True, kw_only=True):
    """One thing to be said: in an annotation, or in a row."""

    kind: str
    contract: str
    rule: str
    message: str
    repair: str
    finding: Finding | None


class GithubReport(Struct, frozen=True, kw_only=True):
    """What is printed for the runner, and what belongs in the job's summary."""

    annotations: tuple[str, ...]
    """Workflow commands, one a line."""
    summary: tuple[str, ...]
    """Markdown: each contract's verdict, and what found no room in *annotations*."""


def github(result: CheckResult, root: str | None = None) -> GithubReport:
    """Return *result* for GitHub; files below *root* (path text) are named relative to it."""
    said = sorted(_all(result), key=lambda each: words.KINDS.index(each.kind))
    return GithubReport(
        annotations=tuple(_annotation(each, root) for each in said[:MOST]),
        summary=tuple(_summary(result, said[MOST:])),
    )


def _all(result: CheckResult) -> Iterator[_Said]:
    for case in cases(result):
        if case.rule is None and case.verdict is not Verdict.KEPT and not case.findings:
            kind = "error" if case.verdict is Verdict.BROKEN else "unknown"
            yield _Said(
                kind=kind, contract=case.contract, rule="verdict", message=headline(case),
                repair="See what the recording shows: tracefs show.", finding=None,
            )  # fmt: skip
    for contract in result.contracts:
        for finding in contract.findings:
            yield _Said(
                kind=words.kind(finding), contract=contract.id, rule=finding.rule,
                message=finding.message, repair=finding.repair, finding=finding,
            )  # fmt: skip


def _annotation(said: _Said, root: str | None) -> str:
    place = None if said.finding is None else source_place(said.finding, root)
    where = () if place is None else (f"file={_property(place.file)}", f"line={place.line}")
    title = f"title={_property(f'{said.contract}: {said.rule}')}"
    at = "" if said.finding is None else _place(said.finding, sourced=place is None)
    text = "\n".join(filter(None, (at, printable(said.message), f"repair: {said.repair}")))
    return f"::{_LEVELS[said.kind]} {','.join((*where, title))}::{_data(text)}"


def _place(finding: Finding, *, sourced: bool) -> str:
    return ", ".join(words.place(finding, sourced=sourced))


def _data(text: str) -> str:
    """Return *text* as a command's message; only our own line breaks are any."""
    lines = (printable(line).replace("%", "%25") for line in text.split("\n"))
    return "%0A".join(lines)


def _property(text: str) -> str:
    return printable(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def _summary(result: CheckResult, rest: list[_Said]) -> Iterator[str]:
    for contract in result.contracts:
        yield from _verdict(contract, result)
    points = total(result)
    if points is not None:
        yield f"Points: {points}"
        yield ""
    if rest:
        yield f"The other {len(rest)} findings:" if len(rest) > 1 else "One more finding:"
        yield ""
        yield "| | Contract | Rule | Where | What |"
        yield "| --- | --- | --- | --- | --- |"
        for said in rest:
            at = "" if said.finding is None else _place(said.finding, sourced=True)
            cells = (said.contract, said.rule, at, said.message)
            yield f"| {said.kind} | {' | '.join(map(_code, cells))} |"
        yield ""
    yield f"Rests on: {_code(f'{calls(result.trace)}, recording {completeness(result.trace)}')}"


def _verdict(contract: ContractResult, result: CheckResult) -> Iterator[str]:
    case = next(case for case in cases(result) if case.contract == contract.id)
    yield f"**{_code(contract.id)}: {case.verdict}**"
    yield ""
    if case.verdict is not Verdict.KEPT and contract.help:
        yield from (f"> {_code(line)}  " for line in help_lines(contract.help) if line)
        yield ""


def _code(text: str) -> str:
    """Return *text* as a code span, in which Markdown knows no markup, that fits into a cell."""
    plain = printable(text, also="`|").replace("##[", "##\\x5b")
    return f"`{plain}`" if plain.strip() else ""
