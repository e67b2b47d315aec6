"""Which modules are Pythons whose functions are read; the others are told, and why."""

import platform
import subprocess
from pathlib import Path

import pytest
from python_support import telling

from tracefs.witness.python_interpreter import is_interpreter
from tracefs.witness.stack import StackReader

PRETENDER = """
#include <stdio.h>
#include <unistd.h>
const unsigned long Py_Version = VERSION;
unsigned long _PyRuntime[1000] = {WORDS};
long PyCode_Type, PyBytes_Type;
#ifndef UNTYPED
long PyUnicode_Type;
#endif
#ifdef DEBUG
void _Py_NegativeRefcount(void) {}
#endif
int main(void)
{
    char byte;
    printf("[%d, %d, []]\\n", getpid(), getpid());
    fflush(stdout);
    return read(0, &byte, 1);
}
"""
COOKIE = int.from_bytes(b"xdebugpy", "little")
SENSELESS = "debug offsets make no sense"
HUGE = 1 << 40


def words(version: int, *changes: tuple[int, int], free_threaded: int = 0) -> str:
    """Return debug offsets of 3.13 or 3.14, all of them 0 but what is given by its place."""
    told = [COOKIE, version, free_threaded, *[0] * 90]
    # Sizes, by Include/internal/pycore_runtime.h and pycore_debug_offsets.h.
    for place in (
        3,
        6,
        *((19, 28, 34, 44, 64, 67) if version >> 16 == 0x30D else (22, 31, 39, 50, 74, 77)),
    ):
        told[place] = 64
    for place, value in changes:
        told[place] = value
    return ", ".join(map(str, told))


FITTING = (5, 32), (43, 24), (66, 24), (70, 24)
"""No interpreter; bytecode, bytes and characters of 3.13 behind what is read before them."""


@pytest.mark.parametrize(
    ("version", "told", "flags", "reason"),
    [
        (0x030A0DF0, "0", [], "functions of Python 3.10 are not read"),
        (0x030F00F0, "0", [], "functions of Python 3.15 are not read"),
        (0x030C00F0, "0", [], "functions of Python 3.12.0 are not read"),
        (0x030E00B1, "0", [], "functions of a pre-release of Python 3.14 are not read"),
        (0x030B07F0, "0", ["-DDEBUG"], "functions of a debug build of Python 3.11 are not read"),
        (0x030C07F0, "0", ["-DDEBUG"], "functions of a debug build of Python 3.12 are not read"),
        (0x030C07F0, "0", ["-DUNTYPED"], "a Python whose functions are not read"),
        (
            0x030D00F0,
            words(0x030D00F0, free_threaded=1),
            [],
            "functions of a free-threaded Python 3.13 are not read",
        ),
        (
            0x030E03F0,
            words(0x030E03F0, free_threaded=1),
            [],
            "functions of a free-threaded Python 3.14 are not read",
        ),
        (0x030D00F0, "0", [], f"a Python 3.13 whose {SENSELESS}"),
        (0x030D00F0, words(0x030D00F0, *FITTING, (0, 1)), [], f"a Python 3.13 whose {SENSELESS}"),
        (0x030D01F0, words(0x030D00F0, *FITTING), [], f"a Python 3.13 whose {SENSELESS}"),
        (0x030D00F0, words(0x030D00F0, *FITTING), [], "a thread that its Python doesn't know"),
        (
            0x030D00F0,
            words(0x030D00F0, *FITTING, (25, 60)),
            [],
            f"a Python 3.13 whose {SENSELESS}",
        ),
        (
            0x030D00F0,
            words(0x030D00F0, *FITTING, (28, HUGE)),
            [],
            f"a Python 3.13 whose {SENSELESS}",
        ),
        (
            0x030D00F0,
            words(0x030D00F0, *FITTING, (38, 24)),
            [],
            f"a Python 3.13 whose {SENSELESS}",
        ),
        (
            0x030D00F0,
            words(0x030D00F0, *FITTING, (43, 48), (65, 24)),
            [],
            f"a Python 3.13 whose {SENSELESS}",
        ),
        (
            0x030D00F0,
            words(0x030D00F0, *FITTING, (68, 24)),
            [],
            f"a Python 3.13 whose {SENSELESS}",
        ),
        (0x030C07F0, "0", [], "a thread that its Python doesn't know"),
        (0x030C01F0, "0", [], "a thread that its Python doesn't know"),
        (0x030C07C1, "0", [], "a thread that its Python doesn't know"),
    ],
)
def test_a_python_that_is_not_read_is_told(
    tmp_path: Path, version: int, told: str, flags: list[str], reason: str
) -> None:
    source = tmp_path / "pretender.c"
    source.write_text(PRETENDER)
    program = tmp_path / "python3"
    given = [f"-DVERSION={version}", f"-DWORDS={told}", *flags]
    subprocess.run(["gcc", "-rdynamic", *given, "-o", program, source], check=True)
    with telling([str(program)]) as (tid, _, _):
        stack, unstacked = StackReader(platform.machine()).capture(tid)
    assert unstacked == f"not further: {reason}"
    assert all(frame.module is not None for frame in stack)


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/usr/bin/python3.11", True),
        ("/usr/lib/libpython3.11.so.1.0", True),
        ("/usr/bin/pythonic", False),
        ("", False),
    ],
)
def test_what_may_be_an_interpreter(path: str, is_one: bool) -> None:
    assert is_interpreter(path) == is_one
