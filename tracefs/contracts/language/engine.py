"""Judges a trace by a contract that was read from a file, in one pass.

Clauses look at attempts where they say what a call must be (`Must`, `Never`, `AtMost`), and at
successful calls alone where one call needs another (`Next`, `Before`, `Sequence`). Each keeps what
it must for a file, open, process or binding, never for a call.
"""

from collections.abc import Callable

from tracefs.contracts.base import Judge, Settings
from tracefs.contracts.language import text
from tracefs.contracts.language.asked import fields_asked
from tracefs.contracts.language.following import NextRun
from tracefs.contracts.language.ledger import Chosen, Facts, Ledger
from tracefs.contracts.language.matching import Matcher
from tracefs.contracts.language.model import (
    AtMost,
    Before,
    ContractSpec,
    Must,
    Never,
    Next,
    Opens,
    Pattern,
    Rule,
    Sequence,
)
from tracefs.contracts.language.model import Clause as EachClause
from tracefs.contracts.language.preceding import BeforeRun
from tracefs.contracts.language.reports import SOME, Findings, RuleReport
from tracefs.contracts.language.running import Clause, Now
from tracefs.contracts.language.seeks import Seeks, unheard
from tracefs.contracts.language.sequence import SequenceRun
from tracefs.contracts.language.simple import AtMostRun, MustRun, NeverRun
from tracefs.contracts.language.vocabulary import UNKNOWN
from tracefs.contracts.page_write.state import Open
from tracefs.contracts.page_write.text import cut_short
from tracefs.events import Header
from tracefs.findings import ContractResult
from tracefs.trace.call import Call, Released, TraceItem

_Take = Callable[[Call], None]


