"""Sets of bytes, against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from tracefs.ranges import Ranges

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 40), st.integers(0, 40))
)


@given(STEPS)
def test_it_holds_what_a_set_would_hold(steps: list[tuple[str, int, int]]) -> None:
    ranges, model = Ranges(), set[int]()
    for step, start, stop in steps:
        if step == "add":
            ranges.add(start, stop)
            model |= set(range(start, stop))
        else:
            ranges.remove(start, stop)
            model -= set(range(start, stop))
        assert ranges.total == len(model)
        assert len(ranges) == sum(1 for byte in model if byte - 1 not in model)
        assert {byte for start, stop in ranges for byte in range(start, stop)} == model


def test_clear_empties_it() -> None:
    ranges = Ranges()
    ranges.add(1, 5)
    ranges.clear()
    assert (ranges.total, len(ranges)) == (0, 0)


@given(STEPS, st.integers(0, 40), st.integers(0, 40))
def test_gaps_are_what_is_missing_in_order(
    steps: list[tuple[str, int, int]], start: int, stop: int
) -> None:
    ranges = Ranges((first, end) for step, first, end in steps if step == "add")
    here = {byte for first, end in ranges for byte in range(first, end)}
    gaps = [byte for first, end in ranges.gaps(start, stop) for byte in range(first, end)]
    assert gaps == [byte for byte in range(start, stop) if byte not in here]
