"""Histories with another sync, or without one: all else stays as it is, under new numbers."""

import pytest
from litmus_model import Modelled
from msgspec.structs import replace

from tracefs.persistence.editing import with_syncs, without_steps
from tracefs.persistence.history import History, Step, StepKind, Sync
from tracefs.persistence.profiles import ALL
from tracefs.persistence.rules import Persistence

PLAIN = "write a 0 8192 A; ack one; fsync a; write a 0 4096 B; chmod a 600"


def plain() -> History:
    return Modelled("create a", PLAIN).history


def numbered_well(history: History) -> bool:
    """Tell whether steps and atoms know their numbers and each other."""
    own = {atom: step.number for step in history.steps for atom in range(step.first, step.stop)}
    return [step.number for step in history.steps] == list(range(len(history.steps))) and [
        (atom.number, atom.step) for atom in history.atoms
    ] == sorted(own.items())


def bare(step: Step) -> Step:
    """Return *step* without its number."""
    return replace(step, number=0)


def test_a_sync_comes_right_after_its_step_and_takes_no_time() -> None:
    history = plain()
    file, before = history.atoms[0].file, history.steps[3]
    edited = with_syncs(history, {3: (Sync(file),)})
    added = edited.steps[4]
    assert (added.kind, added.sync) == (StepKind.SYNC, Sync(file))
    assert added.start_ns == added.end_ns == before.end_ns
    assert added.first == added.stop == before.stop
    assert (added.call, added.ack) == (None, None)
    others = [bare(step) for step in edited.steps if step is not added]
    assert others == [bare(step) for step in history.steps]
    assert numbered_well(edited)


def test_several_syncs_stand_in_their_order_each_after_its_step() -> None:
    history = plain()
    whole, data = Sync(None), Sync(history.atoms[0].file, data_only=True)
    edited = with_syncs(history, {4: (whole,), 0: (data, whole)})
    assert [step.sync for step in edited.steps[1:3]] == [data, whole]
    assert edited.steps[-1].sync == whole
    assert len(edited.steps) == len(history.steps) + 3
    assert numbered_well(edited)
    assert edited.acks == history.acks == ("one",)


def test_atoms_are_the_same_under_other_steps() -> None:
    history = plain()
    edited = with_syncs(history, {0: (Sync(None),)})
    assert edited.atoms != history.atoms
    assert [replace(atom, step=0) for atom in edited.atoms] == [
        replace(atom, step=0) for atom in history.atoms
    ]
    assert (edited.files, edited.names, edited.root) == (
        history.files, history.names, history.root,
    )  # fmt: skip


@pytest.mark.parametrize("profile", [name for name in ALL if name != "prefix"])
def test_what_is_synced_then_can_not_be_lost(profile: str) -> None:
    history = plain()
    last = history.steps[-1].number
    edited = with_syncs(history, {last: (Sync(history.atoms[0].file),)})
    before, after = Persistence(ALL[profile], history), Persistence(ALL[profile], edited)
    changed = (1 << history.steps[-1].stop) - (1 << history.steps[3].first)
    assert not before.forced(len(history.steps)) & changed
    assert after.forced(len(edited.steps)) & changed == changed
    assert after.forced(len(edited.steps) - 1) == before.forced(len(history.steps))


def test_steps_are_taken_out_and_the_rest_stays() -> None:
    history = plain()
    edited = without_steps(history, {1, 2})
    assert [bare(step) for step in edited.steps] == [
        bare(step) for step in history.steps if step.number not in {1, 2}
    ]
    assert edited.acks == ()
    assert numbered_well(edited)
    # Its sync is gone, and with it what it forced.
    assert Persistence(ALL["xfs"], history).forced(len(history.steps))
    assert not Persistence(ALL["xfs"], edited).forced(len(edited.steps))


def test_what_was_added_can_be_taken_out_again() -> None:
    history = plain()
    edited = with_syncs(history, {0: (Sync(None),), 3: (Sync(None),)})
    assert without_steps(edited, (1, 5)) == history
    assert with_syncs(history, {}) == without_steps(history, ()) == history


@pytest.mark.parametrize("numbers", [{0}, {2, 3}])
def test_a_change_can_not_be_taken_out(numbers: set[int]) -> None:
    """Later ones are built on it."""
    with pytest.raises(AssertionError):
        without_steps(plain(), numbers)
