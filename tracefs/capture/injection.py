"""Which faults a mount makes, as it is asked for while it is served."""

from collections.abc import Sequence
from time import monotonic_ns
from typing import Final, Protocol

from tracefs import events
from tracefs.capture.messages import (
    Change,
    Gone,
    Holding,
    Inject,
    Let,
    Question,
    Refused,
    Rules,
    Standing,
)
from tracefs.faults.engine import Faults
from tracefs.faults.model import Rule
from tracefs.journal.writer import JournalWriter

_MOST_RULES: Final = 1000
"""More are a mistake, and each costs the requests that it is like."""


class Faulty(Protocol):
    """What makes faults (`tracefs.capture.operations`)."""

    @property
    def faults(self) -> Faults | None:
        """The rules that hold; None: there are none."""

    def inject(self, rules: Sequence[Rule], held_on: Sequence[int] = ()) -> None:
        """Let these rules hold, behind those so far that *held_on* numbers."""

    def let_go(self) -> int:
        """Let the requests go on that rules have stuck; return how many."""


class Injection:
    """The rules of one mount, and the journal's lines about them.

    All is done between two requests, with no ``await`` in between: a change holds when it is
    answered, and the line of each request stands below that of the rules that it met.
    """

    def __init__(self, faulty: Faulty, journal: JournalWriter) -> None:
        self._faulty = faulty
        self._journal = journal
        self.over = False
        """Nothing is recorded any more, so nothing may be made to fail either."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that hold."""
        faults = self._faulty.faults
        return () if faults is None else faults.rules

    def answer(self, question: Question) -> Holding | Gone | Refused:
        """Do what is asked."""
        match question:
            case Let():
                return Gone(number=question.number, calls=self._faulty.let_go())
            case Rules():
                return Holding(number=question.number, rules=self._standing())
            case Inject():
                return self._inject(question)

    def note(self) -> None:
        """Have the journal say which rules hold from here on."""
        rules = self.rules
        now = monotonic_ns()
        self._journal.event(
            events.Faults(
                start_ns=now,
                end_ns=now,
                tid=0,
                rules=tuple(rule.text for rule in rules),
                below=tuple(rule.below for rule in rules) if is_scoped(rules) else (),
            )
        )

    def end(self) -> None:
        """Make no faults any more, and let go what they hold: what follows is not recorded."""
        self.over = True
        if self._faulty.faults is not None:
            self._faulty.inject(())
        self._faulty.let_go()

    def _inject(self, asked: Inject) -> Holding | Refused:
        if self.over:
            return Refused(number=asked.number, message="its recording has ended")
        before, standing = self.rules, self._standing()
        told, held_on = asked.rules, list(range(len(before)))
        if asked.change is Change.SET:
            held_on = []
        elif asked.change is Change.REMOVE:
            # From the end: of several that are alike, the last that was added goes.
            for rule in reversed(told):
                alike = [number for number in held_on if before[number] == rule]
                held_on = [number for number in held_on if number not in alike[-1:]]
            told = ()
        if len(told) + len(held_on) > _MOST_RULES:
            return Refused(number=asked.number, message=f"it has at most {_MOST_RULES} rules")
        self._faulty.inject(told, held_on)
        ended = tuple(one for number, one in enumerate(standing) if number not in held_on)
        if told or ended:
            self.note()
        return Holding(number=asked.number, rules=self._standing(), ended=ended)

    def _standing(self) -> tuple[Standing, ...]:
        faults = self._faulty.faults
        if faults is None:
            return ()
        return tuple(
            Standing(rule=rule.text, below=rule.below, met=met, struck=struck)
            for rule, met, struck in zip(faults.rules, faults.met, faults.struck, strict=True)
        )


def is_scoped(rules: Sequence[Rule]) -> bool:
    """Return whether some of *rules* are not for the whole traced directory."""
    return any(rule.below for rule in rules)
