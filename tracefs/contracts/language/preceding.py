"""`Before`: when a call of one kind comes, one of another has succeeded since one of a third.

Kept for each binding of variables: the latest call that needs something, or, without such calls,
what has succeeded so far.
"""

from collections.abc import Iterator

from msgspec import Struct

from tracefs.contracts.language import text
from tracefs.contracts.language.matching import Bindings, Matcher, elsewhere, needs_no_open
from tracefs.contracts.language.model import Before, Per
from tracefs.contracts.language.reports import RuleReport
from tracefs.contracts.language.running import Now, Scope, scope
from tracefs.trace.call import Call, Released

LIVE = 10_000
"""Bindings that are followed at one time."""

_Key = tuple[str, ...]


class Since(Struct, kw_only=True, eq=False):
    """A call that made something needed."""

    call: Call
    bound: Bindings
    certain: bool
    early: Call | None = None
    """What is needed, but begun before *call* was done."""
    reported: bool = False


class BeforeRun:
    """``before``, ``need``, ``since``."""

    def __init__(self, clause: Before, report: RuleReport, now: Now, per: Per) -> None:
        self._before, self._need = Matcher(clause.before), Matcher(clause.need)
        self._since = None if clause.since is None else Matcher(clause.since)
        self._report, self._now, self._per = report, now, per
        self._shared = tuple(sorted(self._before.variables & self._need.variables))
        if per is Per.OPEN and needs_no_open(clause.before):
            self._per = Per.FILE  # it may come when the open is over
        others = [clause.need, *filter(None, [clause.since])]
        if per in {Per.OPEN, Per.FILE} and any(elsewhere(each, clause.before) for each in others):
            self._per = Per.TRACE  # it speaks of several files; their paths tell which
        self._waiting: dict[Scope, dict[_Key, Since]] = {}
        self._met: dict[Scope, dict[_Key, bool]] = {}
        """Without *since*: what has succeeded, and whether that is certain."""
        self._unnamed: dict[Scope, set[_Key]] = {}
        """Those of which a path was not known, and which may be of any file."""
        self._overflowed = False
        self.began = False

    def concerns(self, name: str, family: str) -> bool:
        """Return whether such a call needs something, gives it, or asks for it."""
        matchers = (self._before, self._need, self._since)
        return any(matcher is not None and matcher.concerns(name, family) for matcher in matchers)

    def take(self, call: Call) -> None:
        """Take *call* as what needs something before it, as that, and as what asks for it anew."""
        where = scope(self._per, call)
        done = not call.errno and not (call.injected and call.pretended)
        if self._now.judged and done:
            self._judge(call, where)
        self._give(call, where)
        if self._since is not None and done:
            found = self._since.match(call, self._now.view)
            if found.truth is not False:
                self._ask(call, where, found.bound, certain=found.truth is True)

    def _scopes(self, where: Scope, *, all_opens: bool) -> list[Scope]:
        """Return what a call in *where* concerns; *all_opens*: every open of its file."""
        group, handle = where
        if self._per is not Per.OPEN:
            return [where]
        if handle is not None and not all_opens:
            return [where, (group, None)]
        handles = {*self._now.opens.get(group, ()), handle, None}
        return [(group, each) for each in handles]

    def _ask(self, call: Call, where: Scope, bound: Bindings, *, certain: bool) -> None:
        inner = self._waiting.setdefault(where, {})
        key = tuple(bound[name] for name in sorted(bound))
        if len(inner) >= LIVE and key not in inner:
            inner.pop(next(iter(inner)))
            self._overflowed = True
        inner[key] = Since(call=call, bound=bound, certain=certain)

    def _give(self, call: Call, where: Scope) -> None:
        """Take *call* as what is needed, if it is that and succeeded."""
        if not call.done:
            return
        scopes = self._scopes(where, all_opens=True)
        if self._since is None:
            if call.proves:
                self._meet(call, scopes)
            return
        for at in scopes:
            for key, since in self._compatible(at, None):
                truth = self._need.match(call, self._now.view, since.bound).truth
                if truth is False:
                    continue
                # The path of the call like *since* was not known: any file's would do.
                if not self._need.variables <= since.bound.keys():
                    truth = None
                if call.start_ns < since.call.end_ns or not call.proves:
                    since.early = call
                elif truth is None:
                    since.certain = False
                else:
                    del self._waiting[at][key]

    def _meet(self, call: Call, scopes: list[Scope]) -> None:
        found = self._need.match(call, self._now.view)
        if found.truth is False:
            return
        key = tuple(found.bound.get(name, "") for name in self._shared)
        for at in scopes:
            met = self._met.setdefault(at, {})
            met[key] = met.get(key, False) or found.truth is True
            if "" in key:
                self._unnamed.setdefault(at, set()).add(key)

    def _judge(self, call: Call, where: Scope) -> None:
        found = self._before.match(call, self._now.view)
        if found.truth is False:
            return
        self.began = True
        if self._since is None:
            self._judge_by_met(call, where, found.bound, certain=found.truth is True)
            return
        scopes = self._scopes(where, all_opens=False)
        for since in [each for at in scopes for _, each in self._compatible(at, found.bound)]:
            if not since.reported:
                since.reported = True
                early = None if since.early is None else text.too_early(since.early)
                more = early or "saw none"
                certain = since.certain and found.truth is True
                self._report.at(
                    call, text.not_needed_yet, since.call, more, certain=certain, bound=since.bound
                )

    def _judge_by_met(self, call: Call, where: Scope, bound: Bindings, *, certain: bool) -> None:
        key = tuple(bound.get(name, "") for name in self._shared)
        met = self._met.get(where, {}).get(key)
        if met is not True:
            sure = certain and met is None and not self._perhaps_met(where, key)
            more = "saw none"
            self._report.at(call, text.not_needed_yet, None, more, certain=sure, bound=bound)

    def _perhaps_met(self, where: Scope, key: _Key) -> bool:
        return any(
            all(name in {"", own} for name, own in zip(names, key, strict=True))
            for names in self._unnamed.get(where, ())
        )

    def _compatible(self, where: Scope, bound: Bindings | None) -> Iterator[tuple[_Key, Since]]:
        """Yield what waits and doesn't contradict *bound*."""
        for key, since in list(self._waiting.get(where, {}).items()):
            if bound is None or all(
                bound.get(name, value) == value for name, value in since.bound.items()
            ):
                yield key, since

    def released(self, item: Released, *, last: bool) -> None:
        """Forget an open that is over."""
        if self._per is Per.OPEN:
            self._forget((item.ino, item.handle))
            if last:
                self._forget((item.ino, None))

    def renewed(self, ino: int) -> None:
        """Forget the file that had the number before."""
        if self._per is Per.FILE:
            self._forget((ino, None))

    def _forget(self, where: Scope) -> None:
        for kept in (self._waiting, self._met, self._unnamed):
            kept.pop(where, None)

    def finish(self, *, complete: bool, cut: str | None) -> None:  # noqa: ARG002  # as `Clause`
        """Owe nothing, but say so where too much was asked for at one time."""
        if self._overflowed:
            self._report.whole(text.too_many(LIVE))
