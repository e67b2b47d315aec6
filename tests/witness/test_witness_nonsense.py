"""A stopped program's memory may hold anything: whatever is read of it, an answer comes of it."""

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.witness import stack
from tracefs.witness.memory import Mapping, Memory
from tracefs.witness.stack import StackReader

BASE, SIZE = 0x10000, 0x4000
CODE, FRAMES, CIE, FDE = BASE + 0x1000, BASE + 0x2000, BASE + 0x2100, BASE + 0x2200
SP = BASE + 0x3000


class FakeMemory(Memory):
    """One program of one file, mapped once; of the bytes that are given."""

    def __init__(self, data: bytes, path: str = "/bin/odd") -> None:
        self._data = data.ljust(SIZE, b"\0")
        self._take([Mapping(BASE, BASE + SIZE, 0, executable=True, path=path)])

    def close(self) -> None:
        pass

    def _read(self, address: int, size: int) -> bytes:
        data = self._data[address - BASE : address - BASE + size] if address >= BASE else b""
        if len(data) != size:
            raise OSError(f"only {len(data)} of {size} bytes at {address:#x}")
        return data


def put(image: bytearray, address: int, data: bytes) -> None:
    image[address - BASE : address - BASE + len(data)] = data


def program(instructions: bytes) -> bytearray:
    """Return an ELF file of one function, told by one FDE of these instructions."""
    image = bytearray(SIZE)
    put(image, BASE, b"\x7fELF\x02".ljust(64, b"\0"))
    put(image, BASE + 32, struct.pack("<Q", 64))
    put(image, BASE + 54, struct.pack("<HH", 56, 2))
    put(image, BASE + 64, struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, SIZE, SIZE, 4096))
    put(image, BASE + 120, struct.pack("<IIQQQQQQ", 0x6474E550, 4, 0, FRAMES - BASE, 0, 20, 20, 4))
    index = (1, 0x1B, 0x03, 0x3B, 0, 1, CODE - FRAMES, FDE - FRAMES)
    put(image, FRAMES, struct.pack("<4BiIii", *index))
    common = struct.pack("<I", 0) + b"\x01zR\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01"
    put(image, CIE, struct.pack("<I", len(common)) + common)
    own = struct.pack("<IiIB", FDE + 4 - CIE, CODE - (FDE + 8), 0x100, 0) + instructions
    put(image, FDE, struct.pack("<I", len(own)) + own)
    return image


def captured(monkeypatch: pytest.MonkeyPatch, memory: FakeMemory) -> tuple[int, str | None]:
    """Return how many frames there are, and why there are no more."""
    monkeypatch.setattr(stack, "_registers", lambda _tid: (CODE + 8, SP))
    monkeypatch.setattr(stack, "Memory", lambda _tid: memory)
    frames, unstacked = StackReader("x86_64").capture(os.getpid())
    return len(frames), unstacked


def test_tables_that_make_sense_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert captured(monkeypatch, FakeMemory(bytes(program(b"\0\0")))) == (1, None)


@pytest.mark.parametrize(
    ("instructions", "error"),
    [(b"\x0b", "IndexError"), (b"\x0c\x07\x80", "IndexError")],
    ids=["a state that nobody remembered", "a number without an end"],
)
def test_an_fde_without_sense_cuts_the_stack_short(
    monkeypatch: pytest.MonkeyPatch, instructions: bytes, error: str
) -> None:
    frames, unstacked = captured(monkeypatch, FakeMemory(bytes(program(instructions))))
    assert frames == 1
    assert unstacked is not None
    assert unstacked.startswith(f"not further: the tables make no sense: {error}")


def test_a_hash_table_of_no_buckets_cuts_the_stack_short(monkeypatch: pytest.MonkeyPatch) -> None:
    image = program(b"\0\0")
    put(image, BASE + 54, struct.pack("<HH", 56, 3))
    put(image, BASE + 176, struct.pack("<IIQQQQQQ", 2, 4, 0, 0x2800, 0, 64, 64, 8))
    put(image, BASE + 0x2800, struct.pack("<6Q", 0x6FFFFEF5, 0x3800, 5, 0x3900, 6, 0x3A00))
    frames, unstacked = captured(monkeypatch, FakeMemory(bytes(image), "/usr/bin/python3.11"))
    assert frames == 1
    assert unstacked is not None
    assert unstacked.startswith("not further: the tables make no sense: ZeroDivisionError")


PLACES = st.one_of(
    st.integers(BASE, BASE + 240),
    st.integers(FRAMES, FRAMES + 24),
    st.integers(CIE, CIE + 24),
    st.integers(FDE, FDE + 40),
    st.integers(BASE, BASE + SIZE - 1),
)


@given(
    patches=st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=24)), max_size=12),
    instructions=st.binary(max_size=40),
    path=st.sampled_from(["/bin/odd", "/usr/bin/python3.11"]),
)
def test_whatever_the_memory_holds_there_is_an_answer(
    patches: list[tuple[int, bytes]], instructions: bytes, path: str
) -> None:
    image = program(instructions)
    for address, data in patches:
        put(image, address, data)
    with pytest.MonkeyPatch.context() as patch:
        frames, unstacked = captured(patch, FakeMemory(bytes(image[:SIZE]), path))
    assert frames or unstacked


@given(st.binary(max_size=SIZE))
def test_of_random_bytes_there_is_an_answer(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert captured(patch, FakeMemory(data))[1] is not None
