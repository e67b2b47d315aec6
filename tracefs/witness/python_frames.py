"""The functions that a thread of a CPython interpreter is in, read from its memory.

Everything is bounded, and a line is told only where the whole way to it holds together: each object
on it is of the type that it must be, and the instruction lies in its function.
"""

import struct
from collections.abc import Iterator
from typing import Final

from tracefs.events import Frame
from tracefs.witness.cfi import UnwindError
from tracefs.witness.memory import Memory
from tracefs.witness.python_interpreter import Interpreter
from tracefs.witness.python_lines import line_at

_MAX_INTERPRETERS: Final = 1024
_MAX_THREADS: Final = 4096
_MAX_FRAMES: Final = 64
_MAX_TEXT: Final = 4096
_MAX_TABLE: Final = 1 << 20
_NO_FUNCTION: Final = 3
"""Owners from here on are no functions' (``_frameowner`` in pycore_frame.h)."""
_LAST_OWNER: Final = 4
_TAG: Final = 3
"""Marks in a reference, from 3.14 on (``Py_TAG_BITS`` in pycore_stackref.h)."""
_CODE_UNIT: Final = 2


class PythonFrames:
    """One interpreter in one process.

    Args:
        memory: of the process.
        interpreter: what the module is.
        bias: of the module.
    """

    def __init__(self, memory: Memory, interpreter: Interpreter, bias: int) -> None:
        self._memory = memory
        self._at = interpreter.offsets
        self._runtime = interpreter.runtime + bias
        self._code_type = interpreter.code_type + bias
        self._bytes_type = interpreter.bytes_type + bias
        self._text_type = interpreter.text_type + bias

    def of_thread(self, tid: int) -> Iterator[Frame]:
        """Yield the functions that thread *tid* is in, innermost first.

        Raises:
            UnwindError: they can't be read.
            OSError: the same.
        """
        at = self._at
        frame = self._innermost(tid)
        for _ in range(_MAX_FRAMES):
            if not frame:
                return
            raw = self._memory.read(frame, at.frame_size)
            owner = raw[at.frame_owner]
            if owner > _LAST_OWNER:
                raise UnwindError("a Python function that makes no sense")
            if owner < _NO_FUNCTION:
                code = _word(raw, at.frame_code) & ~_TAG
                yield self._function(code, _word(raw, at.frame_instruction))
            frame = _word(raw, at.frame_previous)

    def _innermost(self, tid: int) -> int:
        """Return the frame that a thread is in; 0: none."""
        states = [state for one in self._interpreters() if (state := self._thread(one, tid))]
        if not states:
            raise UnwindError("a thread that its Python doesn't know")
        frames = [frame for state in states if (frame := self._current(state))]
        if len(frames) > 1:
            raise UnwindError(
                "a thread that several of its Python's interpreters have functions of"
            )
        return frames[0] if frames else 0

    def _interpreters(self) -> Iterator[int]:
        interpreter = self._memory.u64(self._runtime + self._at.interpreters_head)
        for _ in range(_MAX_INTERPRETERS):
            if not interpreter:
                return
            yield interpreter
            interpreter = self._memory.u64(interpreter + self._at.interpreter_next)
        raise UnwindError("a Python with interpreters without end")

    def _thread(self, interpreter: int, tid: int) -> int:
        """Return the newest state of a thread in an interpreter; 0: none."""
        memory, at = self._memory, self._at
        thread = memory.u64(interpreter + at.threads_head)
        for _ in range(_MAX_THREADS):
            if not thread or memory.u64(thread + at.thread_native_id) == tid:
                return thread
            thread = memory.u64(thread + at.thread_next)
        raise UnwindError("a Python with threads without end")

    def _current(self, thread: int) -> int:
        found = self._memory.u64(thread + self._at.thread_frame)
        if self._at.cframe_frame is None:
            return found
        return self._memory.u64(found + self._at.cframe_frame)

    def _function(self, code: int, instruction: int) -> Frame:
        at = self._at
        raw = self._object(code, self._code_type, at.code_bytecode)
        done = instruction - (code + at.code_bytecode)
        if done % _CODE_UNIT or not 0 <= done < _CODE_UNIT * _word(raw, at.object_size):
            raise UnwindError("a Python function that makes no sense")
        (first,) = struct.unpack_from("<I", raw, at.code_first_line)
        return Frame(
            file=self._text(_word(raw, at.code_filename)),
            line=line_at(self._bytes(_word(raw, at.code_linetable)), first, done),
            function=self._text(_word(raw, at.code_qualname)),
        )

    def _object(self, address: int, kind: int, size: int) -> bytes:
        """Return the first *size* bytes of an object, which must be of a type."""
        raw = self._memory.read(address, size)
        if _word(raw, self._at.object_type) != kind:
            raise UnwindError("a Python function that makes no sense")
        return raw

    def _bytes(self, address: int) -> bytes:
        at = self._at
        size = _word(self._object(address, self._bytes_type, at.bytes_data), at.object_size)
        if size > _MAX_TABLE:
            raise UnwindError("a Python function that makes no sense")
        return self._memory.read(address + at.bytes_data, size)

    def _text(self, address: int) -> str:
        at = self._at
        raw = self._object(address, self._text_type, at.text_ascii)
        length = _word(raw, at.text_length)
        (state,) = struct.unpack_from("<I", raw, at.text_state)
        kind, compact, plain = state >> 2 & 7, state >> 5 & 1, state >> 6 & 1
        if length > _MAX_TEXT or kind not in (1, 2, 4) or not compact:
            raise UnwindError("a Python name that makes no sense")
        begin = address + (at.text_ascii if plain else at.text_compact)
        encoding = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[kind]
        data = self._memory.read(begin, length * kind)
        return data.decode(encoding, "surrogatepass").encode("utf-8", "backslashreplace").decode()


def _word(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little")
