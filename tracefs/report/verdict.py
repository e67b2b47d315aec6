"""The answer of ``tracefs check`` as text: the verdict, each finding, what it rests on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from tracefs.contracts.log import LISTED
from tracefs.findings import CheckResult, ContractResult, Finding, TraceSummary, Verdict
from tracefs.report.cases import help_lines
from tracefs.report.finding import KINDS, PER_RULE, few, kind, place
from tracefs.report.frame import calls, completeness, plural
from tracefs.report.points import of_contract, of_rule, points
from tracefs.report.quote import printable
from tracefs.report.strace import CallLines
from tracefs.report.style import PLAIN, Style
from tracefs.trace.call import Call

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
            yield from _worth(contract, result.trace)
        yield f"rests on: {calls(result.trace)}, recording {completeness(result.trace)}"

    def _answer(self, contract: ContractResult) -> str:
        verdict = self.style.paint(str(contract.verdict), _COLOURS[contract.verdict])
        counts = _counts(contract)
        return f"{contract.id}: {verdict}" + (f" ({counts})" if counts else "")

    def _finding(self, finding: Finding) -> Iterator[str]:
        word = kind(finding)
        colour = "red" if word == "error" else "yellow"
        where = "".join(f", {part}" for part in place(finding))
        yield f"{self.style.paint(word, colour)} {self.style.paint(finding.rule, 'bold')}{where}"
        call = None if finding.call is None else self.seen.get(finding.call)
        if call is not None and self.lines is not None:
            yield f"  {self.lines.outcome(call)}"
        yield f"  {printable(finding.message)}"
        yield f"  repair: {printable(finding.repair)}"


def written_out(contract: ContractResult) -> Iterator[Finding]:
    """Return the findings of *contract* that its text shows: errors first, a few of each rule."""
    return few(contract.findings)


def _counts(contract: ContractResult) -> str:
    number = Counter(kind(finding) for finding in contract.findings)
    # A rule with one finding more than are listed has a closing one that stands for the rest.
    cut = max(Counter((f.rule, kind(f)) for f in contract.findings).values(), default=0) > LISTED
    words = {
        "error": plural(number["error"], "error"),
        "unknown": f"{number['unknown']} undecided",
        "advice": f"{number['advice']} advice",
    }
    text = ", ".join(words[word] for word in KINDS if number[word])
    return f"at least {text}" if cut else text


def _left_over(contract: ContractResult) -> Iterator[str]:
    found = Counter((f.rule, kind(f)) for f in contract.findings)
    many = [(rule, word, n - PER_RULE) for (rule, word), n in found.items() if n > PER_RULE]
    if contract.findings:
        yield ""
    for rule, word, more in many:
        least = "at least " if more > LISTED - PER_RULE else ""
        yield f"... and {least}{more} more: {word} {rule} (--json lists up to {LISTED})"


def _evidence(contract: ContractResult) -> Iterator[str]:
    for rule, evidence in contract.evidence.items():
        yield f"{printable(rule)} decided by: {printable(evidence)}"
    if contract.without:
        yield f"left out on request: {', '.join(contract.without)}"


def _worth(contract: ContractResult, trace: TraceSummary) -> Iterator[str]:
    """Yield what the author of a contract has to say: help, where it is of use, and points."""
    verdict = of_contract(contract, trace).verdict
    if verdict is not Verdict.KEPT and contract.help:
        yield from (f"help: {line}" for line in help_lines(contract.help))
    if contract.points is not None:
        yield f"points: {points(of_contract(contract, trace), contract.points)}"
    for rule, possible in contract.rule_points.items():
        decision = of_rule(contract, rule, trace)
        yield f"points for {printable(rule)}: {points(decision, possible)}"
