"""Clauses that look at one call at a time: `Must`, `Never`, `AtMost`."""

from tracefs.contracts.language import text
from tracefs.contracts.language.evaluate import compiled
from tracefs.contracts.language.matching import Matcher
from tracefs.contracts.language.model import AtMost, Must, Never, Per
from tracefs.contracts.language.reports import RuleReport
from tracefs.contracts.language.running import Now, Scope, scope
from tracefs.trace.call import Call, Released


class MustRun:
    """``every``, ``must``."""

    def __init__(self, clause: Must, report: RuleReport, now: Now) -> None:
        self._every = Matcher(clause.every)
        self._holds = compiled(clause.must)
        self._report, self._now = report, now
        self.began = False

    def concerns(self, name: str, family: str) -> bool:
        """Return whether such a call can be like *every*."""
        return self._every.concerns(name, family)

    def take(self, call: Call) -> None:
        """Judge *call*."""
        now = self._now
        if not now.judged:
            return
        truth = self._every.match(call, now.view).truth
        if truth is False:
            return
        self.began = True
        held = self._holds(call, now.view)
        if held is True:
            return
        # An unnamed call is one request, which may be a piece of a call that was as it must be.
        if truth and held is False and call.call != "unknown":
            self._report.at(call, text.otherwise)
        else:
            self._report.doubtful(call, text.not_told)

    def released(self, item: Released, *, last: bool) -> None:
        """Remember nothing."""

    def renewed(self, ino: int) -> None:
        """Remember nothing."""

    def finish(self, *, complete: bool, cut: str | None) -> None:
        """Owe nothing."""


class NeverRun:
    """``never``."""

    began = None

    def __init__(self, clause: Never, report: RuleReport, now: Now) -> None:
        self._patterns = tuple(map(Matcher, clause.patterns))
        self._report, self._now = report, now

    def concerns(self, name: str, family: str) -> bool:
        """Return whether such a call can be one of those that must not be."""
        return any(pattern.concerns(name, family) for pattern in self._patterns)

    def take(self, call: Call) -> None:
        """Judge *call*."""
        now = self._now
        if not now.judged:
            return
        perhaps: Matcher | None = None
        for matcher in self._patterns:
            truth = matcher.match(call, now.view).truth
            if truth:
                one = Never(patterns=(matcher.pattern,))
                self._report.at(call, text.otherwise, clause=one)
                return
            if truth is None and perhaps is None:
                perhaps = matcher
        if perhaps is not None:
            one = Never(patterns=(perhaps.pattern,))
            self._report.doubtful(call, text.not_told, one)

    def released(self, item: Released, *, last: bool) -> None:
        """Remember nothing."""

    def renewed(self, ino: int) -> None:
        """Remember nothing."""

    def finish(self, *, complete: bool, cut: str | None) -> None:
        """Owe nothing."""


class AtMostRun:
    """``every``, ``at_most``; counted for each open, file or process."""

    began = None

    def __init__(self, clause: AtMost, report: RuleReport, now: Now, per: Per) -> None:
        self._every, self._most = Matcher(clause.every), clause.most
        self._report, self._now, self._per = report, now, per
        self._counts: dict[Scope, tuple[int, int]] = {}
        """Calls that are certain, and those that may have been."""

    def concerns(self, name: str, family: str) -> bool:
        """Return whether such a call counts."""
        return self._every.concerns(name, family)

    def take(self, call: Call) -> None:
        """Count *call*."""
        now = self._now
        truth = self._every.match(call, now.view).truth if now.judged else False
        if truth is False:
            return
        key = scope(self._per, call)
        # Calls of which the file or process is not known need not be of one.
        truth = truth if key != (None, None) else None
        sure, perhaps = self._counts.get(key, (0, 0))
        sure, perhaps = (sure + 1, perhaps) if truth else (sure, perhaps + 1)
        self._counts[key] = sure, perhaps
        if truth and sure == self._most + 1:
            self._report.at(call, text.one_too_many)
        elif sure <= self._most and sure + perhaps == self._most + 1:
            self._report.doubtful(call, text.not_told)

    def released(self, item: Released, *, last: bool) -> None:
        """Forget the count of an open that is over."""
        if self._per is Per.OPEN:
            self._counts.pop((item.ino, item.handle), None)
            if last:
                self._counts.pop((item.ino, None), None)

    def renewed(self, ino: int) -> None:
        """Count anew for a new file."""
        if self._per in {Per.OPEN, Per.FILE}:
            self._counts.pop((ino, None), None)

    def finish(self, *, complete: bool, cut: str | None) -> None:
        """Owe nothing: what came after the end of a cut trace was not seen, as the check says."""
