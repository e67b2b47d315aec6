"""Percentiles in constant memory."""

import itertools
import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tracefs.report.histogram import RESOLUTION, Histogram

VALUES = st.lists(st.integers(0, 1 << 62), min_size=1)


@given(VALUES, st.sampled_from([50, 90, 99, 100]))
def test_a_percentile_is_never_below_the_true_one_and_hardly_above(
    values: list[int], percent: int
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    true = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    assert true <= histogram.percentile(percent) <= true + true * RESOLUTION
    assert histogram.percentile(100) == max(values)


def test_small_values_are_exact() -> None:
    histogram = Histogram()
    for value in range(64):
        histogram.add(value)
    assert [histogram.percentile(p) for p in (50, 100)] == [31, 63]


def test_memory_does_not_grow_with_the_number_of_values() -> None:
    histogram = Histogram()
    for power in range(63):
        for step in range(200):
            histogram.add((1 << power) + (step << power) // 200)
    assert len(histogram._buckets) < 1900


def test_an_empty_one_answers_zero() -> None:
    assert Histogram().percentile(50) == 0


@given(st.lists(st.integers(0, 2**40), min_size=1))
def test_doublings_count_every_value_once(values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    found = histogram.doublings()
    wanted = Counter(1 << value.bit_length() for value in values)
    assert {below: count for below, count in found if count} == wanted
    limits = [below for below, _ in found]
    assert all(later == 2 * sooner for sooner, later in itertools.pairwise(limits))
