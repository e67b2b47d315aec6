"""How often pages were written: against a list of all writes, and at the limit."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from report_support import PAGE

from tracefs.report.page_counts import PageCounts


def counted(limit: int, *writes: tuple[int, int]) -> PageCounts:
    counts = PageCounts(PAGE, limit)
    for offset, length in writes:
        counts.add(7, offset, length)
    return counts


def test_a_write_counts_for_each_page_that_it_touches() -> None:
    assert counted(9, (PAGE - 1, 2), (0, PAGE), (PAGE, 1)).of(7) == {0: 2, 1: 2}


def test_pages_beyond_the_limit_are_counted_and_told() -> None:
    counts = counted(2, *((page * PAGE, PAGE) for page in (0, 1, 2, 2, 0)))
    assert (counts.of(7), counts.not_followed) == ({0: 2, 1: 1}, 2)


def test_a_forged_length_ends() -> None:
    assert counted(2, (0, 1 << 62)).not_followed == (1 << 62) // PAGE - 2


def test_what_is_forgotten_or_cut_makes_room() -> None:
    counts = counted(2, (0, 2 * PAGE))
    counts.cut(7, PAGE)
    counts.add(8, 0, PAGE)
    assert (counts.of(7), counts.of(8), counts.not_followed) == ({0: 1}, {0: 1}, 0)
    assert counts.forget(7) == {0: 1}
    counts.add(8, PAGE, PAGE)
    assert (counts.of(7), counts.not_followed) == ({}, 0)


def test_a_page_that_was_cut_in_two_stays() -> None:
    counts = counted(9, (0, 2 * PAGE))
    counts.cut(7, PAGE + 1)
    assert counts.of(7) == {0: 1, 1: 1}
    counts.cut(7, PAGE)
    assert counts.of(7) == {0: 1}


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 4)), max_size=20),
)
def test_counts_and_what_is_not_followed_are_all(limit: int, writes: list[tuple[int, int]]) -> None:
    counts = counted(limit, *((first * PAGE, pages * PAGE) for first, pages in writes))
    wanted = Counter(page for first, pages in writes for page in range(first, first + pages))
    known = counts.of(7)
    assert sum(known.values()) + counts.not_followed == wanted.total()
    assert len(known) == min(limit, len(wanted))
    assert all(times <= wanted[page] for page, times in known.items())
