"""One finding in words, for every format that shows findings: its kind, its place, its lines."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from tracefs.findings import Finding, Severity, Verdict
from tracefs.report.quote import printable

KINDS: Final = ("error", "unknown", "advice")
"""The gravest first."""

PER_RULE: Final = 5
"""Findings of one rule that are written out; more of the same teach nobody anything."""


def kind(finding: Finding) -> str:
    """Return ``error``, ``unknown`` or ``advice``: an error that can't be told is none yet."""
    if finding.severity is Severity.ADVICE:
        return "advice"
    return "unknown" if finding.verdict is Verdict.UNKNOWN else "error"


def place(finding: Finding, *, sourced: bool = True) -> Iterator[str]:
    """Yield what is known of where it is: file, page, call, and the source line if *sourced*."""
    if finding.path is not None:
        yield printable(finding.path)
    if finding.page is not None:
        yield f"page {finding.page}"
    if finding.call is not None:
        yield f"call {finding.call}"
    if sourced and finding.source is not None:
        yield printable(finding.source)


def heading(finding: Finding) -> str:
    """Return ``error synced, pages.db, page 2, call 11, wrong.py:7 in <module>``."""
    return ", ".join((f"{kind(finding)} {printable(finding.rule)}", *place(finding)))


def lines(finding: Finding) -> Iterator[str]:
    """Yield the finding as text: its heading, what was expected and seen, the repair."""
    yield heading(finding)
    yield f"  {printable(finding.message)}"
    yield f"  repair: {printable(finding.repair)}"


def few(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield *findings*, errors first, and only the first few of each rule and kind."""
    so_far: Counter[tuple[str, str]] = Counter()
    for finding in sorted(findings, key=lambda finding: KINDS.index(kind(finding))):
        so_far[finding.rule, kind(finding)] += 1
        if so_far[finding.rule, kind(finding)] <= PER_RULE:
            yield finding
