"""How the rules of a contract file make findings."""

from collections.abc import Callable

from tracefs.contracts.language import text
from tracefs.contracts.language.matching import NOTHING, Bindings
from tracefs.contracts.language.model import Clause, ContractSpec, Rule
from tracefs.contracts.log import FindingLog
from tracefs.contracts.page_write.text import Text
from tracefs.findings import Finding, Severity, Verdict
from tracefs.trace.call import Call

SOME = "some"
"""Something was seen to judge; not to be left out."""

Words = Callable[..., Text]


class Findings:
    """All findings of one contract on one trace."""

    def __init__(self, spec: ContractSpec, page_size: int, without: tuple[str, ...]) -> None:
        self.page_size = page_size
        self.log = FindingLog(list(dict.fromkeys(rule.id for rule in spec.rules)), without=without)

    def whole(self, rule: str, words: Text, severity: Severity = Severity.ERROR) -> None:
        """Add a finding about the whole trace: something of it is not known."""
        self.log.add(
            Finding(
                rule=rule,
                severity=severity,
                verdict=Verdict.UNKNOWN,
                call=None,
                path=None,
                page=None,
                message=words.message,
                repair=words.repair,
            )
        )


class RuleReport:
    """Makes the findings of one rule."""

    def __init__(self, findings: Findings, rule: Rule) -> None:
        self._findings, self._rule = findings, rule
        self.page_size = findings.page_size
        self._want = rule.expected or text.expected(rule.clause)
        self._mend = rule.repair or text.repair(rule.clause)
        self._doubted = False
        self._why: Text | None = None
        """Why, as long as nobody was told."""

    @property
    def rule(self) -> str:
        """Id of the rule."""
        return self._rule.id

    def at(
        self,
        call: Call,
        words: Words,
        *more: object,
        certain: bool = True,
        page: Call | None = None,
        path: str | None = None,
        bound: Bindings = NOTHING,
        clause: Clause | None = None,
    ) -> None:
        """The rule does not hold at *call*.

        Args:
            call: Where.
            words: One of `text`.
            more: What it takes beside the usual.
            certain: False: perhaps it does hold.
            page: The write whose page is meant; None: *call*.
            path: What its file is called by now; None: as *call* says.
            bound: What variables in the words stand for.
            clause: The part of the rule that is meant; None: all of it.
        """
        if self._why is not None:
            self.whole(self._why)
            self._why = None
        certain = certain and not self._doubted
        verdict = Verdict.BROKEN if certain else Verdict.UNKNOWN
        if self._findings.log.passes(self._rule.id, self._rule.severity, verdict):
            return
        want, mend = self._want, self._mend
        if clause is not None:
            want = self._rule.expected or text.expected(clause)
            mend = self._rule.repair or text.repair(clause)
        said = words(call, want, mend, self.page_size, *more)
        self._add(call, verdict, Text(*(text.filled(part, bound) for part in said)), page, path)

    def doubtful(self, call: Call, words: Words, clause: Clause | None = None) -> None:
        """Whether the rule holds at *call* is not known; no advice is given then."""
        if self._rule.severity is Severity.ERROR:
            self.at(call, words, certain=False, clause=clause)

    def whole(self, words: Text) -> None:
        """Whether the rule holds of the trace at all is not known."""
        self._findings.whole(self._rule.id, words, self._rule.severity)

    def doubt(self, words: Text | None = None) -> None:
        """What is not as it must be is not known either, for the reason that *words* give."""
        self._doubted, self._why = True, words

    # As `tracefs.contracts.page_write.position.Reports`, whose words need no more than the call.

    def broken(self, _rule: str, call: Call, words: Words, *about: object) -> None:
        """The rule does not hold at *call*."""
        self._add(call, Verdict.BROKEN, words(call, *about))

    def unknown(self, _rule: str, call: Call, words: Words, *about: object) -> None:
        """Whether the rule holds at *call* can't be told."""
        self._add(call, Verdict.UNKNOWN, words(call, *about))

    def _add(
        self,
        call: Call,
        verdict: Verdict,
        words: Text,
        page: Call | None = None,
        path: str | None = None,
    ) -> None:
        where = page or call
        write = where.family == "write" and where.offset is not None
        self._findings.log.add(
            Finding(
                rule=self._rule.id,
                severity=self._rule.severity,
                verdict=verdict,
                call=call.index,
                path=path or call.path or where.path,
                page=(where.offset or 0) // self.page_size if write else None,
                message=words.message,
                repair=words.repair,
            )
        )
