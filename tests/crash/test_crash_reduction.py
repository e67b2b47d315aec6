"""Failing states are made small, twins are asked about once, syncs are needed or not."""

from typing import TYPE_CHECKING, cast

import pytest
from crash_cases import NO_LIMIT, Case, Words
from litmus_facts import Tree
from msgspec import structs

from tracefs.crash.changes import Describer
from tracefs.crash.diagnosis import Diagnosis, Reduced
from tracefs.crash.examiner import ByPrefix
from tracefs.crash.exploration import Explored, Limits, explore
from tracefs.crash.reduction import Reducer, breaking, lost_ack
from tracefs.crash.redundancy import redundant
from tracefs.crash.repairs import repairs
from tracefs.crashes import Checked, Loss
from tracefs.persistence.history import History, StepKind, bits
from tracefs.persistence.profiles import ALL
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import State
from tracefs.persistence.strategies import Strategy

if TYPE_CHECKING:
    from tracefs.crash.recorded import Recorded


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


TWICE = "write a 0 4096 A; fsync a; fsync a; create b; fsync ."
ONCE = "write a 0 4096 A; fsync a; create b; fsync ."


@pytest.mark.parametrize(
    ("text", "redundant_ones", "together"),
    [
        (TWICE, [True, True, True], [True, False, True]),
        (ONCE, [False, True], [True, True]),
    ],
    ids=["twice", "once"],
)
def test_a_sync_is_needed_if_more_fails_without_it(
    text: str, redundant_ones: list[bool], together: list[bool]
) -> None:
    case = Case(BEFORE, text, both_or_none)
    history = case.modelled.history

    def again(other: History) -> Explored:
        return case.explored(other, "ext4-ordered")

    found = list(redundant(cast("Recorded", Words()), history, again(history), again))
    assert [one.redundant for one in found] == redundant_ones
    assert [one.together for one in found] == together


@pytest.mark.parametrize("first", [True, False], ids=["with it", "without it"])
@pytest.mark.parametrize(
    ("text", "verdicts"), [(TWICE, [None] * 3), (ONCE, [False, None])], ids=["twice", "once"]
)
def test_what_was_not_explored_makes_no_sync_redundant(
    text: str, verdicts: list[bool | None], first: bool
) -> None:
    case = Case(BEFORE, text, both_or_none)
    history = case.modelled.history

    def again(other: History, *, whole: bool = False) -> Explored:
        explored = case.explored(other, "ext4-ordered")
        return explored if whole else structs.replace(explored, left=1)

    before = again(history, whole=not first)
    found = list(redundant(cast("Recorded", Words()), history, before, again))
    assert [one.redundant for one in found] == (verdicts if not first else [None] * len(found))


@pytest.mark.parametrize(("left", "verified"), [(0, True), (1, False)])
def test_a_repair_is_verified_where_all_was_explored(left: int, verified: bool) -> None:
    case = Case(BEFORE, TEXT, both_or_none)
    reduced = _reduced(case)

    def again(history: History) -> Explored:
        return structs.replace(case.explored(history, "ext4-ordered"), left=left)

    [repair] = repairs(case.modelled.history, reduced, again)
    assert (repair.sync, repair.path) == ("fdatasync", "a")
    assert (repair.verified, repair.whole) == (verified, verified)


def test_what_does_not_count_needs_no_repair() -> None:
    case = Case(BEFORE, TEXT, both_or_none)
    reduced = _reduced(case)
    failure = structs.replace(reduced.failure, loss=Loss.CREATION)

    def again(_: History) -> Explored:
        raise AssertionError("nothing is to be tried")

    assert repairs(case.modelled.history, structs.replace(reduced, failure=failure), again) == ()


def _reduced(case: Case) -> Reduced:
    history = case.modelled.history
    everywhere = [Persistence(rules, history) for rules in ALL.values()]
    describer = Describer(cast("Recorded", Words()), history)
    profiles = [case.modelled.under("ext4-ordered")]
    diagnosis = Diagnosis(case.search, case.examiner, profiles, everywhere, describer)
    [reduced] = diagnosis.failures(case.explored(history, "ext4-ordered").failing, lambda _: None)
    return reduced


def test_the_acknowledgement_that_is_lost_is_the_first_that_is_not_there() -> None:
    case = Case(
        "create f; write f 0 4096 0",
        "write f 0 4096 1; fsync f; ack one; write f 0 4096 2; ack two; write f 0 4096 3; "
        "ack three",
        bool,
    )
    history = case.modelled.history
    points = [step.number for step in history.steps if step.kind is StepKind.ACK]
    prefix = Persistence(ALL["prefix"], history)
    contents = case.search.contents(range(len(history.steps) + 1), prefix)
    examiner = ByPrefix(contents, points)
    persistence = case.modelled.under("ext4-ordered")
    end = len(history.steps)
    oldest = State(end, persistence.forced(end))

    assert history.acks == ("one", "two", "three")
    assert lost_ack(case.search.found(oldest, "ext4-ordered"), examiner) == 1
    newest = State(end, persistence.happened(end))
    ((_, answer),) = examiner.ask([case.search.found(newest, "ext4-ordered")])
    assert answer.checked is Checked.GOOD
