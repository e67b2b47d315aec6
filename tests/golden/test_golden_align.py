"""What two sequences share, against the textbook's table, and within bounds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tracefs.golden.align import _MOST, Match, align

SHORT = st.text("abcd", max_size=24)


def longest(a: str, b: str) -> int:
    """Return the length of the longest common subsequence (Wagner and Fischer 1974)."""
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
    return row[-1]


def matched(a: str, b: str) -> int:
    """Return how many match, after a look at whether they really do, and in order."""
    runs = align(a, b)
    for run in runs:
        assert run.length > 0
        assert a[run.a : run.a + run.length] == b[run.b : run.b + run.length]
    for one, following in pairwise(runs):
        assert one.a + one.length <= following.a
        assert one.b + one.length <= following.b
        assert (one.a + one.length, one.b + one.length) != (following.a, following.b)
    return sum(run.length for run in runs)


@given(SHORT, SHORT)
def test_what_matches_is_equal_and_in_order(a: str, b: str) -> None:
    assert (matched(a, b) == len(a) == len(b)) == (a == b)
    assert matched(a, b) <= longest(a, b)


@given(st.text("ab", max_size=24), st.text("ab", max_size=24))
def test_without_anchors_the_script_is_the_shortest(a: str, b: str) -> None:
    # Each letter twice on either side: nothing stands once.
    a, b = f"ab{a}ba", f"ba{b}ab"
    assert matched(a, b) == longest(a, b)


@given(SHORT, SHORT, SHORT)
def test_what_was_taken_out_is_all_that_is_missing(before: str, taken: str, behind: str) -> None:
    whole, rest = before + taken + behind, before + behind
    anchored = [*range(1000, 1000 + len(before)), *taken, *range(2000, 2000 + len(behind))]
    without = anchored[: len(before)] + anchored[len(before) + len(taken) :]
    assert sum(run.length for run in align(anchored, without)) == len(rest)
    assert matched(whole, whole) == len(whole)


def test_a_pair_that_stands_once_outweighs_more_that_repeats() -> None:
    assert align("sss1", "1sss") == [Match(3, 0, 1)]


def test_more_differences_than_one_script_may_have_are_all_found() -> None:
    a, b = "ab" * 4 * _MOST, "aab" * 3 * _MOST
    assert matched(a, b) <= longest(a, b)
    assert matched(a, b) > longest(a, b) * 0.8


def test_a_hundred_thousand_calls_in_no_common_order_take_bounded_steps() -> None:
    # Quadratic work would be 10^10 steps, past the limit of the test by far.
    a = [n * n % 1009 for n in range(100_000)]
    b = [n * 7 % 1013 for n in range(100_000)]
    assert sum(run.length for run in align(a, b)) > 1000
