"""A CPython interpreter in a process: whether a module is one, and of what kind."""

import os
from typing import Final

from msgspec import Struct

from tracefs.witness.cfi import UnwindError
from tracefs.witness.memory import Memory
from tracefs.witness.modules import Module
from tracefs.witness.python_offsets import Offsets, offsets_of

_COUNTS_REFERENCES: Final = b"_Py_NegativeRefcount"
"""Exported by builds with Py_DEBUG or Py_REF_DEBUG alone (Include/object.h)."""


class Interpreter(Struct, frozen=True):
    """What is the same in all processes of one build; addresses as its ELF headers count."""

    runtime: int
    code_type: int
    bytes_type: int
    text_type: int
    offsets: Offsets


def is_interpreter(path: str) -> bool:
    """Return whether a module may be CPython: the program, or its library."""
    return os.path.basename(path).startswith(("python3", "libpython3"))


def interpreter_of(memory: Memory, module: Module) -> Interpreter:
    """Return what *module* is.

    Raises:
        UnwindError: no Python whose functions can be read.
        OSError: memory can't be read.
    """
    names = (b"Py_Version", b"_PyRuntime", b"PyCode_Type", b"PyBytes_Type", b"PyUnicode_Type")
    found = [at for name in names if (at := module.symbol(memory, name)) is not None]
    if len(found) < len(names):
        raise UnwindError("a Python whose functions are not read")
    version, runtime, *types = found
    offsets = offsets_of(
        memory,
        runtime,
        memory.u64(version),
        debug=module.symbol(memory, _COUNTS_REFERENCES) is not None,
    )
    code_type, bytes_type, text_type = (at - module.bias for at in types)
    return Interpreter(runtime - module.bias, code_type, bytes_type, text_type, offsets)