class LanguageContract:
    """A contract from a file, as `tracefs.contracts.base.Contract`."""

    def __init__(self, spec: ContractSpec) -> None:
        self.spec = spec

    @property
    def id(self) -> str:
        """Name in results."""
        return self.spec.id

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules, each once."""
        return tuple(dict.fromkeys(rule.id for rule in self.spec.rules))

    def start(self, header: Header, settings: Settings) -> Judge:
        """Return a judge for the trace that begins with *header*."""
        return LanguageJudge(self.spec, header, settings)


class LanguageJudge:
    """One contract at work on one trace."""

    def __init__(self, spec: ContractSpec, header: Header, settings: Settings) -> None:
        self._spec, self._settings = spec, settings
        self._facts = Facts(settings.page_size)
        self._opens: dict[int | None, set[int]] = {}
        self._now = Now(view=self._facts, header=header, opens=self._opens)
        contract = Settings(page_size=settings.page_size, paths=spec.files)
        self._chosen = Chosen(settings, contract)
        self._ledger = Ledger(self._chosen, self._facts, header, fields_asked(spec))
        self._findings = Findings(spec, settings.page_size, settings.without)
        self._seeks: list[Seeks] = []
        self._of_opens: list[tuple[MustRun, RuleReport]] = []
        self._rules = [self._run(rule) for rule in spec.rules if rule.id not in settings.without]
        self._some = None if spec.some is None else Matcher(spec.some)
        self._some_seen: bool | None = False
        self._takes: dict[tuple[str, str], tuple[_Take, ...]] = {}
        self._inos: dict[int, int] = {}
        """Files by handle, of opens that are not released."""

    def _run(self, rule: Rule) -> Clause:
        report = RuleReport(self._findings, rule)
        per = rule.per or self._spec.per
        self._notice_unheard(rule.clause, report)
        match rule.clause:
            case Must() as clause:
                must = MustRun(clause, report, self._now)
                self._of_opens.append((must, report))
                return must
            case Never() as clause:
                return NeverRun(clause, report, self._now)
            case AtMost() as clause:
                return AtMostRun(clause, report, self._now, per)
            case Next() as clause:
                return NextRun(clause, report, self._now, per)
            case Before() as clause:
                return BeforeRun(clause, report, self._now, per)
            case Sequence() as clause:
                return SequenceRun(clause, report, self._now, per)

    def _notice_unheard(self, clause: EachClause, report: RuleReport) -> None:
        """Take note of calls that may have been made and left no trace."""
        header = self._now.header
        looked_for, wanted = _looked_for(clause), _wanted(clause)
        names = unheard(looked_for, header)
        if "lseek" in names and isinstance(clause, Never):
            self._seeks.append(Seeks(report))
            names = tuple(name for name in names if name != "lseek")
        if names:
            report.whole(text.unheard(", ".join(names), header.witness))
        missed = unheard(wanted, header)
        if missed:
            told = set(missed) <= set(names)
            report.doubt(None if told else text.unheard(", ".join(missed), header.witness))

    def feed(self, item: TraceItem, /) -> None:
        """Take the next call or release."""
        if isinstance(item, Released):
            self._release(item)
            return
        takes = self._takes.get((item.call, item.family))
        if takes is None:
            takes = self._dispatch(item.call, item.family)
        opened = self._ledger.before(item)
        if item.family == "open":
            self._open(item)
        self._now.through = self._through(item, opened)
        self._now.judged = self._now.through and (opened is not None or self._covers(item))
        if self._ledger.unseen:
            self._miss_open(item)
        for take in takes:
            take(item)
        for seeks in self._seeks:
            seeks.take(item, opened)
        self._ledger.after(item, opened)

    def _dispatch(self, name: str, family: str) -> tuple[_Take, ...]:
        takes: list[_Take] = [rule.take for rule in self._rules if rule.concerns(name, family)]
        if self._some is not None and self._some.concerns(name, family):
            takes.append(self._look_for_some)
        self._takes[name, family] = tuple(takes)
        return self._takes[name, family]

    def _look_for_some(self, call: Call) -> None:
        if self._some is not None and self._some_seen is not True and self._now.judged:
            truth = self._some.match(call, self._facts).truth
            self._some_seen = truth if truth is not False else self._some_seen

    def _miss_open(self, call: Call) -> None:
        """*call* came through an open that was not seen: what rules say of opens is not known."""
        for rule, report in self._of_opens:
            if rule.concerns("openat", "open"):
                report.doubtful(call, text.open_unseen)

    def _through(self, call: Call, opened: Open | None) -> bool:
        """Return whether *call* came through an open that is judged, or through none."""
        if self._spec.opens is Opens.ALL or opened is not None:
            return True
        opens = self._ledger.opens
        if call.call == "mmap" and call.family == "write":
            # A store: the kernel guesses through which open it came.
            return call.ino in opens.by_ino or not opens.ignores(call)
        if call.handle is not None or call.family == "sync":
            return False
        return call.writable is not False and (_on_any(call) or call.ino in opens.by_ino)

    def _covers(self, call: Call) -> bool:
        """Return whether *call* is on a file that is judged, by one of its names."""
        covers = self._chosen.covers
        named = call.family in {"rename", "link"} and call.target is not None
        return covers(call.path) or (named and covers(call.target)) or _on_any(call)

    def _open(self, call: Call) -> None:
        if call.done and call.handle is not None and call.ino is not None:
            self._inos[call.handle] = call.ino
            if call.created and call.ino not in self._opens:
                for rule in self._rules:
                    rule.renewed(call.ino)
            self._opens.setdefault(call.ino, set()).add(call.handle)

    def _release(self, item: Released) -> None:
        ino = self._inos.pop(item.handle, None)
        left = self._opens.get(item.ino if ino is None else ino, set())
        left.discard(item.handle)
        if not left:
            self._opens.pop(ino, None)
        for rule in self._rules:
            rule.released(item, last=not left)
        opened = self._ledger.released(item)
        if opened is not None:
            for seeks in self._seeks:
                seeks.ends(opened)

    def exited(self, status: int | None, pid: int | None) -> None:
        """Take in how the command ended, before `finish`."""
        self._now.status, self._now.pid = status, pid

    def finish(self, *, complete: bool, why: str | None) -> ContractResult:
        """Judge what is still owed, and return the result."""
        cut = None if complete else cut_short(why)
        for rule in self._rules:
            rule.finish(complete=complete, cut=cut)
        for seeks in self._seeks:
            for opened in self._ledger.opens.remaining():
                seeks.ends(opened)
        self._want_some()
        log = self._findings.log
        return ContractResult(
            id=self._spec.id,
            verdict=log.verdict,
            findings=log.findings(),
            evidence={
                seeks.rule: seeks.evidence(complete=complete)
                for seeks in self._seeks
                if seeks.rule not in self._settings.without
            },
            without=self._settings.without,
            help=self._spec.help,
            points=self._spec.points,
            rule_points=self._spec.rule_points,
        )

    def _want_some(self) -> None:
        if self._some is not None:
            seen, what = self._some_seen is True, self._some.text
        else:
            began = [rule.began for rule in self._rules]
            beginnings = [_beginning(rule) for rule in self._spec.rules]
            seen = True in began or False not in began
            what = " or ".join(dict.fromkeys(each.text for each in beginnings if each is not None))
        if not seen:
            self._findings.whole(SOME, text.nothing_seen(what))


def _on_any(call: Call) -> bool:
    """Return whether nothing is known of *call*, and so not on which file it was."""
    return call.call == UNKNOWN and call.path is None and call.ino is None


def _looked_for(clause: EachClause) -> tuple[Pattern, ...]:
    """Return the patterns of calls that *clause* asks something of, or ends with."""
    match clause:
        case Must(every=every) | AtMost(every=every):
            return (every,)
        case Never(patterns=patterns):
            return patterns
        case Next(every=every, until=until):
            return (every, until)
        case Before(before=before, since=since):
            return (before,) if since is None else (before, since)
        case Sequence(when=when, steps=steps):
            return (when, *steps)


def _wanted(clause: EachClause) -> tuple[Pattern, ...]:
    """Return the patterns of calls that keep *clause*."""
    match clause:
        case Next(next=then):
            return (then,)
        case Before(need=need):
            return (need,)
        case Sequence(steps=steps):
            return steps
        case _:
            return ()


def _beginning(rule: Rule) -> Pattern | None:
    match rule.clause:
        case Must(every=pattern) | Next(every=pattern):
            return pattern
        case Before(before=pattern):
            return pattern
        case Sequence(when=pattern):
            return pattern
        case _:
            return None
