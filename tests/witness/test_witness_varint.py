"""Numbers in groups of bits: of 7 as DWARF has them, of 6 as CPython."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.witness.varint import LEB128, LOCATIONS, unsigned


@pytest.mark.parametrize(
    ("data", "bits", "value"),
    [
        # DWARF 5, figure 22.
        ("02", LEB128, 2), ("7f", LEB128, 127), ("8001", LEB128, 128), ("8101", LEB128, 129),
        ("b964", LEB128, 12857),
        # Objects/locations.md: the bit above six says that more follow.
        ("3f", LOCATIONS, 63), ("4803", LOCATIONS, 200),
    ],
)  # fmt: skip
def test_numbers_that_the_formats_give_as_examples(data: str, bits: int, value: int) -> None:
    raw = bytes.fromhex(data)
    assert unsigned(raw, 0, bits) == (value, len(raw))


@given(st.integers(0, 1 << 70), st.sampled_from([LEB128, LOCATIONS]), st.binary(max_size=4))
def test_a_number_ends_where_it_is_over(value: int, bits: int, rest: bytes) -> None:
    groups: list[int] = []
    left = value
    while not groups or left:
        groups.append(left & (1 << bits) - 1)
        left >>= bits
    data = bytes([group | 1 << bits for group in groups[:-1]] + groups[-1:])
    assert unsigned(b"x" + data + rest, 1, bits) == (value, 1 + len(data))


def test_a_number_without_an_end() -> None:
    with pytest.raises(IndexError):
        unsigned(b"\x80", 0, LEB128)
