"""Changes of rules as they are asked for, with the real engine and a real journal."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from journal_samples import HEADER

from tracefs import events
from tracefs.capture.injection import Injection
from tracefs.capture.messages import Change, Gone, Holding, Inject, Let, Refused, Rules, Standing
from tracefs.faults.engine import Faults
from tracefs.faults.model import Rule
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter

A, B, C = (Rule(text=text, calls=("write",), error=5) for text in ("a", "b", "c"))


class Faulty:
    """What makes faults, of which none comes to a request by itself."""

    def __init__(self) -> None:
        self.faults: Faults | None = None
        self.stuck = 0

    def inject(self, rules: Sequence[Rule], held_on: Sequence[int] = ()) -> None:
        before = self.faults or Faults((), "x86_64", str)
        self.faults = before.followed_by(rules, held_on) if rules or held_on else None

    def let_go(self) -> int:
        stuck, self.stuck = self.stuck, 0
        return stuck

    def write(self, unique: int) -> None:
        assert self.faults is not None
        self.faults.of_file(unique, "write", 7, None, 1, 0, 10)


@pytest.fixture
def faulty() -> Faulty:
    return Faulty()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    made = JournalWriter(tmp_path / "r", HEADER, on_failure=pytest.fail)
    yield made
    made.close(1, "unmounted")


@pytest.fixture
def injection(faulty: Faulty, writer: JournalWriter) -> Injection:
    return Injection(faulty, writer)


def lines(writer: JournalWriter) -> list[tuple[str, ...]]:
    with JournalReader(writer.folder) as reader:
        return [line.rules for line in reader.events() if isinstance(line, events.Faults)]


def ask(injection: Injection, change: Change, *rules: Rule) -> tuple[list[str], list[str]]:
    """Return which rules hold then, and which have ended."""
    answer = injection.answer(Inject(number=1, rules=rules, change=change))
    assert isinstance(answer, Holding)
    return [one.rule for one in answer.rules], [one.rule for one in answer.ended]


def test_each_change_is_answered_and_written_down(
    injection: Injection, writer: JournalWriter
) -> None:
    assert ask(injection, Change.SET, A, B) == (["a", "b"], [])
    assert ask(injection, Change.ADD, C, A) == (["a", "b", "c", "a"], [])
    assert ask(injection, Change.REMOVE, A) == (["a", "b", "c"], ["a"])
    assert ask(injection, Change.REMOVE, A, A, B) == (["c"], ["a", "b"])
    assert ask(injection, Change.SET, B) == (["b"], ["c"])
    assert ask(injection, Change.SET) == ([], ["b"])
    assert lines(writer) == [
        ("a", "b"), ("a", "b", "c", "a"), ("a", "b", "c"), ("c",), ("b",), (),
    ]  # fmt: skip


def test_what_changes_nothing_is_no_line(injection: Injection, writer: JournalWriter) -> None:
    assert ask(injection, Change.SET) == ([], [])
    assert ask(injection, Change.REMOVE, A) == ([], [])
    assert ask(injection, Change.ADD) == ([], [])
    assert injection.answer(Rules(number=1)) == Holding(number=1, rules=())
    assert lines(writer) == []


def test_the_same_rule_again_counts_anew(injection: Injection, faulty: Faulty) -> None:
    ask(injection, Change.SET, A)
    faulty.write(1)
    faulty.write(2)
    (standing,) = _rules(injection)
    assert (standing.met, standing.struck, standing.outcome) == (2, 2, "struck 2 of 2 calls")
    ask(injection, Change.ADD, B)
    faulty.write(3)
    assert [(one.met, one.struck) for one in _rules(injection)] == [(3, 3), (1, 0)]
    answer = injection.answer(Inject(number=1, rules=(A,)))
    assert isinstance(answer, Holding)
    assert answer.rules == (Standing(rule="a"),)
    assert answer.ended == (
        Standing(rule="a", met=3, struck=3),
        Standing(rule="b", met=1, struck=0),
    )


def _rules(injection: Injection) -> tuple[Standing, ...]:
    answer = injection.answer(Rules(number=1))
    assert isinstance(answer, Holding)
    return answer.rules


def test_of_rules_for_a_directory_the_line_tells_it(
    injection: Injection, writer: JournalWriter
) -> None:
    scoped = Rule(text="a", calls=("write",), error=5, below="d")
    ask(injection, Change.SET, scoped, B)
    with JournalReader(writer.folder) as reader:
        (line,) = reader.events()
    assert isinstance(line, events.Faults)
    assert (line.rules, line.below) == (("a", "b"), ("d", ""))


def test_what_is_stuck_is_counted_once(injection: Injection, faulty: Faulty) -> None:
    faulty.stuck = 2
    assert injection.answer(Let(number=1)) == Gone(number=1, calls=2)
    assert injection.answer(Let(number=2)) == Gone(number=2, calls=0)


def test_nothing_is_injected_where_nothing_is_recorded(
    injection: Injection, faulty: Faulty, writer: JournalWriter
) -> None:
    ask(injection, Change.SET, A)
    faulty.stuck = 1
    injection.end()
    assert (faulty.faults, faulty.stuck) == (None, 0)
    answer = injection.answer(Inject(number=4, rules=(A,)))
    assert answer == Refused(number=4, message="its recording has ended")
    assert injection.answer(Rules(number=5)) == Holding(number=5, rules=())
    assert lines(writer) == [("a",)]


def test_more_rules_than_anybody_means_are_refused(injection: Injection) -> None:
    ask(injection, Change.SET, *[A] * 1000)
    answer = injection.answer(Inject(number=1, rules=(A,), change=Change.ADD))
    assert answer == Refused(number=1, message="it has at most 1000 rules")
    assert len(_rules(injection)) == 1000
