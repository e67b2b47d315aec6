"""Modules of the test's own process, and of memory that is made up."""

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from test_witness_nonsense import BASE, CODE, SIZE, FakeMemory, program

from tracefs.witness.memory import Mapping, Memory
from tracefs.witness.modules import Module


@pytest.fixture
def memory() -> Iterator[Memory]:
    made = Memory(os.getpid())
    yield made
    made.close()


def module_at(memory: Memory, address: int) -> Module:
    mapping = memory.find(address)
    assert mapping is not None
    return Module(memory, mapping)


def address_of(name: str) -> int:
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


@pytest.mark.parametrize("name", ["PyLong_FromLong", "PyObject_Repr", "Py_DecRef"])
def test_an_exported_symbol_is_where_the_linker_finds_it(memory: Memory, name: str) -> None:
    address = address_of(name)
    assert module_at(memory, address).symbol(memory, name.encode()) == address


def test_a_symbol_that_is_not_exported(memory: Memory) -> None:
    module = module_at(memory, address_of("PyLong_FromLong"))
    assert module.symbol(memory, b"tracefs_has_no_such_thing") is None


def test_the_build_id_is_the_files(memory: Memory) -> None:
    read = ctypes.cast(ctypes.CDLL(None).read, ctypes.c_void_p).value or 0
    module = module_at(memory, read)
    told = subprocess.run(
        ["readelf", "-n", module.path], capture_output=True, text=True, check=True
    )
    found = re.search(r"Build ID: ([0-9a-f]+)", told.stdout)
    assert module.build == (found and found[1])
    assert module.frame_table is not None
    assert memory.read(module.frame_table, 1) == b"\x01"


def test_what_is_no_elf_file_is_no_module(memory: Memory) -> None:
    heap = memory.find(id(sys))
    assert heap is not None
    with pytest.raises(OSError, match="no 64-bit ELF file"):
        Module(memory, heap)


class Twice(FakeMemory):
    """The file is mapped whole, and its code a second time elsewhere."""

    def __init__(self, *mappings: Mapping) -> None:
        super().__init__(bytes(program(b"")))
        self.mappings = sorted(mappings, key=lambda one: one.start)


def whole(start: int) -> Mapping:
    return Mapping(start, start + SIZE, 0, executable=False, path="/bin/odd")


def code(offset: int) -> Mapping:
    return Mapping(CODE, CODE + 0x1000, offset, executable=True, path="/bin/odd")


@pytest.mark.parametrize("other", [BASE - 4 * SIZE, BASE + 4 * SIZE], ids=["below", "above"])
def test_the_nearest_begin_below_the_code_counts(other: int) -> None:
    module = Module(Twice(whole(other), whole(BASE), code(CODE - BASE)), code(CODE - BASE))
    assert module.bias == BASE


@pytest.mark.parametrize("offset", [CODE - BASE + 4096, CODE - BASE + 8192])
def test_code_that_is_not_where_the_headers_say_is_of_no_module(offset: int) -> None:
    with pytest.raises(OSError, match="its code is not where its headers say"):
        Module(Twice(whole(BASE), code(offset)), code(offset))
