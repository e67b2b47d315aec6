"""What differs, and what can't be told."""

import random
from typing import Any

import pytest
from golden_support import PAGE, RUNS, close, fdatasync, golden, openat, pwrite, writer
from hypothesis import given

from tracefs.golden import Comparison, Golden, Order, Outcome, compare
from tracefs.golden.compare import Kind
from tracefs.golden.format import read, written
from tracefs.golden.normalise import normalised
from tracefs.trace.call import Call


def run(*calls: Call, **fields: Any) -> Golden:
    return golden(normalised(calls), **fields)


def kinds(found: Comparison) -> list[tuple[str, int, int, bool]]:
    return [
        (step.kind, step.a, step.b, step.moved)
        for lane in found.lanes
        for step in lane.steps
        if step.kind is not Kind.SAME
    ]


RIGHT = tuple(writer(0, 1, 2))


def fields(one: Call) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


@given(RUNS)
def test_a_run_is_equal_to_itself_if_all_calls_have_a_name(one: Golden) -> None:
    told = one.entries and not one.unknown
    for order in Order:
        found = compare(one, one, order)
        assert found.outcome is (Outcome.EQUAL if told else Outcome.UNKNOWN)
        assert found.differences == 0


@given(RUNS, RUNS)
def test_what_is_equal_has_the_same_calls(a: Golden, b: Golden) -> None:
    for order in Order:
        found = compare(a, b, order)
        back = compare(b, a, order)
        assert found.outcome is back.outcome
        if found.outcome is Outcome.EQUAL:
            assert sorted(e.call for e in found.a.entries) == sorted(
                e.call for e in found.b.entries
            )


@given(RUNS, RUNS)
def test_a_file_compares_as_the_run_does(a: Golden, b: Golden) -> None:
    for order in Order:
        found = compare(a, b, order)
        again = compare(read(written(a).encode(), "a"), b, order)
        assert (found.outcome, kinds(found)) == (again.outcome, kinds(again))


def test_a_sync_that_is_missing() -> None:
    found = compare(run(*RIGHT), run(*RIGHT[:4], *RIGHT[5:]))
    assert (found.outcome, kinds(found)) == (Outcome.DIFFERENT, [(Kind.MISSING, 4, 4, False)])


def test_a_call_that_does_the_same_otherwise_is_one_difference() -> None:
    changed = openat(created=False, flags=("O_RDWR",), handle=100)
    found = compare(run(*RIGHT), run(changed, *RIGHT[1:]))
    assert kinds(found) == [(Kind.CHANGED, 0, 0, False)]


def test_a_call_at_another_place_is_moved() -> None:
    early = (RIGHT[0], RIGHT[2], RIGHT[1], *RIGHT[3:])
    found = compare(run(*RIGHT), run(*early))
    assert found.outcome is Outcome.DIFFERENT
    assert sorted(kind[0] for kind in kinds(found)) == [Kind.EXTRA, Kind.MISSING]
    assert all(kind[3] for kind in kinds(found))


def test_one_flow_that_wanders_from_thread_to_thread_is_equal() -> None:
    # As Go moves a goroutine: pwrite64 in one thread, fdatasync in another.
    wandering = [
        openat(created=False, tid=1), pwrite(0, tid=1), fdatasync(tid=2), pwrite(PAGE, tid=2),
        fdatasync(tid=1), pwrite(2 * PAGE, tid=3), fdatasync(tid=3), close(tid=2),
    ]  # fmt: skip
    assert compare(run(*RIGHT), run(*wandering)).outcome is Outcome.EQUAL
    assert compare(run(*RIGHT), run(*wandering), Order.THREAD).outcome is Outcome.DIFFERENT


def interleaved(seed: int) -> list[Call]:
    """Return what four threads do, each on two files, in an order by chance."""
    chance = random.Random(seed)
    threads = [
        [*writer(*range(n), tid=n + chance.randrange(100) * 10, path="a"),
         *writer(n, tid=0, path=f"b{n}")]
        for n in range(1, 5)
    ]  # fmt: skip
    for thread in threads:
        tid = thread[0].tid
        thread[:] = [Call(**{**fields(one), "tid": tid}) for one in thread]
    calls = []
    while any(threads):
        calls.append(chance.choice([thread for thread in threads if thread]).pop(0))
    return calls


