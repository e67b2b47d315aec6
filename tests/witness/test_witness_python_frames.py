"""What does not hold together on the way to a Python function ends the stack."""

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from msgspec.structs import replace
from python_support import TELL, pythons, telling

from tracefs.events import Frame
from tracefs.witness.cfi import UnwindError
from tracefs.witness.memory import Memory
from tracefs.witness.modules import Module
from tracefs.witness.python_frames import PythonFrames
from tracefs.witness.python_interpreter import Interpreter, interpreter_of, is_interpreter

Change = Callable[[Interpreter], Interpreter]
SENSELESS = "a Python function that makes no sense"


def offsets(**given: int) -> Change:
    return lambda one: replace(one, offsets=replace(one.offsets, **given))


def module_of(memory: Memory) -> Module:
    """Return the module that is the interpreter."""
    for mapping in memory.mappings:
        if mapping.executable and is_interpreter(mapping.path):
            module = Module(memory, mapping)
            if module.symbol(memory, b"_PyRuntime") is not None:
                return module
    raise AssertionError("no Python")


@pytest.fixture(scope="module")
def program() -> Iterator[tuple[int, int]]:
    """Thread and process of a program of Python 3.11 that waits."""
    command = [pythons(11)[0], "-c", TELL + "def work():\n tell(), os.read(0, 1)\nwork()"]
    with telling(command) as (tid, pid, _):
        yield tid, pid


def read(program: tuple[int, int], change: Change) -> list[Frame]:
    tid, pid = program
    with closing(Memory(pid)) as memory:
        module = module_of(memory)
        interpreter = change(interpreter_of(memory, module))
        return list(PythonFrames(memory, interpreter, module.bias).of_thread(tid))


def test_as_it_is_it_holds_together(program: tuple[int, int]) -> None:
    found = [(one.function, one.line) for one in read(program, lambda one: one)]
    lines = TELL.count("\n")
    assert found == [("work", lines + 2), ("<module>", lines + 3)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: replace(one, code_type=one.bytes_type), SENSELESS),
        (lambda one: replace(one, bytes_type=one.code_type), SENSELESS),
        (lambda one: replace(one, text_type=one.code_type), SENSELESS),
        (offsets(frame_instruction=32), SENSELESS),  # the code itself
        (offsets(frame_instruction=0), SENSELESS),  # the function
        (offsets(frame_owner=37), SENSELESS),  # within an address
        (offsets(object_size=24), SENSELESS),  # its hash
        (offsets(text_length=24), "a Python name that makes no sense"),  # its hash
        (offsets(text_state=8), "a Python name that makes no sense"),
        (offsets(text_state=16), "a Python name that makes no sense"),  # 8: two bytes, not compact
    ],
)
def test_what_does_not_hold_together_is_not_believed(
    program: tuple[int, int], change: Change, reason: str
) -> None:
    with pytest.raises(UnwindError, match=f"^{reason}$"):
        read(program, change)


class Made:
    """Structures of an interpreter in this process's own memory, at 64 bytes from each other."""

    def __init__(self, *numbers: int) -> None:
        self._buffer = ctypes.create_string_buffer(64 * len(numbers) + 64)
        self.base = ctypes.addressof(self._buffer)
        for index, number in enumerate(numbers):
            # A number n in place i says that structure i begins with the address of structure n.
            address = 0 if number < 0 else self.base + 64 * number
            struct.pack_into("<QQ", self._buffer, 64 * index, address, self.base + 128)

    def read(self, tid: int) -> list[Frame]:
        with closing(Memory(os.getpid())) as memory:
            interpreter = interpreter_of(memory, module_of(memory))
            at = replace(
                interpreter.offsets,
                interpreters_head=0,
                interpreter_next=0,
                threads_head=8,
                thread_next=0,
                thread_native_id=16,
            )
            made = replace(interpreter, runtime=self.base, offsets=at)
            return list(PythonFrames(memory, made, 0).of_thread(tid))


def test_a_list_of_interpreters_without_end_is_given_up() -> None:
    with pytest.raises(UnwindError, match="interpreters without end"):
        Made(1, 1, -1).read(1)


def test_a_list_of_threads_without_end_is_given_up() -> None:
    with pytest.raises(UnwindError, match="threads without end"):
        Made(1, -1, 2).read(1)


def test_a_thread_without_a_state_is_told() -> None:
    with pytest.raises(UnwindError, match="a thread that its Python doesn't know"):
        Made(1, -1, -1).read(1)


def marked() -> None:
    """Do nothing."""


def test_marks_in_a_reference_to_code_are_taken_off() -> None:
    """As 3.14 sets them; of this interpreter otherwise."""
    with closing(Memory(os.getpid())) as memory:
        module = module_of(memory)
        interpreter = interpreter_of(memory, module)
        at = replace(interpreter.offsets, cframe_frame=None, interpreters_head=0, threads_head=8)
        at = replace(at, interpreter_next=0, thread_native_id=0, thread_frame=8)
        code = id(marked.__code__)
        memory_made = ctypes.create_string_buffer(512)
        base = ctypes.addressof(memory_made)
        # _PyRuntime, an interpreter, a thread of number 7, its frame.
        struct.pack_into("<Q", memory_made, 0, base + 64)
        struct.pack_into("<QQ", memory_made, 64, 0, base + 128)
        struct.pack_into("<QQ", memory_made, 128, 7, base + 192)
        struct.pack_into("<Q", memory_made, 192 + at.frame_code, code | 3)
        struct.pack_into("<Q", memory_made, 192 + at.frame_instruction, code + at.code_bytecode)
        made = replace(interpreter, runtime=base - module.bias, offsets=at)
        found = list(PythonFrames(memory, made, module.bias).of_thread(7))
    line = marked.__code__.co_firstlineno
    assert found == [Frame(file=__file__, function="marked", line=line)]
