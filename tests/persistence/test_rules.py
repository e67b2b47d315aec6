"""A profile applied to a history: closures agree with a search through all sets of atoms."""

import errno
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litmus_model import Modelled
from litmus_random import Author
from msgspec.structs import replace

from tracefs import events
from tracefs.errors import UsageError
from tracefs.persistence.building import build
from tracefs.persistence.history import bits
from tracefs.persistence.profiles import ALL, LINUX, chosen
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import State, parse, spell
from tracefs.persistence.strategies import Strategy, states

SEEDS = range(12)
MOST_FREE = 9


def by_chance(seed: int, *, syncs: float = 0.25) -> Modelled:
    author = Author(seed)
    return Modelled(author.write(4, syncs=0), author.write(6, syncs=syncs))


def subsets(atoms: int) -> list[int]:
    free = bits(atoms)
    return [
        sum(1 << atom for place, atom in enumerate(free) if chosen_ones >> place & 1)
        for chosen_ones in range(1 << len(free))
    ]


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_forced_grows_and_is_allowed(profile: str, seed: int) -> None:
    persistence = by_chance(seed).under(profile)
    before = 0
    for point in range(len(persistence.history.steps) + 1):
        forced, happened = persistence.forced(point), persistence.happened(point)
        assert not before & ~forced
        assert not forced & ~happened
        assert persistence.allows(point, persistence.closed(point, 0))
        assert persistence.allows(point, happened)
        before = forced


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("seed", SEEDS)
def test_without_is_the_largest_and_closed_the_smallest(profile: str, seed: int) -> None:
    persistence = by_chance(seed).under(profile)
    for point in range(len(persistence.history.steps) + 1):
        forced = persistence.forced(point)
        free = persistence.happened(point) & ~forced
        if free.bit_count() > MOST_FREE:
            continue
        allowed = [
            forced | each for each in subsets(free) if persistence.allows(point, forced | each)
        ]
        for atom in bits(free):
            lacking = [state for state in allowed if not state >> atom & 1]
            assert persistence.without(point, 1 << atom) == max(lacking, key=int.bit_count)
            having = [state for state in allowed if state >> atom & 1]
            assert persistence.closed(point, 1 << atom) == min(having, key=int.bit_count)


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("seed", SEEDS)
def test_only_allowed_states_are_chosen(profile: str, seed: int) -> None:
    persistence = by_chance(seed).under(profile)
    found = list(states(persistence, Strategy(deep=True, random=3, seed=seed)))
    assert found == list(states(persistence, Strategy(deep=True, random=3, seed=seed)))
    for state in found:
        assert persistence.allows(state.point, state.atoms), (state, profile)
        assert not any(state.atoms >> atom & 1 for atom, _ in state.torn)
    points = range(len(persistence.history.steps) + 1)
    assert {State(point, persistence.happened(point)) for point in points} <= set(found)


@pytest.mark.parametrize("profile", [name for name in ALL if name != "prefix"])
def test_a_sync_that_failed_takes_from_later_ones_what_it_was_to_save(profile: str) -> None:
    """The kernel may have marked the pages clean (fsync(2), "NOTES" on EIO)."""
    plain = Modelled("create a", "write a 0 4096 A; fsync a; fsync .")
    persistence = plain.under(profile)
    end = len(persistence.history.steps)
    assert persistence.forced(end) == persistence.happened(end)

    history = persistence.history
    sync = next(step for step in history.steps if step.sync is not None)
    assert sync.sync is not None
    failed = replace(sync, sync=replace(sync.sync, failed=True))
    again = replace(sync, number=sync.number + 1)
    steps = (*history.steps[: sync.number], failed, again)
    retried = Persistence(ALL[profile], replace(history, steps=steps))
    data = sum(1 << atom.number for atom in history.atoms if atom.overlays)
    assert not retried.forced(len(steps)) & data


def changed_syncs(modelled: Modelled, change: Callable[[int, events.Fsync], events.Fsync]) -> int:
    """Return which data is forced at the end, with each sync changed that the program made."""
    seen = 0
    journal: list[events.AnyEvent] = []
    for event in modelled.events:
        if isinstance(event, events.Fsync):
            journal.append(change(seen, event))
            seen += 1
        else:
            journal.append(event)
    history = build(modelled.starting, journal, lambda _: None)
    persistence = Persistence(ALL["ext4-ordered"], history)
    data = sum(1 << atom.number for atom in history.atoms if atom.overlays)
    return persistence.forced(len(history.steps)) & data


@pytest.mark.parametrize(
    ("kind", "error", "saved"),
    [
        ("retval", 0, True),
        ("lost", 0, False),
        ("error", errno.EIO, False),
        ("error", errno.EINTR, True),
    ],
)
def test_what_a_later_sync_saves_after_one_that_a_rule_struck(
    kind: str, error: int, saved: bool
) -> None:
    """One that was only said to be done has lost nothing; one that failed, or will have, has."""
    struck = (events.Injected(rule="a rule", kind=kind),)

    def change(number: int, event: events.Fsync) -> events.Fsync:
        return event if number else replace(event, injected=struck, errno=error)

    modelled = Modelled("create a", "write a 0 4096 A; fsync a; fsync a")
    assert bool(changed_syncs(modelled, change)) is saved


def test_a_sync_that_was_only_said_to_be_done_saves_nothing() -> None:
    struck = (events.Injected(rule="a rule", kind="retval"),)
    modelled = Modelled("create a", "write a 0 4096 A; fsync a; fsync a")
    assert not changed_syncs(modelled, lambda _, event: replace(event, injected=struck))


@pytest.mark.parametrize("profile", LINUX)
def test_a_sync_covers_nothing_that_was_answered_after_it_came(profile: str) -> None:
    plain = Modelled("create a", "write a 0 4096 A; fsync a")
    history = plain.under(profile).history
    sync = history.steps[-1]
    # The write was answered while the sync was under way.
    late = replace(sync, start_ns=history.steps[-2].end_ns - 1)
    overlapping = Persistence(ALL[profile], replace(history, steps=(*history.steps[:-1], late)))
    data = sum(1 << atom.number for atom in history.atoms if atom.overlays)
    assert not overlapping.forced(len(history.steps)) & data


@given(
    point=st.integers(0, 6),
    dropped=st.sets(st.integers(0, 40), max_size=8),
    torn=st.dictionaries(st.integers(0, 40), st.integers(0, 255), max_size=2),
)
def test_names_of_states_are_read_as_they_were_meant(
    point: int, dropped: set[int], torn: dict[int, int]
) -> None:
    history = by_chance(3).history
    point = min(point, len(history.steps))
    happened = (1 << history.stop(point)) - 1
    lost = {atom for atom in dropped | set(torn) if happened >> atom & 1}
    atoms = happened & ~sum(1 << atom for atom in lost)
    state = State(point, atoms, tuple(sorted((a, s) for a, s in torn.items() if a in lost)))
    assert parse(spell(state, happened), history) == state


@pytest.mark.parametrize("name", ["", "x", "3-", "999", "1-400", "2-3:1", "-1", "1-0t1", "1_0"])
def test_what_names_no_state_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no state"):
        parse(name, by_chance(3).history)


def test_groups_of_profiles_have_names() -> None:
    assert tuple(rules.name for rules in chosen("linux")) == LINUX
    assert next(rules.name for rules in chosen("xfs,all,xfs")) == "xfs"
    assert len(chosen("xfs,all")) == len(ALL)
    with pytest.raises(UsageError, match="ext5"):
        chosen("linux,ext5")
