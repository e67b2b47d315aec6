"""The location table of a Python function, read as the interpreter itself reads it."""

import json
import subprocess

import pytest
from python_support import MINORS, pythons

from tracefs.witness.python_lines import line_at

DUMP = """
import argparse, asyncio.base_events, json, tarfile, types
made = "def long():\\n x = 1\\n" + "\\n" * 70000 + " return [" + "0, " * 300 + "x, int(x)]\\n"
def dump(code):
    lines = [position[0] for position in code.co_positions()]
    told.append((code.co_linetable.hex(), code.co_firstlineno, lines))
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            dump(one)
told = []
dump(compile(made, "made", "exec"))
for module in (argparse, asyncio.base_events, tarfile):
    with open(module.__file__, encoding="utf-8") as source:
        dump(compile(source.read(), module.__file__, "exec"))
print(json.dumps(told))
"""


@pytest.mark.parametrize("flags", [[], ["-X", "no_debug_ranges"]], ids=["columns", "lines"])
@pytest.mark.parametrize("minor", MINORS, ids=lambda minor: f"3.{minor}")
def test_every_instruction_has_the_line_that_python_gives_it(minor: int, flags: list[str]) -> None:
    for command in pythons(minor):
        done = subprocess.run([command, *flags, "-c", DUMP], stdout=subprocess.PIPE, check=True)
        told = json.loads(done.stdout)
        assert len(told) > 300
        for table, first, lines in told:
            data = bytes.fromhex(table)
            found = [line_at(data, first, 2 * number) for number in range(len(lines))]
            assert found == lines, command


def test_behind_the_end_there_is_no_line() -> None:
    assert line_at(b"", 1, 0) is None
