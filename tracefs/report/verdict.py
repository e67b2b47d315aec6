"""The answer of ``tracefs check`` as text: the verdict, each finding, what it rests on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from tracefs.contracts.log import LISTED
from tracefs.findings import CheckResult, ContractResult, Finding, Severity, Verdict
from tracefs.report.frame import calls, completeness, plural
from tracefs.report.quote import printable
from tracefs.report.strace import CallLines
from tracefs.report.style import PLAIN, Style
from tracefs.trace.call import Call

PER_RULE: Final = 5
"""Findings of one rule that are written out; more of the same teach nobody anything."""

_KINDS: Final = ("error", "unknown", "advice")

_COLOURS: Final = {Verdict.KEPT: "green", Verdict.BROKEN: "red", Verdict.UNKNOWN: "yellow"}


class VerdictText(Struct, frozen=True, kw_only=True):
    """How to write a result as text."""

    seen: Mapping[int, Call] = {}
    """Calls by index, as far as they could be looked up."""
    lines: CallLines | None = None
    style: Style = PLAIN

    def render(self, result: CheckResult) -> Iterator[str]:
        """Yield the lines for *result*."""
        for contract in result.contracts:
            yield self._answer(contract)
            for finding in written_out(contract):
                yield ""
                yield from self._finding(finding)
            yield from _left_over(contract)
            yield from _evidence(contract)
            if contract.help is not None and contract.verdict is not Verdict.KEPT:
                yield f"help: {printable(contract.help)}"
        yield f"rests on: {calls(result.trace)}, recording {completeness(result.trace)}"

    def _answer(self, contract: ContractResult) -> str:
        verdict = self.style.paint(str(contract.verdict), _COLOURS[contract.verdict])
        counts = _counts(contract)
        return f"{contract.id}: {verdict}" + (f" ({counts})" if counts else "")

    def _finding(self, finding: Finding) -> Iterator[str]:
        kind = _kind(finding)
        colour = "red" if kind == "error" else "yellow"
        place = "".join(f", {part}" for part in _place(finding))
        yield f"{self.style.paint(kind, colour)} {self.style.paint(finding.rule, 'bold')}{place}"
        call = None if finding.call is None else self.seen.get(finding.call)
        if call is not None and self.lines is not None:
            yield f"  {self.lines.outcome(call)}"
        yield f"  {printable(finding.message)}"
        yield f"  repair: {printable(finding.repair)}"


def written_out(contract: ContractResult) -> Iterator[Finding]:
    """Yield the findings of *contract* that its text shows: errors first, a few of each rule."""
    so_far: Counter[tuple[str, str]] = Counter()
    for finding in sorted(contract.findings, key=lambda finding: _KINDS.index(_kind(finding))):
        so_far[finding.rule, _kind(finding)] += 1
        if so_far[finding.rule, _kind(finding)] <= PER_RULE:
            yield finding


def _place(finding: Finding) -> Iterator[str]:
    if finding.path is not None:
        yield printable(finding.path)
    if finding.page is not None:
        yield f"page {finding.page}"
    if finding.call is not None:
        yield f"call {finding.call}"
    if finding.source is not None:
        yield printable(finding.source)


def _kind(finding: Finding) -> str:
    """Return ``error``, ``unknown`` or ``advice``: an error that can't be told is none yet."""
    if finding.severity is Severity.ADVICE:
        return "advice"
    return "unknown" if finding.verdict is Verdict.UNKNOWN else "error"


def _counts(contract: ContractResult) -> str:
    number = Counter(_kind(finding) for finding in contract.findings)
    # A rule with one finding more than are listed has a closing one that stands for the rest.
    cut = max(Counter((f.rule, _kind(f)) for f in contract.findings).values(), default=0) > LISTED
    words = {
        "error": plural(number["error"], "error"),
        "unknown": f"{number['unknown']} undecided",
        "advice": f"{number['advice']} advice",
    }
    text = ", ".join(words[kind] for kind in _KINDS if number[kind])
    return f"at least {text}" if cut else text


def _left_over(contract: ContractResult) -> Iterator[str]:
    found = Counter((f.rule, _kind(f)) for f in contract.findings)
    many = [(rule, kind, n - PER_RULE) for (rule, kind), n in found.items() if n > PER_RULE]
    if contract.findings:
        yield ""
    for rule, kind, more in many:
        least = "at least " if more > LISTED - PER_RULE else ""
        yield f"... and {least}{more} more: {kind} {rule} (--json lists up to {LISTED})"


def _evidence(contract: ContractResult) -> Iterator[str]:
    for rule, evidence in contract.evidence.items():
        yield f"{printable(rule)} decided by: {printable(evidence)}"
    if contract.without:
        yield f"left out on request: {', '.join(contract.without)}"
