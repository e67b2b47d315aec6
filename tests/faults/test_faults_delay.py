"""Durations keep to the laws that they are drawn by, and are the same for the same seed."""

import math
from random import Random
from statistics import fmean, median, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.faults.delay import LONGEST_NS, duration_ns
from tracefs.faults.model import Delay, Shape

MS = 1_000_000
DRAWS = 20_000

milliseconds = st.floats(0, 1e12, allow_nan=False)
delays = st.builds(
    Delay,
    shape=st.sampled_from(Shape),
    first=milliseconds,
    second=milliseconds,
    per_mib=milliseconds,
)


@given(delays, st.integers(0, 1 << 40), st.integers())
def test_a_duration_is_neither_negative_nor_longer_than_a_day(
    delay: Delay, size: int, seed: int
) -> None:
    assert 0 <= duration_ns(delay, size, Random(seed)) <= LONGEST_NS


@given(delays, st.integers(0, 1 << 30), st.integers())
def test_one_seed_gives_one_series(delay: Delay, size: int, seed: int) -> None:
    one, other = Random(seed), Random(seed)
    for _ in range(5):
        assert duration_ns(delay, size, one) == duration_ns(delay, size, other)


@given(st.integers(0, 10_000), st.integers(0, 1 << 30))
def test_a_fixed_delay_is_what_it_says(first: int, size: int) -> None:
    assert duration_ns(Delay(first=first), size, Random(0)) == first * MS


def test_size_adds_what_a_mib_costs() -> None:
    delay = Delay(first=2, per_mib=8)
    spent = [duration_ns(delay, size, Random(0)) / MS for size in (0, 1 << 19, 1 << 20, 3 << 20)]
    assert spent == [2, 6, 10, 26]


@given(milliseconds, milliseconds, st.integers())
def test_uniform_keeps_between_its_ends(one: float, other: float, seed: int) -> None:
    low, high = sorted((one, other))
    drawn = duration_ns(Delay(shape=Shape.UNIFORM, first=low, second=high), 0, Random(seed))
    assert min(int(low * MS), LONGEST_NS) <= drawn <= math.ceil(high * MS)


def draws(shape: Shape, first: float, second: float = 0.0) -> list[float]:
    chance = Random(9)
    delay = Delay(shape=shape, first=first, second=second)
    return [duration_ns(delay, 0, chance) / MS for _ in range(DRAWS)]


# Means and deviations by the formulas of the laws; four standard errors to either side.
@pytest.mark.parametrize(
    ("shape", "first", "second", "mean", "deviation"),
    [
        (Shape.UNIFORM, 10, 40, 25, 30 / math.sqrt(12)),
        (Shape.NORMAL, 100, 10, 100, 10),
        (Shape.EXPONENTIAL, 7, 0, 7, 7),
        (
            Shape.LOGNORMAL, 5, 0.5,
            5 * math.exp(0.125), 5 * math.exp(0.125) * math.sqrt(math.exp(0.25) - 1),
        ),
    ],
)  # fmt: skip
def test_many_draws_have_the_mean_and_the_deviation_of_the_law(
    shape: Shape, first: float, second: float, mean: float, deviation: float
) -> None:
    drawn = draws(shape, first, second)
    assert fmean(drawn) == pytest.approx(mean, abs=4 * deviation / math.sqrt(DRAWS))
    assert pstdev(drawn) == pytest.approx(deviation, rel=0.1)


def test_medians_are_those_of_the_law() -> None:
    assert median(draws(Shape.EXPONENTIAL, 10)) == pytest.approx(10 * math.log(2), rel=0.05)
    assert median(draws(Shape.LOGNORMAL, 10, 1)) == pytest.approx(10, rel=0.05)


def test_a_normal_law_is_cut_at_zero() -> None:
    drawn = draws(Shape.NORMAL, 0, 10)
    assert sum(one == 0 for one in drawn) == pytest.approx(DRAWS / 2, rel=0.05)
