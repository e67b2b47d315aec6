"""Failing states become failures: what was lost, where it can happen, which states are alike."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest
from crash_cases import NO_LIMIT, Words
from litmus_facts import Tree
from litmus_model import Modelled
from msgspec.structs import replace

from tracefs.crash.changes import Describer
from tracefs.crash.diagnosis import MOST, Diagnosis, call_after, call_before, where
from tracefs.crash.exploration import explore
from tracefs.crash.search import Found, Search
from tracefs.crashes import Answer, Checked, Loss
from tracefs.persistence.history import StepKind
from tracefs.persistence.profiles import ALL
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import parse
from tracefs.persistence.strategies import Strategy

if TYPE_CHECKING:
    from tracefs.crash.recorded import Recorded

Judge: TypeAlias = Callable[[Tree, tuple[str, ...]], object]

BEFORE = "create a; write a 0 4096 x; create c; write c 0 4096 x"


class Promises:
    """Asks a function about a tree and what was acknowledged, which says whether it is good."""

    def __init__(self, modelled: Modelled, good: Judge, otherwise: Checked) -> None:
        self._modelled, self._good, self._otherwise = modelled, good, otherwise

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        for one in found:
            tree = {seen.path: seen for seen in self._modelled.seen(one.image)}
            yield (
                one,
                Answer(checked=Checked.GOOD if self._good(tree, one.acks) else self._otherwise),
            )


class Diagnosed:
    """A program, and the failures of all its states under one profile."""

    def __init__(
        self, text: str, good: Judge, *, profile: str = "ext4-ordered",
        before: str = BEFORE, otherwise: Checked = Checked.BAD, deep: bool = False,
    ) -> None:  # fmt: skip
        modelled = Modelled(before, text)
        steps = tuple(replace(one, call=10 + one.number) for one in modelled.history.steps)
        self.history = history = replace(modelled.history, steps=steps)
        examiner = Promises(modelled, good, otherwise)
        explored = [Persistence(ALL[profile], history)]
        everywhere = [Persistence(rules, history) for rules in ALL.values()]
        search = Search(history, Resolver(history, modelled.held, modelled.held.add))
        self.failing = explore(search, examiner, explored, Strategy(deep=deep), NO_LIMIT).failing
        self.told: list[int] = []
        describer = Describer(cast("Recorded", Words()), history)
        self.diagnosis = Diagnosis(search, examiner, explored, everywhere, describer)
        self.found = self.diagnosis.failures(self.failing, self.told.append)
        self.failures = [one.failure for one in self.found]


def holds(tree: Tree, path: str) -> bytes:
    """Return the first byte of a file; nothing, where it isn't there."""
    return (tree[path].content or b"")[:1] if path in tree else b""


def promised(tree: Tree, acks: tuple[str, ...]) -> bool:
    """Tell whether each acknowledged file begins with A."""
    return all(holds(tree, name) == b"A" for name in acks)


def test_a_promise_that_is_lost_is_named_with_the_least_that_loses_it() -> None:
    text = "write c 0 4096 A; fsync c; ack c; write a 0 4096 A; ack a; chmod c 600; ack c"
    made = Diagnosed(text, promised)
    (failure,) = made.failures
    assert (failure.loss, failure.ack) == (Loss.ACKNOWLEDGED, "a")
    assert [(change.path, change.part) for change in failure.dropped] == [("a", "data")]
    # Its state is the simplest: just after the promise.
    assert made.history.acks_before(failure.point) == ("c", "a")
    assert (failure.acks, failure.answer.checked) == (2, Checked.BAD)
    assert len(made.found[0].states) == len(made.failing) > 1
    assert made.told == list(range(len(made.failing)))


def test_a_failure_names_a_state_that_fails() -> None:
    made = Diagnosed("write a 0 4096 A; ack a; write c 0 4096 A", promised)
    (one,) = made.found
    assert parse(one.failure.id, made.history) == one.found.state
    assert not one.found.state.atoms & one.dropped