@pytest.mark.parametrize("seed", range(20))
def test_threads_that_interleave_otherwise_are_equal(seed: int) -> None:
    one, other = run(*interleaved(seed)), run(*interleaved(seed + 1000))
    found = compare(one, other)
    assert (found.outcome, found.order) == (Outcome.EQUAL, Order.THREAD)
    assert compare(one, read(written(other).encode(), "x")).outcome is Outcome.EQUAL
    assert compare(one, other, Order.WHOLE).outcome is Outcome.DIFFERENT


def test_a_sync_that_one_of_the_threads_leaves_out_is_found() -> None:
    calls = interleaved(1)
    victim = next(at for at, one in enumerate(calls) if one.path == "b3" and one.family == "sync")
    found = compare(run(*interleaved(2)), run(*calls[:victim], *calls[victim + 1 :]))
    assert found.outcome is Outcome.DIFFERENT
    assert [kind for kind, *_ in kinds(found)] == [Kind.MISSING]


def test_threads_that_are_most_alike_belong_together() -> None:
    def both(*order: int) -> list[Call]:
        made = {1: [*writer(*range(9), tid=1)], 2: [*writer(*range(20, 29), tid=2)]}
        return [one for thread in order for one in made[thread]]

    without = [one for one in both(2, 1) if one.offset not in {3 * PAGE, 23 * PAGE}]
    found = compare(run(*both(1, 2)), run(*without))
    assert [kind for kind, *_ in kinds(found)] == [Kind.MISSING, Kind.MISSING]
    assert [lane.name for lane in found.lanes if lane.differences] == ["T1", "T2"]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (openat("a"), openat("b"), True),
        (pwrite(0, "a"), pwrite(8 * PAGE, "a"), True),
        (fdatasync("a"), Call(**{**fields(fdatasync("a")), "call": "fsync"}), True),
        (pwrite(0, "a"), Call(**{**fields(pwrite(0, "b")), "call": "write"}), False),
        (pwrite(0, "a"), fdatasync("a"), False),
    ],
)
def test_which_two_calls_are_the_same_done_otherwise(
    one: Call, other: Call, *, together: bool
) -> None:
    found = compare(run(one), run(other))
    expected = [Kind.CHANGED] if together else [Kind.MISSING, Kind.EXTRA]
    assert [kind for kind, *_ in kinds(found)] == expected


def test_a_pool_of_threads_is_compared_without_an_order() -> None:
    def pool(seed: int) -> Golden:
        chance = random.Random(seed)
        pages = list(range(30))
        chance.shuffle(pages)
        calls = [
            one
            for page in pages
            for tid in [chance.randrange(4)]
            for one in (pwrite(page * PAGE, tid=tid), fdatasync(tid=tid))
        ]
        return run(*calls)

    assert compare(pool(1), pool(2)).outcome is Outcome.DIFFERENT
    assert compare(pool(1), pool(2), Order.NONE).outcome is Outcome.EQUAL


UNNAMED = pwrite(0, handle=100, known_by=None, reason="io_uring")
UNNAMED = Call(**{**fields(UNNAMED), "call": "unknown"})


def test_a_call_without_a_name_is_equal_to_nothing() -> None:
    unnamed = run(RIGHT[0], UNNAMED, *RIGHT[2:])
    found = compare(run(*RIGHT), unnamed)
    assert (found.outcome, kinds(found)) == (Outcome.UNKNOWN, [(Kind.CHANGED, 1, 1, False)])
    assert found.undecided == ("B: 1 call has no name",)
    same = compare(unnamed, unnamed)
    assert (same.outcome, same.differences) == (Outcome.UNKNOWN, 0)
    assert same.undecided == ("A: 1 call has no name", "B: 1 call has no name")
    # It may be nothing, as far as anybody knows.
    more = run(*RIGHT[:2], Call(**{**fields(UNNAMED), "family": "none"}), *RIGHT[2:])
    assert compare(more, run(*RIGHT)).outcome is Outcome.UNKNOWN
    # What has nothing to do with it is a difference all the same.
    other = openat(created=False, flags=("O_RDWR",), handle=100)
    assert compare(run(other, *RIGHT[1:]), unnamed).outcome is Outcome.DIFFERENT


