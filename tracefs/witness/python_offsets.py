"""Where the structures of CPython have what is read of them, in bytes.

3.13 and 3.14 say it themselves, in ``_Py_DebugOffsets`` at the beginning of ``_PyRuntime``
(Include/internal/pycore_runtime.h of 3.13, pycore_debug_offsets.h of 3.14). For 3.11 and 3.12 it is
as pycore_runtime.h, pycore_interp.h and pycore_frame.h in Include/internal, and pystate.h, code.h
and unicodeobject.h in Include/cpython have it for a build without debugging.
"""

import struct
from typing import Final

from msgspec import Struct

from tracefs.witness.cfi import UnwindError
from tracefs.witness.memory import Memory


class Offsets(Struct, frozen=True, kw_only=True):
    """Offsets in one build of CPython."""

    interpreters_head: int
    """In ``_PyRuntime``."""
    interpreter_next: int
    threads_head: int
    """In an interpreter."""
    thread_next: int
    thread_native_id: int
    thread_frame: int
    """Where the current frame is told, or what tells it."""
    cframe_frame: int | None
    """In what a thread points to; None: the thread points to the frame itself."""
    frame_size: int
    frame_code: int
    frame_previous: int
    frame_instruction: int
    frame_owner: int
    code_first_line: int
    code_filename: int
    code_qualname: int
    code_linetable: int
    code_bytecode: int
    """All of a code object that has the same place in each lies before."""
    object_type: int
    object_size: int
    """In objects of variable length: how many items."""
    bytes_data: int
    text_length: int
    text_state: int
    text_ascii: int
    text_compact: int
    """Where the characters begin, of strings with none but ASCII and of others."""


_NO_DEBUG_OFFSETS: Final = {
    0x030B: Offsets(
        interpreters_head=40,
        interpreter_next=0,
        threads_head=16,
        thread_next=8,
        thread_native_id=160,
        thread_frame=56,
        cframe_frame=8,
        frame_size=80,
        frame_code=32,
        frame_previous=48,
        frame_instruction=56,
        frame_owner=69,
        code_first_line=72,
        code_filename=112,
        code_qualname=128,
        code_linetable=136,
        code_bytecode=184,
        object_type=8,
        object_size=16,
        bytes_data=32,
        text_length=16,
        text_state=32,
        text_ascii=48,
        text_compact=72,
    ),
    0x030C: Offsets(
        interpreters_head=40,
        interpreter_next=0,
        threads_head=72,
        thread_next=8,
        thread_native_id=144,
        thread_frame=56,
        cframe_frame=0,
        frame_size=80,
        frame_code=0,
        frame_previous=8,
        frame_instruction=56,
        frame_owner=70,
        code_first_line=68,
        code_filename=112,
        code_qualname=128,
        code_linetable=136,
        code_bytecode=192,
        object_type=8,
        object_size=16,
        bytes_data=32,
        text_length=16,
        text_state=32,
        text_ascii=40,
        text_compact=56,
    ),
}
_CHANGED_AFTER: Final = {0x030C: 0x030C00F0}
"""3.12.1 has put a field before the threads of an interpreter."""


class _Layout(Struct, frozen=True):
    """At which word of ``_Py_DebugOffsets`` a structure's part begins: its size, then offsets."""

    runtime: int
    interpreter: int
    thread: int
    frame: int
    code: int
    object: int
    bytes: int
    text: int


_LAYOUTS: Final = {
    0x030D: _Layout(3, 6, 19, 28, 34, 44, 64, 67),
    0x030E: _Layout(3, 6, 22, 31, 39, 50, 74, 77),
}
_COOKIE: Final = b"xdebugpy"
_WORDS: Final = struct.Struct("<8s80Q")
_WORD: Final = 8
_LARGEST: Final = 1 << 24
_BEYOND_ASCII: Final = 16
"""What a string that is not ASCII has before its characters: utf8_length and utf8."""
_CANDIDATE: Final = 0xC0
"""PY_RELEASE_LEVEL_GAMMA (Include/patchlevel.h), from which on structures stay as they are."""


def offsets_of(memory: Memory, runtime: int, version: int, *, debug: bool) -> Offsets:
    """Return the offsets of the interpreter whose ``_PyRuntime`` is at *runtime*.

    *version* is its ``Py_Version``; *debug*: it counts references, and so has other structures.

    Raises:
        UnwindError: they are not known.
        OSError: memory can't be read.
    """
    minor = version >> 16
    name = f"Python {version >> 24}.{minor & 0xFF}"
    if version & 0xF0 < _CANDIDATE:
        raise UnwindError(f"functions of a pre-release of {name} are not read")
    if minor in _LAYOUTS:
        return _told(memory, runtime, version, name)
    known = _NO_DEBUG_OFFSETS.get(minor)
    if known is None:
        raise UnwindError(f"functions of {name} are not read")
    if version <= _CHANGED_AFTER.get(minor, 0):
        raise UnwindError(f"functions of {name}.{version >> 8 & 0xFF} are not read")
    if debug:
        raise UnwindError(f"functions of a debug build of {name} are not read")
    return known


def _told(memory: Memory, runtime: int, version: int, name: str) -> Offsets:
    cookie, *words = _WORDS.unpack(memory.read(runtime, _WORDS.size))
    words.insert(0, 0)
    senseless = f"a {name} whose debug offsets make no sense"
    if cookie != _COOKIE or words[1] != version:
        raise UnwindError(senseless)
    if words[2]:
        raise UnwindError(f"functions of a free-threaded {name} are not read")

    def offset(part: int, number: int) -> int:
        """Return one offset, which must lie in its structure."""
        found = int(words[part + number])
        if not found + _WORD <= words[part] <= _LARGEST:
            raise UnwindError(senseless)
        return found

    at = _LAYOUTS[version >> 16]
    ascii_size = offset(at.text, 3)
    found = Offsets(
        interpreters_head=offset(at.runtime, 2),
        interpreter_next=offset(at.interpreter, 2),
        threads_head=offset(at.interpreter, 3),
        thread_next=offset(at.thread, 2),
        thread_native_id=offset(at.thread, 6),
        thread_frame=offset(at.thread, 4),
        cframe_frame=None,
        frame_size=words[at.frame],
        frame_code=offset(at.frame, 2),
        frame_previous=offset(at.frame, 1),
        frame_instruction=offset(at.frame, 3),
        frame_owner=offset(at.frame, 5),
        code_first_line=offset(at.code, 5),
        code_filename=offset(at.code, 1),
        code_qualname=offset(at.code, 3),
        code_linetable=offset(at.code, 4),
        code_bytecode=offset(at.code, 9),
        object_type=offset(at.object, 1),
        object_size=offset(at.bytes, 1),
        bytes_data=offset(at.bytes, 2),
        text_length=offset(at.text, 2),
        text_state=offset(at.text, 1),
        text_ascii=ascii_size,
        text_compact=ascii_size + _BEYOND_ASCII,
    )
    if not _fits(found):
        raise UnwindError(senseless)
    return found


def _fits(at: Offsets) -> bool:
    """Return whether what is read of an object lies in the part of it that is read."""
    code = (at.code_first_line, at.code_filename, at.code_qualname, at.code_linetable)
    return (
        max(*code, at.object_type, at.object_size) + _WORD <= at.code_bytecode
        and max(at.object_type, at.object_size) + _WORD <= at.bytes_data
        and max(at.object_type, at.text_length, at.text_state) + _WORD <= at.text_ascii
    )
