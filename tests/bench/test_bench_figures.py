"""The parts of the benchmark that measure nothing: order, percentiles, tables."""

import itertools
from collections import Counter

import pytest
from bench.checking import Checking
from bench.measure import Commands, cells
from bench.plan import PLACEMENTS, STORAGES, order, steps
from bench.sample import WORKLOADS, Cell, Figure, figure, parse, percentile
from bench.table import render, render_commands
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

TARGETS = ("bare", "strace -f", "no-op", "tracefs")
CELL = Cell(storage="tmpfs", placement="free", workload="pwrite", target="bare")


def test_every_round_runs_every_target_everywhere_once() -> None:
    seen = Counter((step.storage, step.placement, step.target) for step in steps(TARGETS, 3))
    assert set(seen) == set(itertools.product(STORAGES, PLACEMENTS, TARGETS))
    assert set(seen.values()) == {3}


def test_in_four_rounds_each_target_follows_each_other_once() -> None:
    rounds = [order(TARGETS, number) for number in range(4)]
    assert [set(names) for names in rounds] == [set(TARGETS)] * 4
    assert sorted(first for first, *_ in rounds) == sorted(TARGETS)
    pairs = [pair for names in rounds for pair in itertools.pairwise(names)]
    assert sorted(pairs) == sorted(itertools.permutations(TARGETS, 2))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_targets_are_ordered_too(count: int) -> None:
    for number in range(5):
        assert sorted(order(TARGETS[:count], number)) == sorted(TARGETS[:count])


def test_rounds_come_one_after_the_other() -> None:
    numbers = [step.round for step in steps(TARGETS, 3)]
    assert numbers == sorted(numbers)


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(1, 100))
def test_a_percentile_was_measured_and_has_its_share_below(times: list[int], percent: int) -> None:
    value = percentile(times, percent)
    assert value in times
    assert sum(time <= value for time in times) * 100 >= percent * len(times)
    assert sum(time < value for time in times) * 100 < percent * len(times)


def test_a_figure_is_the_median_and_the_99th_percentile_of_all_times() -> None:
    assert figure(CELL, range(1, 201)) == Figure(
        cell=CELL, median_ns=100, p99_ns=198, iterations=200
    )


def test_what_the_worker_prints_is_read() -> None:
    printed = "".join(f"{name} 10 20\n" for name in WORKLOADS)
    assert parse(printed, WORKLOADS) == {name: [10, 20] for name in WORKLOADS}


@pytest.mark.parametrize(
    "printed",
    ["", "pwrite 10\n", "".join(f"{name}\n" for name in WORKLOADS), "pwrite: No space left\n"],
)
def test_anything_else_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match=r"the worker printed|invalid literal"):
        parse(printed, WORKLOADS)


def test_figures_are_shown_beside_their_references(snapshot: SnapshotAssertion) -> None:
    figures = [
        Figure(cell=cell, median_ns=700 * 3**number, p99_ns=1000 * 3**number, iterations=10)
        for number, cell in enumerate(cells(TARGETS)[:12])
    ]
    assert render(figures) == snapshot


def test_without_a_reference_there_is_no_ratio() -> None:
    alone = Figure(
        cell=Cell(storage="disk", placement="free", workload="pwrite", target="tracefs"),
        median_ns=1000,
        p99_ns=2000,
        iterations=1,
    )
    assert render([alone]).splitlines()[-1].split() == [
        *("pwrite", "tracefs", "1.00", "2.00"),
        *("-", "-", "-", "-"),
    ]


def test_commands_are_shown(snapshot: SnapshotAssertion) -> None:
    commands = Commands(
        python_ns=31_000_000,
        help_ns=50_400_000,
        run_true_ns=415_000_000,
        checking=(
            Checking(calls=1_000_000, bytes=210 << 20, calls_per_s=204_321, peak_kib=24_000),
        ),
    )
    assert render_commands(commands) == snapshot
