"""The parts of the benchmark that measure nothing: order, statistics, comparison."""

import itertools
from collections import Counter

import pytest
from bench.compare import compare
from bench.peers import TARGETS
from bench.plan import PLACEMENTS, STORAGES, order, steps
from bench.sample import Cell, Figure, Measured, Sample, figure, parse, sample
from bench.spread import Spread, percentile, ratios, spread
from bench.workloads import GROUPS, PROGRAMS, WORKLOADS, chosen, done_by, group_of
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("bare", "strace -f", "no-op", "tracefs")
CELL = Cell(storage="tmpfs", placement="free", workload="pwrite", target="bare")


def one_sample(round_no: int, median_ns: int) -> Sample:
    times = (median_ns,) * 3
    return sample(round_no, Measured(workload="pwrite", elapsed_ns=3 * median_ns, times=times))


def of(target: str, medians: dict[int, int]) -> Figure:
    cell = Cell(storage="tmpfs", placement="free", workload="pwrite", target=target)
    return figure(cell, [one_sample(number, median) for number, median in medians.items()])


def test_every_round_runs_every_program_everywhere_once() -> None:
    plan = {"worker": NAMES, "pgbench": NAMES[:2]}
    seen = Counter(
        (step.storage, step.placement, step.program, step.target) for step in steps(plan, 3)
    )
    pairs = [(program, target) for program, targets in plan.items() for target in targets]
    assert set(seen) == {
        (storage, placement, *pair)
        for storage, placement, pair in itertools.product(STORAGES, PLACEMENTS, pairs)
    }
    assert set(seen.values()) == {3}


def test_targets_take_turns_at_one_program() -> None:
    plan = {"worker": NAMES, "pgbench": NAMES}
    turns = [list(group) for _, group in itertools.groupby(steps(plan, 2), key=lambda s: s.program)]
    assert [len(turn) for turn in turns] == [len(NAMES)] * len(turns)


def test_in_four_rounds_each_target_follows_each_other_once() -> None:
    rounds = [order(NAMES, number) for number in range(4)]
    assert [set(names) for names in rounds] == [set(NAMES)] * 4
    assert sorted(first for first, *_ in rounds) == sorted(NAMES)
    pairs = [pair for names in rounds for pair in itertools.pairwise(names)]
    assert sorted(pairs) == sorted(itertools.permutations(NAMES, 2))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_targets_are_ordered_too(count: int) -> None:
    for number in range(5):
        assert sorted(order(NAMES[:count], number)) == sorted(NAMES[:count])


def test_rounds_come_one_after_the_other() -> None:
    numbers = [step.round for step in steps({"worker": NAMES}, 3)]
    assert numbers == sorted(numbers)


def test_every_workload_is_in_one_group_and_done_by_one_program() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(WORKLOADS)
    assert sorted(name for program in PROGRAMS for name in done_by(program)) == sorted(WORKLOADS)
    assert all(name in GROUPS[group_of(name)] for name in WORKLOADS)
    assert all(set(target.groups) <= set(GROUPS) for target in TARGETS.values())


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ((), WORKLOADS),
        (("pwrite",), ("pwrite",)),
        (("sqlite", "pwrite"), ("pwrite", "sqlite-wal", "sqlite-rollback")),
        (("threads", "8-threads-8-files"), GROUPS["threads"]),
    ],
)
def test_workloads_are_asked_for_by_name_and_by_group(
    asked: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert chosen(asked) == names


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 100))
def test_a_percentile_was_measured_and_has_its_share_below(times: list[int], percent: int) -> None:
    value = percentile(times, percent)
    assert value in times
    assert sum(time <= value for time in times) * 100 >= percent * len(times)
    assert sum(time < value for time in times) * 100 < percent * len(times)


@pytest.mark.parametrize(
    ("values", "median", "low", "high"),
    [
        ([5], 5, 5, 5),
        ([9, 3, 4], 4, 3, 9),
        ([7, 1, 9, 3, 4], 4, 1, 9),
        # Of an even number the lower of the two in the middle: it was measured.
        ([8, 2, 4, 6], 4, 2, 8),
    ],
)
def test_a_spread_is_the_middle_the_lowest_and_the_highest(
    values: list[float], median: float, low: float, high: float
) -> None:
    assert spread(values) == Spread(median=median, low=low, high=high)


def test_ratios_are_of_the_same_round() -> None:
    # The machine is ten times as slow in round 1, for both: within each round it is twice.
    assert ratios({0: 20, 1: 200}, {0: 10, 1: 100}) == Spread(median=2, low=2, high=2)
    # 3, 2 and 4 times; the ratio of the medians, 40 and 20, would be 2 as well, of the sums 3.1.
    ours, theirs = {0: 30, 1: 40, 2: 80}, {0: 10, 1: 20, 2: 20}
    assert ratios(ours, theirs) == Spread(median=3, low=2, high=4)


def test_rounds_that_only_one_has_have_no_ratio() -> None:
    assert ratios({0: 30, 1: 90}, {0: 10}) == Spread(median=3, low=3, high=3)
    assert ratios({0: 30}, {1: 10}) is None


def test_a_sample_is_the_median_and_the_99th_percentile_of_its_times() -> None:
    measured = Measured(workload="pwrite", elapsed_ns=5000, times=tuple(range(1, 201)))
    assert sample(3, measured) == Sample(
        round=3, median_ns=100, p99_ns=198, iterations=200, elapsed_ns=5000, served=None
    )


def test_a_figure_is_the_spread_of_its_rounds() -> None:
    samples = [
        Sample(
            round=number,
            median_ns=median,
            p99_ns=10 * median,
            iterations=100,
            elapsed_ns=elapsed,
            served=None,
        )
        for number, (median, elapsed) in enumerate([(7, 1000), (5, 2000), (6, 4000)])
    ]
    made = figure(CELL, samples)
    assert made.median_ns == Spread(median=6, low=5, high=7)
    assert made.p99_ns == Spread(median=60, low=50, high=70)
    # 100 in a microsecond are a hundred million in a second.
    assert made.calls_per_s == Spread(median=5e7, low=2.5e7, high=1e8)


def test_tracefs_is_compared_with_each_other_target() -> None:
    figures = [
        of("bare", {0: 10, 1: 10}),
        of("no-op", {0: 20, 1: 40}),
        of("tracefs", {0: 30, 1: 50}),
    ]
    made = [(one.cell.target, one.to, one.times) for one in compare(figures)]
    assert made == [
        ("tracefs", "bare", Spread(median=3, low=3, high=5)),
        ("tracefs", "no-op", Spread(median=1.25, low=1.25, high=1.5)),
    ]


def test_without_tracefs_nothing_is_compared() -> None:
    assert compare([of("bare", {0: 10}), of("no-op", {0: 10})]) == ()


def test_what_a_program_prints_is_read() -> None:
    assert parse("pwrite 35 10 20\n", "pwrite") == Measured(
        workload="pwrite", elapsed_ns=35, times=(10, 20)
    )


@pytest.mark.parametrize("printed", ["", "pwrite 10", "other 20 10 10", "pwrite: No space left"])
def test_anything_else_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match=r"instead of the times of pwrite|invalid literal"):
        parse(printed, "pwrite")
