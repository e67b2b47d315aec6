"""What is read of a process: here of the test's own."""

import ctypes
import os
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest
from witness_support import NOBODY, descriptors

from tracefs.pathtext import to_text
from tracefs.witness.memory import Mapping, Memory, _parse

WORDS = (0x0123456789ABCDEF, 0xFFFFFFFFFFFFFFFE)


@pytest.fixture
def words() -> ctypes.Array[ctypes.c_uint64]:
    return (ctypes.c_uint64 * 2)(*WORDS)


@pytest.fixture
def memory(words: ctypes.Array[ctypes.c_uint64]) -> Iterator[Memory]:
    assert words
    made = Memory(os.getpid())
    yield made
    made.close()


def test_words_are_little_endian(memory: Memory, words: ctypes.Array[ctypes.c_uint64]) -> None:
    at = ctypes.addressof(words)
    assert (memory.u64(at), memory.u64(at + 8)) == WORDS
    assert (memory.u32(at), memory.u32(at + 4)) == (0x89ABCDEF, 0x01234567)
    assert memory.read(at, 16) == bytes(words)


@pytest.mark.parametrize(("address", "size"), [(-1, 8), (1 << 63, 8), (8, 8)])
def test_where_nothing_is_mapped_nothing_is_read(memory: Memory, address: int, size: int) -> None:
    with pytest.raises(OSError, match=r"no address|Input/output"):
        memory.read(address, size)


@pytest.mark.parametrize("size", [-1, 1 << 40, 1 << 70])
def test_a_length_that_makes_no_sense_is_not_read(
    memory: Memory, words: ctypes.Array[ctypes.c_uint64], size: int
) -> None:
    with pytest.raises(OSError, match="are not read"):
        memory.read(ctypes.addressof(words), size)


def test_what_ends_early_is_not_read(memory: Memory) -> None:
    last = next(one for one in memory.mappings if one.path and memory.find(one.end) is None)
    with pytest.raises(OSError, match="only 4 of 8 bytes"):
        memory.read(last.end - 4, 8)


@pytest.mark.parametrize("name", [b"plain", b"a\rb", b"a b", b"a\x0cb\x1cc\x85", b"\xff", b"a\nb"])
def test_a_mapped_file_is_found_by_its_address(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "w+b") as file:
        file.write(bytes(8192))
        file.flush()
        view = mmap(file.fileno(), 8192, access=ACCESS_READ)
    memory = Memory(os.getpid())
    memory.close()
    # The kernel itself writes a newline in a name as \012 (seq_file_path).
    shown = to_text(path.replace(b"\n", b"\\012"))
    (found,) = [one for one in memory.mappings if one.path == shown]
    assert (found.end - found.start, found.offset, found.executable) == (8192, 0, False)
    assert memory.find(found.start) == memory.find(found.end - 1) == found
    assert memory.find(found.end) != found
    assert memory.find(0) is None
    view.close()


def test_lines_of_maps() -> None:
    lines = (
        b"7f0000000000-7f0000002000 r-xp 00001000 fd:00 42      /lib/a\rb c\n"
        b"7f0000003000-7f0000004000 rw-p 00000000 00:00 0 \n"
        b"7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0       [vdso]\n"
    )
    assert list(_parse(lines, b"")) == [
        Mapping(
            0x7F0000000000, 0x7F0000002000, 0x1000, executable=True, path=to_text(b"/lib/a\rb c")
        ),
        Mapping(0x7F0000003000, 0x7F0000004000, 0, executable=False, path=""),
        Mapping(0x7FFD00000000, 0x7FFD00001000, 0, executable=True, path=""),
    ]
    assert list(_parse(b"", b"")) == []


def test_of_nobody_nothing_is_kept_open() -> None:
    before = descriptors()
    with pytest.raises(FileNotFoundError):
        Memory(NOBODY)
    assert descriptors() == before
