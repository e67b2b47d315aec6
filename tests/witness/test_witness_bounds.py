"""What a program may make of its own memory keeps neither itself nor the supervisor for ever."""

import mmap
import os
import random
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracefs.witness.cfi import UnwindError
from tracefs.witness.go_frames import GoKnown, GoTable
from tracefs.witness.memory import Memory
from tracefs.witness.python_lines import line_at
from tracefs.witness.varint import LEB128, LOCATIONS, unsigned


@pytest.mark.parametrize("bits", [LEB128, LOCATIONS])
def test_a_number_without_end_is_none(bits: int) -> None:
    with pytest.raises(ValueError, match="a number without end"):
        unsigned(b"\xff" * (1 << 20), 0, bits)
    largest = (1 << 64) - 1
    groups = [largest >> shift & (1 << bits) - 1 for shift in range(0, 64, bits)]
    spelled = bytes([*(group | 1 << bits for group in groups[:-1]), groups[-1]])
    assert unsigned(spelled, 0, bits) == (largest, len(spelled))


def test_a_table_of_lines_that_is_one_number() -> None:
    """A megabyte of it took minutes, in which the program was held and nothing else heard."""
    before = time.process_time()
    with pytest.raises(ValueError, match="a number without end"):
        line_at(b"\xf0" + b"\x7f" * (1 << 20), 1, 0)
    assert time.process_time() - before < 10


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2**32), st.integers(0, 2**16))
def test_any_table_of_lines_has_an_end(table: bytes, first: int, offset: int) -> None:
    try:
        line_at(table, first, offset)
    except (IndexError, ValueError):
        return


def read_for_ever(memory: Memory, address: int) -> None:
    while True:
        memory.u64(address)


def test_reading_has_an_end() -> None:
    memory = Memory(os.getpid())
    at = next(one.start for one in memory.mappings if one.path)
    try:
        with pytest.raises(OSError, match="more to read than makes sense"):
            read_for_ever(memory, at)
    finally:
        memory.close()


def test_a_search_through_a_file_of_a_terabyte_has_an_end(tmp_path: Path) -> None:
    """It has no contents, and is mapped as the program's own file could be."""
    sparse = tmp_path / "program"
    sparse.touch()
    os.truncate(sparse, 1 << 40)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with sparse.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
        memory = Memory(os.getpid())
        try:
            with pytest.raises((OSError, UnwindError)):
                GoTable(memory, str(sparse), GoKnown(whole=False))
        finally:
            memory.close()
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 30


def test_what_is_mapped_is_found_where_it_is() -> None:
    memory = Memory(os.getpid())
    try:
        chosen = random.Random(1)
        edges = [edge for one in memory.mappings for edge in (one.start, one.end - 1, one.end)]
        for address in (0, *edges, *(chosen.getrandbits(48) for _ in range(1000))):
            there = [one for one in memory.mappings if one.start <= address < one.end]
            assert memory.find(address) == (there[0] if there else None)
    finally:
        memory.close()
