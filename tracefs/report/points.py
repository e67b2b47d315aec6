"""What a result is worth: the points that a contract and its rules carry, as far as earned.

A contract's points are earned when it is kept. A rule's points are earned, whatever becomes of the
other rules, when no finding says that it is broken or can't be told. Nothing is earned on evidence
that has a hole: an incomplete recording, a checker that failed, nothing seen that could be judged.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tracefs.check import CHECKER, COMPLETE_TRACE
from tracefs.contracts.page_write.report import WRITTEN
from tracefs.findings import (
    CheckResult,
    ContractResult,
    Finding,
    Severity,
    TraceSummary,
    Verdict,
    worst,
)

SOME: Final = "some"
"""`tracefs.contracts.language.reports.SOME`, without the import of all that reads files."""

_WHOLE: Final = frozenset((CHECKER, COMPLETE_TRACE, SOME, WRITTEN))
"""Rules whose doubt concerns every other rule."""


class Decision(Struct, frozen=True, kw_only=True):
    """Whether a contract, or one of its rules, held; never kept on evidence that has a hole."""

    verdict: Verdict
    reason: str | None
    """Why it can't be told, where no finding of its own says that."""


class Points(Struct, frozen=True, kw_only=True):
    """What was earned of what could be."""

    earned: float
    possible: float

    def __str__(self) -> str:
        """Return ``2.5 of 4``."""
        return f"{number(self.earned)} of {number(self.possible)}"


def of_contract(result: ContractResult, trace: TraceSummary) -> Decision:
    """Decide about the whole contract."""
    if result.verdict is Verdict.BROKEN:
        return Decision(verdict=Verdict.BROKEN, reason=None)
    hole = _hole(result, trace)
    if hole is None and result.verdict is Verdict.KEPT:
        return Decision(verdict=Verdict.KEPT, reason=None)
    return Decision(verdict=Verdict.UNKNOWN, reason=hole)


def of_rule(result: ContractResult, rule: str, trace: TraceSummary) -> Decision:
    """Decide about *rule* alone."""
    verdict = worst(*(finding.verdict for finding in errors(result) if finding.rule == rule))
    if verdict is not Verdict.KEPT:
        return Decision(verdict=verdict, reason=None)
    if rule in result.without:
        return Decision(verdict=Verdict.UNKNOWN, reason="The rule was left out on request.")
    hole = _hole(result, trace)
    return Decision(verdict=Verdict.KEPT if hole is None else Verdict.UNKNOWN, reason=hole)


def points(decision: Decision, possible: float) -> Points:
    """Return what *decision* earns of *possible*."""
    return Points(earned=possible if decision.verdict is Verdict.KEPT else 0.0, possible=possible)


def total(result: CheckResult) -> Points | None:
    """Return the sum over all contracts and rules that carry points; None: none does."""
    found = list(_all(result))
    if not found:
        return None
    return Points(
        earned=sum(each.earned for each in found), possible=sum(each.possible for each in found)
    )


def errors(result: ContractResult) -> Iterable[Finding]:
    """Return the findings that count."""
    return (finding for finding in result.findings if finding.severity is Severity.ERROR)


def number(value: float) -> str:
    """Return points as people write them: ``3``, ``2.5``."""
    return f"{value:g}"


def _all(result: CheckResult) -> Iterable[Points]:
    for contract in result.contracts:
        if contract.points is not None:
            yield points(of_contract(contract, result.trace), contract.points)
        for rule, possible in contract.rule_points.items():
            yield points(of_rule(contract, rule, result.trace), possible)


def _hole(result: ContractResult, trace: TraceSummary) -> str | None:
    """Return what is missing from the evidence as a whole; None: nothing is."""
    if not trace.complete:
        why = f": {trace.incomplete_because}" if trace.incomplete_because else ""
        return f"The recording is incomplete{why}."
    for finding in errors(result):
        if finding.rule in _WHOLE and finding.verdict is Verdict.UNKNOWN:
            return finding.message
    if result.verdict is Verdict.UNKNOWN and not any(errors(result)):
        return "The contract can't be told, and no finding says why."
    return None
