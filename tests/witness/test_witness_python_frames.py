"""The location table of a Python function, read as the interpreter itself reads it."""

import sys
from types import CodeType

import pytest

from tracefs.witness import python_frames, stack, supervisor
from tracefs.witness.python_frames import is_interpreter, line_at

if sys.version_info[:2] != (3, 11):
    pytest.skip("the table of another Python version", allow_module_level=True)


def functions(code: CodeType) -> list[CodeType]:
    """Return *code* and all functions in it."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return [code, *(deeper for one in inner for deeper in functions(one))]


@pytest.mark.parametrize("module", [python_frames, stack, supervisor, pytest], ids=str)
def test_every_instruction_has_the_line_that_python_gives_it(module: object) -> None:
    path = getattr(module, "__file__", "")
    with open(path, encoding="utf-8") as source:
        code = compile(source.read(), path, "exec")
    for function in functions(code):
        lines = [position[0] for position in function.co_positions()]
        found = [
            line_at(function.co_linetable, function.co_firstlineno, 2 * number)
            for number in range(len(lines))
        ]
        assert found == lines


def test_behind_the_end_there_is_no_line() -> None:
    assert line_at(b"", 1, 0) is None


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
