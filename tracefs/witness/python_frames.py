"""The functions that a CPython interpreter is in, read from its memory.

Offsets are those of CPython 3.11 (pycore_runtime.h, pycore_interp.h and pycore_frame.h in
Include/internal, pystate.h and code.h in Include/cpython); other versions have others, and are not
read. Everything is bounded, and a line is told only where the whole way to it holds together.
"""

import os
from collections.abc import Iterator
from typing import Final

from tracefs.events import Frame
from tracefs.witness.cfi import UnwindError
from tracefs.witness.memory import Memory
from tracefs.witness.modules import Module

_VERSION: Final = 0x030B
_INTERPRETERS_HEAD: Final = 40
_THREADS_HEAD: Final = 16
_THREAD_NEXT: Final = 8
_THREAD_CFRAME: Final = 56
_THREAD_NATIVE_ID: Final = 160
_CFRAME_CURRENT: Final = 8
_FRAME_CODE: Final = 32
_FRAME_PREVIOUS: Final = 48
_FRAME_PREV_INSTR: Final = 56
_CODE_FIRST_LINE: Final = 72
_CODE_FILENAME: Final = 112
_CODE_QUALNAME: Final = 128
_CODE_LINETABLE: Final = 136
_CODE_ADAPTIVE: Final = 184
_BYTES_SIZE: Final = 16
_BYTES_DATA: Final = 32
_STR_LENGTH: Final = 16
_STR_STATE: Final = 32
_STR_ASCII_DATA: Final = 48
_STR_COMPACT_DATA: Final = 72
_MAX_THREADS: Final = 4096
_MAX_FRAMES: Final = 64
_MAX_TEXT: Final = 4096
_MAX_TABLE: Final = 1 << 20


def is_interpreter(path: str) -> bool:
    """Return whether a module may be CPython: the program, or its library."""
    return os.path.basename(path).startswith(("python3", "libpython3"))


class PythonFrames:
    """One interpreter."""

    def __init__(self, memory: Memory, module: Module) -> None:
        self._memory = memory
        self._module = module

    def of_thread(self, tid: int) -> Iterator[Frame]:
        """Yield the functions that thread *tid* is in, innermost first.

        Raises:
            UnwindError: they can't be read.
            OSError: the same.
        """
        memory = self._memory
        version = self._module.symbol(memory, b"Py_Version")
        runtime = self._module.symbol(memory, b"_PyRuntime")
        if version is None or runtime is None:
            raise UnwindError("a Python whose functions are not read")
        number = memory.u64(version) >> 16
        if number != _VERSION:
            raise UnwindError(f"functions of Python {number >> 8}.{number & 0xFF} are not read")
        interpreter = memory.u64(runtime + _INTERPRETERS_HEAD)
        thread = memory.u64(interpreter + _THREADS_HEAD)
        for _ in range(_MAX_THREADS):
            if not thread:
                raise UnwindError("a thread that its Python doesn't know")
            if memory.u64(thread + _THREAD_NATIVE_ID) == tid:
                break
            thread = memory.u64(thread + _THREAD_NEXT)
        frame = memory.u64(memory.u64(thread + _THREAD_CFRAME) + _CFRAME_CURRENT)
        for _ in range(_MAX_FRAMES):
            if not frame:
                return
            yield self._frame(frame)
            frame = memory.u64(frame + _FRAME_PREVIOUS)

    def _frame(self, frame: int) -> Frame:
        memory = self._memory
        code = memory.u64(frame + _FRAME_CODE)
        done = memory.u64(frame + _FRAME_PREV_INSTR) - (code + _CODE_ADAPTIVE)
        first = memory.u32(code + _CODE_FIRST_LINE)
        table = self._bytes(memory.u64(code + _CODE_LINETABLE))
        return Frame(
            file=self._text(memory.u64(code + _CODE_FILENAME)),
            line=line_at(table, first, done),
            function=self._text(memory.u64(code + _CODE_QUALNAME)),
        )

    def _bytes(self, address: int) -> bytes:
        size = self._memory.u64(address + _BYTES_SIZE)
        if size > _MAX_TABLE:
            raise UnwindError("a Python function that makes no sense")
        return self._memory.read(address + _BYTES_DATA, size)

    def _text(self, address: int) -> str:
        length = self._memory.u64(address + _STR_LENGTH)
        state = self._memory.u32(address + _STR_STATE)
        kind, compact, plain = state >> 2 & 7, state >> 5 & 1, state >> 6 & 1
        if length > _MAX_TEXT or kind not in (1, 2, 4) or not compact:
            raise UnwindError("a Python name that makes no sense")
        at = address + (_STR_ASCII_DATA if plain else _STR_COMPACT_DATA)
        encoding = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[kind]
        raw = self._memory.read(at, length * kind)
        return raw.decode(encoding, "surrogatepass").encode("utf-8", "backslashreplace").decode()


def line_at(table: bytes, first: int, offset: int) -> int | None:
    """Return the line of the instruction at *offset* bytes (Objects/locations.md of CPython 3.11).

    None: the instruction has no line. *first* is the function's first line.
    """
    line, at, begin = first, 0, 0
    while at < len(table):
        kind, length = table[at] >> 3 & 15, 2 * ((table[at] & 7) + 1)
        at += 1
        if kind == 14:  # line, end line, column, end column
            delta, at = _signed(table, at)
            line += delta
            for _ in range(3):
                _, at = _unsigned(table, at)
        elif kind == 13:  # line alone
            delta, at = _signed(table, at)
            line += delta
        elif 10 <= kind <= 12:  # the same line, the next, the one after; two columns
            line += kind - 10
            at += 2
        elif kind < 10:  # columns in one byte
            at += 1
        if begin <= offset < begin + length:
            return None if kind == 15 else line
        begin += length
    return None


def _unsigned(table: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = table[at]
        at += 1
        value |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            return value, at


def _signed(table: bytes, at: int) -> tuple[int, int]:
    value, at = _unsigned(table, at)
    return (-(value >> 1) if value & 1 else value >> 1), at
