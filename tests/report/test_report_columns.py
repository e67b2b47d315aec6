"""Columns give back what was put into them; the reader here is written anew."""

import base64
import zlib

from hypothesis import given
from hypothesis import strategies as st

from tracefs.report.columns import LARGEST, Column, countable, pack


def numbers(data: bytes) -> list[int]:
    """Read varints (protobuf's encoding)."""
    found, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            found.append(value)
            value, shift = 0, 0
    return found


def folded(number: int) -> int:
    return number >> 1 ^ -(number & 1)


@given(st.lists(st.integers(0, 2**63)))
def test_numbers(put: list[int]) -> None:
    column = Column()
    for number in put:
        column.put(number)
    assert numbers(bytes(column.bytes)) == put


@given(st.lists(st.integers(-(2**52), 2**52)))
def test_signed_numbers(put: list[int]) -> None:
    column = Column()
    for number in put:
        column.put_signed(number)
    assert [folded(number) for number in numbers(bytes(column.bytes))] == put


@given(st.lists(st.tuples(st.none() | st.integers(-LARGEST, LARGEST), st.integers(0, LARGEST))))
def test_numbers_that_may_be_unknown(put: list[tuple[int | None, int]]) -> None:
    column = Column()
    for number, expected in put:
        column.put_known(number, expected)
    read = numbers(bytes(column.bytes))
    assert all(number < 2**53 for number in read)
    assert [
        None if number == 0 else expected + folded(number - 1)
        for number, (_, expected) in zip(read, put, strict=True)
    ] == [number for number, _ in put]


def test_what_is_too_large_is_not_known() -> None:
    assert [countable(number) for number in (None, LARGEST, LARGEST + 1, -LARGEST - 1)] == [
        None, LARGEST, None, None,
    ]  # fmt: skip


def test_columns_stand_one_behind_the_other() -> None:
    first, second = Column(), Column()
    first.put(300)
    second.put(5)
    packed = pack({"first": first, "second": second})
    assert (packed.names, packed.lengths) == (("first", "second"), (2, 1))
    assert zlib.decompress(base64.b64decode(packed.text), -15) == b"\xac\x02\x05"
