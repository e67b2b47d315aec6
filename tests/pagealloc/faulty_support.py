"""The faulty programs, ready to be started: built once a session where they have to be."""

import atexit
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from lacking import lacking

ROOT: Final = Path(__file__).resolve().parents[2]
FAULTY: Final = ROOT / "tools" / "pagealloc" / "faulty"
MISTAKES: Final = ROOT / "docs" / "reference" / "mistakes.md"


@dataclass(frozen=True)
class Program:
    """A row of expected.toml, which explains the columns."""

    file: str
    rules: list[str]
    page: int
    build: str | None = None

    def command(self) -> list[str]:
        """Return how to start the program; FILE and PAGE_NO are still to come."""
        if self.build is None:
            return [sys.executable, str(FAULTY / self.file)]
        return [str(_built(self.file, self.build))]


def programs() -> list[Program]:
    """Return the rows of expected.toml."""
    rows = tomllib.loads((FAULTY / "expected.toml").read_text())["program"]
    return [Program(**row) for row in rows]


@dataclass(frozen=True)
class Mistake:
    """A row of the tables in docs/reference/mistakes.md, as far as it can be held to something."""

    calls: list[str]
    rules: set[str]


@functools.cache
def mistakes() -> dict[str, Mistake]:
    """Return the rows of the tables by the program that they describe."""
    program = r"\[`([^`]+)`\]\(\.\./\.\./tools/pagealloc/faulty/\1\)"
    row = rf"^\| .* \| {program} \| `([^`]+)` \| ([^|]+) \| .* \|$"
    rows = re.findall(row, MISTAKES.read_text(), re.MULTILINE)
    assert len({file for file, _, _ in rows}) == len(rows), "a program has two rows"
    return {
        file: Mistake(calls.split(), set(re.findall("`([^`]+)`", rules)))
        for file, calls, rules in rows
    }


each_program = pytest.mark.parametrize("program", programs(), ids=lambda program: program.file)


@functools.cache
def _built(file: str, build: str) -> Path:
    compiler = shlex.split(build)[0]
    if shutil.which(compiler) is None:
        lacking(f"{file} can't be built: no {compiler}")
    binary = _folder() / file.replace("/", "-").replace(".", "-")
    subprocess.run(
        ["sh", "-c", build],
        cwd=(FAULTY / file).parent,
        env={**os.environ, "BINARY": str(binary)},
        check=True,
    )
    return binary


@functools.cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="faulty-")
    atexit.register(folder.cleanup)
    return Path(folder.name)
