"""`Next`: after each call of one kind, one of another succeeds in time.

What is owed is kept for each file (or process, or the trace) and for each binding of variables, and
is the latest call alone: what covers that covers those before it.
"""

from collections.abc import Iterator
from errno import EINTR
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.contracts.language import text
from tracefs.contracts.language.evaluate import uses
from tracefs.contracts.language.matching import Bindings, Matcher
from tracefs.contracts.language.model import Next, Pattern, Per
from tracefs.contracts.language.reports import RuleReport
from tracefs.contracts.language.running import Now, group
from tracefs.contracts.page_write.text import ENDED, closed
from tracefs.trace.call import Call, Released

STORE: Final = "mmap"
"""Of a store, a sync that comes after it in the trace has begun before: it makes the kernel write
stores back, and then sends FSYNC (fuse_fsync in fs/fuse/file.c)."""

_OUTCOME: Final = frozenset(
    {"again", "completes", "errno", "injected", "result", "short", "unfinished"}
)
"""Where a pattern asks for these it says itself whether a failed call will do."""
_OF_OPEN: Final = frozenset({"after_short", "completes", "continues", "left_over"})
"""Where a pattern asks for this it means calls through the same open alone."""
_NAMING: Final = frozenset({"rename", "unlink", "link"})
"""Families of calls that change what a file is called."""

_Key = tuple[int | None, tuple[tuple[str, str], ...]]
"""The open that a call came through, where opens are judged each by itself, and its binding."""


class Owed(Struct, kw_only=True, eq=False):
    """A call after which something must come."""

    call: Call
    bound: Bindings
    certain: bool
    """It is surely a call like *every*, and nothing that may be *next* has come."""
    provided: bool
    """What it counts only with has come, or may have."""
    surely: bool
    """That has surely come."""
    closed: Call | None = None
    """The last close of its open since."""
    early: Call | None = None
    """A call like *next* that had begun before it was done."""
    done_ns: int | None = None
    """When *next* succeeded; None: not yet."""
    path: str | None = None
    """What its file is called by now; None: as the call says."""
    other: str | None = None
    """A link to it that was made since."""
    gone: bool = False
    """Its file was removed."""
    redone: bool = False
    """Something was written since: perhaps another file in its stead."""

    @property
    def name(self) -> str | None:
        """Path of its file."""
        return self.path or self.call.path

    def next_name(self, call: Call) -> str | None:
        """Return the path of its file after *call*, a rename or unlink that succeeded."""
        if call.family == "unlink":
            if call.path in {self.name, self.other}:
                found = self.other if call.path == self.name else self.name
                self.other = None
                return found
            return self.name
        return None if self.name is None else renamed(self.name, call)


