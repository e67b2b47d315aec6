"""Failing states are made small, twins are asked about once, syncs are needed or not."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

import pytest
from litmus_facts import Tree
from litmus_model import Modelled

from tracefs.crash.exploration import Explored, Limits, explore
from tracefs.crash.reduction import Reducer, breaking
from tracefs.crash.redundancy import redundant
from tracefs.crash.search import Found, Search
from tracefs.crashes import Answer, Checked
from tracefs.persistence.history import History, bits
from tracefs.persistence.profiles import ALL, chosen
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence
from tracefs.persistence.strategies import Strategy

if TYPE_CHECKING:
    from tracefs.crash.recorded import Recorded

NO_LIMIT = Limits(states=10_000)


class Pure:
    """Says what a function says of a tree."""

    def __init__(self, modelled: Modelled, good: Callable[[Tree], bool]) -> None:
        self._modelled, self._good = modelled, good
        self.asked: list[str] = []

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        for one in found:
            self.asked.append(one.key)
            tree = {seen.path: seen for seen in self._modelled.seen(one.image)}
            yield one, Answer(checked=Checked.GOOD if self._good(tree) else Checked.BAD)


class Case:
    """A program, who judges it, and a search in it."""

    def __init__(self, before: str, text: str, good: Callable[[Tree], bool]) -> None:
        self.modelled = Modelled(before, text)
        self.examiner = Pure(self.modelled, good)
        self.search = self.searching(self.modelled.history)

    def searching(self, history: History) -> Search:
        held = self.modelled.held
        return Search(history, Resolver(history, held, held.add))

    def explored(self, history: History, profile: str) -> Explored:
        profiles = [Persistence(rules, history) for rules in chosen(profile)]
        return explore(self.searching(history), self.examiner, profiles, Strategy(), NO_LIMIT)


def both_or_none(tree: Tree) -> bool:
    """Tell whether b is only there with what a holds."""
    return "b" not in tree or (tree["a"].content or b"")[:1] == b"A"


BEFORE = "create a; write a 0 4096 x; create c; write c 0 4096 x"
TEXT = "write c 0 4096 C; write a 0 4096 A; truncate c 100; create b; write b 0 10 B; fsync b"


def test_what_is_dropped_is_all_that_is_needed() -> None:
    case = Case(BEFORE, TEXT, both_or_none)
    persistence = case.modelled.under("ext4-ordered")
    failing = case.explored(case.modelled.history, "ext4-ordered").failing
    assert failing
    for found, answer in failing:
        small, dropped = Reducer(case.search, case.examiner, persistence).reduce(
            found, answer.checked
        )
        atoms = [case.modelled.history.atoms[number] for number in bits(dropped)]
        assert [(atom.part, case.modelled.history.steps[atom.step].path) for atom in atoms] == [
            ("data", "a")
        ]
        assert not small.state.atoms & dropped
        assert persistence.allows(small.state.point, small.state.atoms)


def test_a_state_that_fails_with_nothing_lost_needs_no_loss() -> None:
    case = Case(BEFORE, TEXT, lambda tree: "b" not in tree)
    persistence = case.modelled.under("ext4-ordered")
    found, answer = case.explored(case.modelled.history, "ext4-ordered").failing[-1]
    small, dropped = Reducer(case.search, case.examiner, persistence).reduce(found, answer.checked)
    assert dropped == 0
    assert small.state.atoms == persistence.happened(found.state.point)


def test_two_losses_are_found_where_one_is_not_enough() -> None:
    def one_is_there(tree: Tree) -> bool:
        held = [(tree[name].content or b"")[:1] for name in ("a", "c")]
        return "b" not in tree or b"A" in held or b"C" in held

    case = Case(BEFORE, TEXT, one_is_there)
    persistence = case.modelled.under("posix-strict")
    failing = case.explored(case.modelled.history, "posix-strict").failing
    found, answer = failing[0]
    _, dropped = Reducer(case.search, case.examiner, persistence).reduce(found, answer.checked)
    paths = [case.modelled.history.steps[atom].path for atom in _steps(case, dropped)]
    assert set(paths) == {"a", "c"}


def _steps(case: Case, dropped: int) -> list[int]:
    return [case.modelled.history.atoms[number].step for number in bits(dropped)]


def test_a_profile_breaks_where_it_lets_the_same_be_lost() -> None:
    case = Case(BEFORE, TEXT, both_or_none)
    history = case.modelled.history
    profiles = [Persistence(rules, history) for rules in ALL.values()]
    data = next(
        1 << atom.number
        for atom in history.atoms
        if atom.overlays and history.steps[atom.step].path == "a"
    )
    end = len(history.steps)
    found = breaking(case.search, case.examiner, profiles, end, data, Checked.BAD)
    assert "prefix" not in found
    # Its sync of b saves nothing of a, but on posix-strict not even b's name.
    assert {"ext4-ordered", "xfs", "btrfs"} <= set(found)


def test_no_content_is_asked_about_twice() -> None:
    case = Case(BEFORE, TEXT, lambda tree: "a" in tree)
    explored = case.explored(case.modelled.history, "all")
    assert len(case.examiner.asked) == len(set(case.examiner.asked)) == len(explored.answered)
    counts = explored.counts
    assert counts.generated == (
        counts.same_operations + counts.same_content + len(explored.answered)
    )


def test_what_is_left_is_counted() -> None:
    case = Case(BEFORE, TEXT, lambda tree: "a" in tree)
    history = case.modelled.history
    profiles = [Persistence(ALL["posix-strict"], history)]
    whole = explore(case.searching(history), case.examiner, profiles, Strategy(), NO_LIMIT)
    part = explore(case.searching(history), case.examiner, profiles, Strategy(), Limits(states=3))
    assert (len(part.answered), part.left) == (3, len(whole.answered) - 3)


class Words:
    """Stands for the recording's words of calls."""

    def shown(self, call: int | None) -> str:
        return f"call {call}"

    def place(self, call: int | None) -> str | None:
        return None if call is None else f"source of {call}"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("write a 0 4096 A; fsync a; fsync a; create b; fsync .", [True, True, True]),
        ("write a 0 4096 A; fsync a; create b; fsync .", [False, True]),
    ],
    ids=["twice", "once"],
)
def test_a_sync_is_needed_if_more_fails_without_it(text: str, needed: list[bool]) -> None:
    case = Case(BEFORE, text, both_or_none)
    history = case.modelled.history

    def again(other: History) -> Explored:
        return case.explored(other, "ext4-ordered")

    found = list(redundant(cast("Recorded", Words()), history, again(history), again))
    assert [one.redundant for one in found] == needed