@pytest.mark.parametrize(
    ("text", "good", "loss"),
    [
        ("create b; ack b", lambda tree, acks: acks or "b" not in tree, Loss.CREATION),
        ("create b; write b 0 10 B", lambda tree, _: "b" not in tree, Loss.CORRUPT),
        (
            "write a 0 10 B; create b; fsync .; ack b",
            lambda tree, acks: acks or holds(tree, "a") == b"x" or "b" in tree,
            Loss.CORRUPT,
        ),
        ("unlink a; ack b", lambda tree, acks: acks or "a" in tree, Loss.CORRUPT),
        ("rename c a; ack b", lambda tree, acks: acks or "c" in tree, Loss.CORRUPT),
        ("create b; ack a; write b 0 9 B", lambda tree, _: holds(tree, "b") != b"B", Loss.CORRUPT),
        ("create b; ack b; chmod a 600", lambda tree, a: a or "b" not in tree, Loss.CREATION),
        ("link a b; ack b", lambda tree, acks: acks or "b" not in tree, Loss.CREATION),
        ("create b; write b 0 9 B; ack b", lambda tree, a: a or "b" not in tree, Loss.CREATION),
        ("chmod d 700; create d/b; ack b", lambda tree, a: a or "d/b" not in tree, Loss.CREATION),
    ],
    ids=[
        "nothing said yet", "nothing ever said", "written", "unlinked", "replaced", "said",
        "changed later", "linked", "written anew",
        "a directory changed",
    ],
)  # fmt: skip
def test_what_was_lost_depends_on_what_was_said_and_changed(
    text: str, good: Judge, loss: Loss
) -> None:
    made = Diagnosed(text, good, before=f"{BEFORE}; mkdir d")
    assert {failure.loss for failure in made.failures} == {loss}
    assert {failure.ack for failure in made.failures} == {None}


@pytest.mark.parametrize("checked", [Checked.CRASHED, Checked.LATE, Checked.NOT_STARTED])
def test_a_checker_without_an_answer_says_nothing_of_the_state(checked: Checked) -> None:
    made = Diagnosed("write a 0 4096 A; ack a", promised, otherwise=checked)
    assert {failure.loss for failure in made.failures} == {Loss.CHECKER}
    assert {failure.answer.checked for failure in made.failures} == {checked}
    assert {failure.ack for failure in made.failures} == {None}


def test_pages_of_one_file_are_lost_alike_another_file_is_not() -> None:
    def whole(tree: Tree, acks: tuple[str, ...]) -> bool:
        return not acks or ((tree["a"].content or b"") == b"A" * 8192 and holds(tree, "c") == b"A")

    before = "create a; write a 0 8192 x; create c; write c 0 4096 x"
    text = "write a 0 4096 A; write a 4096 4096 A; write c 0 4096 A; ack all"
    made = Diagnosed(text, whole, before=before)
    lost = [{change.path for change in failure.dropped} for failure in made.failures]
    assert lost in ([{"a"}, {"c"}], [{"c"}, {"a"}])
    assert sum(len(one.states) for one in made.found) == len(made.failing)


def test_names_are_lost_alike_in_one_directory_and_not_with_the_data() -> None:
    def all_there(tree: Tree, acks: tuple[str, ...]) -> bool:
        return not acks or ({"b", "e", "d/b"} <= tree.keys() and holds(tree, "a") == b"A")

    text = "create b; create e; create d/b; write a 0 4096 A; ack all"
    made = Diagnosed(text, all_there, before=f"{BEFORE}; mkdir d", profile="posix-strict")
    lost = [{(one.path, one.part) for one in failure.dropped} for failure in made.failures]
    assert len(lost) == 3
    assert {("a", "data")} in lost
    assert {("d/b", "name")} in lost


def test_of_many_failures_the_first_are_told_and_all_states_are_counted() -> None:
    names = [f"f{number}" for number in range(MOST + 3)]
    before = "; ".join(f"create {name}; write {name} 0 10 x" for name in names)
    text = "; ".join(f"write {name} 0 10 A" for name in names)
    acks = "; ".join(f"ack {name}" for name in names)
    made = Diagnosed(f"{text}; {acks}", promised, before=before)
    assert len(made.failures) == MOST
    assert sum(len(one.states) for one in made.found) == len(made.failing)


def test_where_it_can_happen_is_by_the_weakest_profile_that_lets_it() -> None:
    made = Diagnosed("create b; write b 0 10 A; fsync b; ack b", promised, profile="posix-strict")
    (failure,) = made.failures
    assert failure.profiles == ("posix-strict",)
    assert failure.rule == ALL["posix-strict"].title
    assert failure.where == where(failure.profiles)

    (failure,) = Diagnosed("write a 0 4096 A; ack a", promised, profile="posix-strict").failures
    assert failure.profiles == tuple(name for name in ALL if name != "prefix")
    assert failure.rule == ALL[failure.profiles[0]].title


def test_what_fails_with_nothing_lost_fails_on_every_profile() -> None:
    made = Diagnosed("write c 0 4096 B; chmod a 600", lambda tree, _: holds(tree, "c") == b"x")
    (failure,) = made.failures
    assert (failure.dropped, failure.kept) == ((), ())
    assert failure.profiles == tuple(ALL)


