"""A result as test cases, for the formats that have such: each contract, and each graded rule."""

from collections.abc import Iterator

from msgspec import Struct

from tracefs.findings import (
    CheckResult,
    ContractResult,
    Finding,
    Severity,
    TraceSummary,
    Verdict,
)
from tracefs.report import finding as words
from tracefs.report.points import Decision, Points, errors, of_contract, of_rule, points
from tracefs.report.quote import printable


class Case(Struct, frozen=True, kw_only=True):
    """One contract as a whole, or one of its rules that carries points of its own."""

    contract: str
    rule: str | None
    """None: the contract as a whole."""
    verdict: Verdict
    reason: str | None
    """Why it can't be told, where no finding says that."""
    findings: tuple[Finding, ...]
    """What decides it: errors, the gravest first, a few of each rule."""
    unlisted: int
    """How many more there are, at least: one of them may stand for many."""
    advice: tuple[Finding, ...]
    """What doesn't count; of a contract as a whole."""
    points: Points | None
    """None: it isn't graded."""
    help: str | None

    @property
    def name(self) -> str:
        """Return ``page-write``, or ``page-write: synced``."""
        rule = "" if self.rule is None else f": {self.rule}"
        return printable(f"{self.contract}{rule}")


def cases(result: CheckResult) -> Iterator[Case]:
    """Yield each contract, and behind it those of its rules that carry points."""
    for contract in result.contracts:
        yield whole(contract, result.trace)
        for rule in contract.rule_points:
            yield _rule(contract, rule, result.trace)


def whole(contract: ContractResult, trace: TraceSummary) -> Case:
    """Return the case of *contract* as a whole."""
    return _case(
        contract,
        None,
        of_contract(contract, trace),
        tuple(errors(contract)),
        contract.points,
        advice=tuple(f for f in contract.findings if f.severity is Severity.ADVICE),
    )


def headline(case: Case) -> str:
    """Return in one line why *case* isn't kept, or that it is."""
    if case.verdict is Verdict.KEPT:
        return "kept"
    if case.findings:
        first = case.findings[0]
        return f"{words.heading(first)}: {printable(first.message)}"
    return printable(case.reason or f"It is {case.verdict}, and no finding says why.")


def details(case: Case) -> Iterator[str]:
    """Yield what decides *case*, what was left out, and what its contract's author says to it."""
    if case.reason is not None:
        yield printable(case.reason)
    for finding in case.findings:
        yield from words.lines(finding)
    if case.unlisted:
        # Each rule's last one may stand for any number that was counted and not kept.
        yield f"... and at least {case.unlisted} more (--format json lists them)"
    if case.verdict is not Verdict.KEPT and case.help:
        yield from help_lines(case.help)


def help_lines(text: str) -> Iterator[str]:
    """Yield the author's help, line by line as it was written."""
    for line in text.strip().split("\n"):
        yield printable(line.rstrip())


def _rule(contract: ContractResult, rule: str, trace: TraceSummary) -> Case:
    return _case(
        contract,
        rule,
        of_rule(contract, rule, trace),
        tuple(finding for finding in errors(contract) if finding.rule == rule),
        contract.rule_points[rule],
    )


def _case(
    contract: ContractResult,
    rule: str | None,
    decision: Decision,
    findings: tuple[Finding, ...],
    possible: float | None,
    advice: tuple[Finding, ...] = (),
) -> Case:
    few = tuple(words.few(findings))
    return Case(
        contract=contract.id,
        rule=rule,
        verdict=decision.verdict,
        reason=None if few else decision.reason,
        findings=few,
        unlisted=len(findings) - len(few),
        advice=tuple(words.few(advice)),
        points=None if possible is None else points(decision, possible),
        help=contract.help,
    )