class NextRun:
    """``every``, ``next``, ``until``, ``provided``."""

    def __init__(self, clause: Next, report: RuleReport, now: Now, per: Per) -> None:
        self._clause = clause
        self._every, self._next = Matcher(clause.every), Matcher(clause.next)
        self._until = Matcher(clause.until)
        self._provided = None if clause.provided is None else Matcher(clause.provided)
        self._report, self._now, self._per = report, now, per
        self._outcome_asked = _asks_for(clause.next, _OUTCOME)
        self._next_of_open = _asking(clause.next, _OF_OPEN)
        self._until_of_open = _asking(clause.until, _OF_OPEN)
        self._keyed = bool(self._every.variables)
        patterns = (clause.next, clause.until, *filter(None, [clause.provided]))
        self._here = all(_on_the_same_file(each, self._every.variables) for each in patterns)
        self._owed: dict[int | None, dict[_Key, Owed]] = {}
        self._suspects: dict[int, tuple[Owed, Call]] = {}
        """By handle: what came after a close of it, which is too late if that was the last."""
        self.began = False

    def concerns(self, name: str, family: str) -> bool:
        """Return whether such a call begins or ends anything."""
        matchers = (self._every, self._next, self._until, self._provided)
        return (
            any(matcher is not None and matcher.concerns(name, family) for matcher in matchers)
            or (family == "close" and self._per is Per.OPEN)
            or (family in _NAMING and self._keyed)
        )

    def take(self, call: Call) -> None:
        """Take *call* as an end, as what is wanted, and as a beginning, in this order."""
        where = group(self._per, call)
        if self._owed:
            self._go_on(call, where)
        now = self._now
        if not now.judged:
            return
        began = self._every.match(call, now.view)
        if began.truth is not False:
            self._begin(call, where, began.bound, certain=began.truth is True)

    def _begin(self, call: Call, where: int | None, bound: Bindings, *, certain: bool) -> None:
        self.began = True
        self._owed.setdefault(where, {})[self._key(call, bound)] = Owed(
            call=call,
            bound=bound,
            certain=certain,
            provided=self._provided is None,
            surely=self._provided is None,
        )

    def _key(self, call: Call, bound: Bindings) -> _Key:
        apart = self._per is Per.OPEN or self._next_of_open is not None
        handle = call.handle if apart else None
        return handle, tuple(sorted(bound.items()))

    # What is owed already

    def _go_on(self, call: Call, where: int | None) -> None:
        if call.handle is not None and self._suspects:
            self._suspects.pop(call.handle, None)
        for group_, key, owed in self._concerned(where):
            owed.redone = owed.redone or (owed.gone and call.family == "write" and call.done)
            if owed.done_ns is not None:
                self._came_during(call, group_, key, owed)
            elif not self._wanted(call, group_, key, owed):
                self._end_by(call, group_, key, owed)
        if self._keyed and call.family in _NAMING and call.done:
            self._follow_name(call)

    def _concerned(self, where: int | None) -> Iterator[tuple[int | None, _Key, Owed]]:
        """Yield what a call of the group *where* may end."""
        apart = self._per in {Per.PROCESS, Per.THREAD, Per.TRACE} or self._here
        groups = [where] if apart else [*self._owed]
        for group_ in groups:
            inner = self._owed.get(group_)
            if inner is not None:
                yield from [(group_, key, owed) for key, owed in inner.items()]

    def _wanted(self, call: Call, where: int | None, key: _Key, owed: Owed) -> bool:
        """Take *call* as what is wanted after *owed*; return whether it is."""
        view = self._now.view
        if self._provided is not None and not owed.surely:
            given = self._provided.match(call, view, owed.bound).truth
            owed.provided = owed.provided or given is not False
            owed.surely = given is True
        if self._is_elsewhere(self._next_of_open, call, owed):
            return False
        truth = self._like(self._next, call, owed)
        if truth is False:
            return False
        # The path of the call like *every* was not known: any file's would do.
        if not self._next.variables <= owed.bound.keys():
            truth = None
        if not call.proves and not self._outcome_asked:
            if call.errno != EINTR and truth:
                self._report.at(call, text.failed, owed.call, page=owed.call, bound=owed.bound)
                self._drop(where, key)
        elif call.start_ns < owed.call.end_ns and owed.call.call != STORE:
            owed.early = call
        elif truth is None:
            owed.certain = False
        else:
            self._fulfil(call, where, key, owed)
        return True

    def _fulfil(self, call: Call, where: int | None, key: _Key, owed: Owed) -> None:
        handle = owed.call.handle
        elsewhere = self._per is Per.OPEN and handle != call.handle
        if elsewhere and handle is not None and owed.closed is not None:
            self._suspects[handle] = (owed, owed.closed)
        # Files and opens come to an end, and what is kept of them with it.
        if self._per in {Per.OPEN, Per.FILE}:
            owed.done_ns = call.end_ns
        else:
            self._drop(where, key)

    def _came_during(self, call: Call, where: int | None, key: _Key, owed: Owed) -> None:
        """*owed* has what it wanted; *call* must not have begun before."""
        if self._ends(call, owed) is False:
            return
        if owed.done_ns is not None and call.start_ns < owed.done_ns:
            during = text.came_during(call, self._report.page_size)
            certain, bound = owed.certain and owed.surely, owed.bound
            self._report.at(owed.call, text.not_followed, during, certain=certain, bound=bound)
            self._drop(where, key)

    def _end_by(self, call: Call, where: int | None, key: _Key, owed: Owed) -> None:
        """Report *owed* if *call* is too early for it."""
        if call.family == "close" and call.handle == owed.call.handle:
            owed.closed = call
        truth = self._ends(call, owed)
        if truth is False or not owed.provided:
            return
        if owed.closed is not None and call.handle != owed.call.handle:
            then = closed(owed.closed)
        else:
            then = text.came_first(call, self._report.page_size)
        pieces = owed.call.call == call.call == "unknown"
        self._late(owed, then, certain=truth is True and not pieces)
        self._drop(where, key)

    def _ends(self, call: Call, owed: Owed) -> bool | None:
        if self._is_elsewhere(self._until_of_open, call, owed) or not self._now.through:
            return False
        return self._like(self._until, call, owed)

    @staticmethod
    def _is_elsewhere(of_open: Matcher | None, call: Call, owed: Owed) -> bool:
        """Return whether a pattern asks of the open, and *call* came through another."""
        if of_open is None or call.handle == owed.call.handle:
            return False
        return of_open.concerns(call.call, call.family)

    def _like(self, matcher: Matcher, call: Call, owed: Owed) -> bool | None:
        """Return whether *call* is like *matcher*; a file is the same by each of its links.

        What renames or unlinks is about the name, and about no other of the same file.
        """
        truth = matcher.match(call, self._now.view, owed.bound).truth
        if call.family in _NAMING:
            return truth
        linked = call.ino is not None and call.ino == owed.call.ino and call.path is not None
        if truth is False and linked and owed.name not in {None, call.path}:
            named = replace(call, path=owed.name)
            return matcher.match(named, self._now.view, owed.bound).truth
        return truth

    def _late(self, owed: Owed, then: str, *, certain: bool) -> None:
        if owed.early is not None:
            then += f"; {text.too_early(owed.early)}"
        certain = certain and owed.certain and owed.surely and not owed.redone
        self._report.at(
            owed.call,
            text.not_followed,
            then,
            certain=certain,
            path=owed.path,
            bound=owed.bound,
        )

    def _drop(self, where: int | None, key: _Key) -> None:
        inner = self._owed.get(where)
        if inner is not None:
            inner.pop(key, None)
            if not inner:
                del self._owed[where]

    def _follow_name(self, call: Call) -> None:
        """Names that are bound go with a rename, and with an unlink they are nobody's any more."""
        gone = call.target if call.family == "rename" else call.path
        if call.path == call.target:  # rename(2): nothing is done
            return
        moved: list[tuple[int | None, Owed]] = []
        for where, inner in list(self._owed.items()):
            for key, owed in list(inner.items()):
                if call.family == "link":
                    owed.other = call.path if call.target == owed.name else owed.other
                    continue
                name = owed.next_name(call)
                bound = {
                    each: name or value if value == owed.name else renamed(value, call)
                    for each, value in owed.bound.items()
                }
                if bound == owed.bound and gone not in bound.values():
                    continue
                if self._clause.next.failure and call.family == "unlink" and bound == owed.bound:
                    owed.gone = True
                    continue
                self._drop(where, key)
                if bound != owed.bound:
                    owed.path, owed.bound = name, bound
                    moved.append((where, owed))
        # Only now: the new name may have been another's.
        for where, owed in moved:
            self._owed.setdefault(where, {})[self._key(owed.call, owed.bound)] = owed

    # Ends

    def released(self, item: Released, *, last: bool) -> None:
        """An open is over, and with the last one its file."""
        suspect = self._suspects.pop(item.handle, None)
        if suspect is not None:
            self._late(suspect[0], closed(suspect[1]), certain=True)
        if self._clause.next.failure:
            return  # until the process ends
        if self._per is Per.OPEN or (self._per is Per.FILE and last):
            for key, owed in list(self._owed.get(item.ino, {}).items()):
                if self._per is Per.FILE or owed.call.handle == item.handle:
                    self._over(owed, closed(owed.closed), certain=True)
                    self._drop(item.ino, key)

    def renewed(self, ino: int) -> None:
        """Remember nothing of a file that is over."""

    def finish(self, *, complete: bool, cut: str | None) -> None:
        """Judge what is owed still."""
        for owed, close in self._suspects.values():
            self._late(owed, cut or closed(close), certain=complete)
        for inner in self._owed.values():
            for owed in inner.values():
                then = ENDED if owed.closed is None else closed(owed.closed)
                self._over(owed, cut or then, certain=complete)

    def _over(self, owed: Owed, then: str, *, certain: bool) -> None:
        if not (self._clause.until.end and owed.provided and owed.done_ns is None):
            return
        if self._clause.next.failure and certain:
            reported = self._now.reported(owed.call)
            if reported:
                return
            certain = reported is False
            then = text.not_reported(owed.call, self._now.status, known=certain, removed=owed.gone)
        self._late(owed, then, certain=certain)


def renamed(path: str, call: Call) -> str:
    """Return what *path* is called after *call*, which may rename it or a directory above it."""
    if call.family != "rename" or call.path is None or call.target is None:
        return path
    moves = [(call.path, call.target)]
    if "RENAME_EXCHANGE" in call.flags:
        moves.append((call.target, call.path))
    for old, new in moves:
        if path == old or path.startswith(f"{old}/"):
            return new + path[len(old) :]
    return path


def _asks_for(pattern: Pattern, fields: frozenset[str]) -> bool:
    return _asking(pattern, fields) is not None


def _asking(pattern: Pattern, fields: frozenset[str]) -> Matcher | None:
    """Return what of *pattern* asks for one of *fields*; None: nothing does."""
    calls = tuple(
        call for call in pattern.calls if call.where is not None and uses(call.where) & fields
    )
    return Matcher(replace(pattern, calls=calls)) if calls else None


def _on_the_same_file(pattern: Pattern, known: frozenset[str]) -> bool:
    """Return whether only calls on the file whose path is bound are like *pattern*."""
    return all(
        path is None or (path.variable in known and not (path.parent or path.before or path.after))
        for call in pattern.calls
        for path in (call.path, call.target)
    ) and not any("syncdir" in call.families for call in pattern.calls)
