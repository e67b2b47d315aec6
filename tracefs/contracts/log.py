"""Findings in bounded memory: a trace that breaks a rule a million times must not fill it."""

import math
from collections.abc import Collection, Sequence
from typing import Final

from tracefs.findings import Finding, Severity, Verdict, worst

LISTED: Final = 100
"""Findings kept of each kind: one rule with one severity and one verdict."""

_Kind = tuple[str, Severity, Verdict]


class FindingLog:
    """Keeps the first `LISTED` findings of each kind and counts the rest.

    The verdict takes every finding into account, listed or not.
    """

    def __init__(self, rules: Sequence[str], *, without: Collection[str] = ()) -> None:
        self._order = {rule: place for place, rule in enumerate(rules)}
        self._without = frozenset(without)
        self._listed: dict[_Kind, list[Finding]] = {}
        self._unlisted: dict[_Kind, int] = {}

    def add(self, finding: Finding) -> None:
        """Keep or count *finding*; one of a rule that was left out is dropped."""
        if finding.rule in self._without:
            return
        kind = (finding.rule, finding.severity, finding.verdict)
        listed = self._listed.setdefault(kind, [])
        if len(listed) < LISTED:
            listed.append(finding)
        else:
            self._unlisted[kind] = self._unlisted.get(kind, 0) + 1

    def passes(self, rule: str, severity: Severity, verdict: Verdict) -> bool:
        """Count a finding that need not be made, since it would not be listed.

        Returns:
            Whether it was counted, or is of a rule that was left out. If not, it is to be added.
        """
        if rule in self._without:
            return True
        kind = (rule, severity, verdict)
        unlisted = self._unlisted.get(kind)
        if unlisted is None:
            if len(self._listed.get(kind, ())) < LISTED:
                return False
            unlisted = 0
        self._unlisted[kind] = unlisted + 1
        return True

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all errors; advice doesn't count."""
        return worst(
            *(verdict for _, severity, verdict in self._listed if severity is Severity.ERROR)
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return what is kept, by call, then one closing finding for each kind that was cut."""
        listed = [finding for kept in self._listed.values() for finding in kept]
        listed.sort(key=self._place)
        closing = [_closing(kind, count) for kind, count in self._unlisted.items()]
        closing.sort(key=self._place)
        return (*listed, *closing)

    def _place(self, finding: Finding) -> tuple[float, int]:
        call = math.inf if finding.call is None else finding.call
        return call, self._order.get(finding.rule, len(self._order))


def _closing(kind: _Kind, count: int) -> Finding:
    rule, severity, verdict = kind
    counted = "finding is counted" if count == 1 else "findings are counted"
    return Finding(
        rule=rule,
        severity=severity,
        verdict=verdict,
        call=None,
        path=None,
        page=None,
        message=f"{count} more {counted} but not listed ({rule}, {verdict}).",
        repair="Mend what is listed and check again.",
    )