def test_a_torn_page_is_told() -> None:
    def torn(tree: Tree, _: object) -> bool:
        return len(set(tree["a"].content or b"")) == 1

    made = Diagnosed("write a 0 4096 A", torn, deep=True)
    (failure,) = made.failures
    assert [(change.path, change.torn) for change in failure.dropped] == [("a", True)]


@pytest.mark.parametrize(
    ("profiles", "text"),
    [
        (["prefix", "ext4-ordered", "xfs"], "on every profile, with nothing lost at all"),
        (["ext4-ordered", "xfs", "btrfs", "posix-strict"], "on ext4-ordered, xfs and btrfs"),
        (["ext4-writeback", "xfs", "btrfs"], "on xfs and btrfs"),
        (["ext4-writeback", "posix-strict"], "on ext4-writeback"),
        (["posix-strict"], "only where the standard allows more than any Linux filesystem does"),
    ],
)
def test_where_is_told_in_words(profiles: list[str], text: str) -> None:
    assert where(profiles) == text


def test_calls_around_a_moment_are_the_nearest_that_are_known() -> None:
    history = Modelled(BEFORE, "chmod a 600; ack one; chmod a 640; chmod a 644; ack two").history
    known = {0: 5, 3: 8}
    steps = tuple(replace(step, call=known.get(step.number)) for step in history.steps)
    assert [step.number for step in steps if step.kind is StepKind.ACK] == [1, 4]
    history = replace(history, steps=steps)
    assert [call_before(history, point) for point in range(6)] == [None, 5, 5, 5, 8, 8]
    assert [call_after(history, point) for point in range(6)] == [5, 8, 8, 8, None, None]


def test_in_which_order_states_failed_does_not_matter() -> None:
    made = Diagnosed("write a 0 4096 A; ack a; write c 0 4096 A; chmod c 600; ack c", promised)
    backwards = made.diagnosis.failures(made.failing[::-1], lambda _: None)
    assert [one.failure for one in backwards] == made.failures
    assert [failure.point for failure in made.failures] == [2, 5]


def test_what_a_state_lost_beside_what_is_enough_is_left_out() -> None:
    made = Diagnosed("write a 0 4096 A; ack a; write c 0 4096 C; write c 0 10 D; ack c", lost_a)
    end = len(made.history.steps)
    worst = min(
        (one for one in made.failing if one[0].state.point == end),
        key=lambda one: one[0].state.atoms.bit_count(),
    )
    (one,) = made.diagnosis.failures([worst], lambda _: None)
    failure = one.failure
    assert [change.shown for change in failure.dropped] == ["call 10"]
    assert [change.shown for change in failure.kept] == ["call 12", "call 13"]
    assert parse(failure.id, made.history) == one.found.state != worst[0].state
    assert (failure.ack, failure.acks) == ("a", 2)
    assert (failure.after_call, failure.before_call) == (14, None)


def lost_a(tree: Tree, acks: tuple[str, ...]) -> bool:
    """Tell whether a begins with A, if that was acknowledged."""
    return "a" not in acks or holds(tree, "a") == b"A"


def test_the_same_loss_can_break_a_promise_and_the_rest() -> None:
    def good(tree: Tree, acks: tuple[str, ...]) -> bool:
        return lost_a(tree, acks) and (holds(tree, "c") != b"C" or holds(tree, "a") == b"A")

    made = Diagnosed("write a 0 4096 A; ack a; write c 0 4096 C", good)
    assert {failure.loss for failure in made.failures} == {Loss.ACKNOWLEDGED, Loss.CORRUPT}
    for failure in made.failures:
        assert [change.path for change in failure.dropped] == ["a"]


def test_a_directory_and_the_names_in_it_are_not_lost_alike() -> None:
    def good(tree: Tree, acks: tuple[str, ...]) -> bool:
        return not acks or ("d/b" in tree and tree["d"].mode & 0o777 == 0o700)

    made = Diagnosed(
        "chmod d 700; create d/b; ack all", good, before="mkdir d", profile="posix-strict"
    )
    assert len(made.failures) == 2


def test_what_fails_with_nothing_lost_explains_no_loss() -> None:
    def good(tree: Tree, _: object) -> bool:
        shut = tree["a"].mode & 0o777 == 0o600
        return "b" not in tree and not (shut and holds(tree, "a") == b"x")

    made = Diagnosed("write a 0 4096 A; chmod a 600; ack shut; create b", good)
    lost = [{(one.path, one.part) for one in failure.dropped} for failure in made.failures]
    assert lost == [set(), {("a", "data")}]