def test_what_an_incomplete_recording_lacks_proves_nothing() -> None:
    cut = run(*RIGHT[:4], incomplete="no footer")
    assert compare(run(*RIGHT), cut).outcome is Outcome.UNKNOWN
    assert compare(cut, run(*RIGHT)).outcome is Outcome.UNKNOWN
    assert compare(run(*RIGHT), run(*RIGHT, incomplete="no footer")).outcome is Outcome.UNKNOWN
    # What it has and the other has not is a difference.
    assert compare(run(*RIGHT[:2]), cut).outcome is Outcome.DIFFERENT


def test_what_one_level_of_the_witness_misses_proves_nothing() -> None:
    seek = Call(**{**fields(RIGHT[1]), "call": "lseek", "family": "seek"})
    full, less = run(RIGHT[0], seek, *RIGHT[1:]), run(*RIGHT, witness="proc")
    assert compare(full, less).outcome is Outcome.UNKNOWN
    assert compare(run(*RIGHT), less).outcome is Outcome.UNKNOWN
    assert compare(full, run(*RIGHT)).outcome is Outcome.DIFFERENT


def changing(one: Call, **new: Any) -> Golden:
    """Return what a writer does, *one* of whose calls is otherwise."""
    other = Call(**{**fields(one), **new})
    return run(*(other if each is one else each for each in RIGHT))


def test_a_name_that_nobody_saw_may_be_the_same() -> None:
    guess = changing(RIGHT[0], call="open", known_by="fuse")
    found = compare(run(*RIGHT), guess)
    assert (found.outcome, kinds(found)) == (Outcome.UNKNOWN, [(Kind.CHANGED, 0, 0, False)])
    assert compare(guess, guess).outcome is Outcome.EQUAL
    other = changing(RIGHT[0], call="open", known_by="fuse", flags=("O_RDWR",))
    assert compare(run(*RIGHT), other).outcome is Outcome.DIFFERENT


def test_nor_is_a_change_of_attributes_told_by_its_request() -> None:
    seen = Call(**{**fields(RIGHT[0]), "call": "fchown", "family": "attr", "flags": ()})
    guess = Call(**{**fields(seen), "call": "chown", "known_by": "fuse"})
    assert compare(run(seen), run(guess)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("field", ["path", "offset", "length", "result"])
def test_what_nobody_saw_of_a_call_may_be_the_same(field: str) -> None:
    found = compare(run(*RIGHT), changing(RIGHT[3], **{field: None}))
    assert (found.outcome, found.differences > 0) == (Outcome.UNKNOWN, True)


def test_a_lower_level_takes_each_closing_for_a_close() -> None:
    exits = changing(RIGHT[-1], call="exit", result=None)
    assert compare(run(*RIGHT), exits).outcome is Outcome.DIFFERENT
    less = golden(run(*RIGHT).entries, witness="proc")
    assert compare(less, exits).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("seed", range(5))
def test_stores_are_written_back_when_the_kernel_likes(seed: int) -> None:
    store = pwrite(0, "map", tid=None, pid=None)
    stores = [Call(**{**fields(store), "call": "mmap", "offset": n * PAGE}) for n in range(3)]
    chance = random.Random(seed)
    calls = list(RIGHT)
    for at, one in zip(sorted(chance.sample(range(len(calls)), 3)), stores, strict=True):
        calls.insert(at, one)
    assert compare(run(*stores, *RIGHT), run(*calls)).outcome is Outcome.EQUAL
    assert compare(run(*stores[1:], *RIGHT), run(*calls)).outcome is Outcome.DIFFERENT


def test_nothing_is_not_equal_to_nothing() -> None:
    found = compare(run(), run())
    assert (found.outcome, found.undecided) == (
        Outcome.UNKNOWN,
        ("neither has a call to compare",),
    )


def test_what_one_file_chose_is_chosen_of_the_other() -> None:
    log = tuple(writer(5, path="log"))
    chosen = run(*RIGHT[1:-1:2], only=("write",), paths=("*.db",))
    assert compare(chosen, run(*RIGHT, *log)).outcome is Outcome.EQUAL
    found = compare(run(*log, *RIGHT[:3]), chosen)
    assert [kind for kind, *_ in kinds(found)] == [Kind.EXTRA, Kind.EXTRA]
