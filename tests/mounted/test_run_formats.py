"""``tracefs run --contract --format``: the verdict of a real program, as a CI service takes it."""

import sys
from collections.abc import Callable
from pathlib import Path

from junitparser import JUnitXml
from mounted_support import Run

Traced = Callable[..., Run]

NO_SYNC = """
import os
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
os.lseek(fd, 4096, os.SEEK_SET)
os.write(fd, bytes(4096))
os.close(fd)
"""


def test_junit_in_a_file(traced_run: Traced, tmp_path: Path) -> None:
    file = tmp_path / "verdict.xml"
    run = traced_run(
        [sys.executable, "-c", NO_SYNC], "--contract", "page-write", "--format", "junit",
        "--verdict", str(file),
    )  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (1, "", "")
    (suite,) = JUnitXml.fromfile(str(file))
    assert (suite.tests, suite.failures) == (1, 1)


def test_github_in_the_log_names_file_and_line(traced_run: Traced, tmp_path: Path) -> None:
    program = tmp_path / "tree" / "src" / "writer, one.py"
    program.parent.mkdir(parents=True)
    program.write_text(NO_SYNC)
    run = traced_run(
        [sys.executable, str(program)], "--contract", "page-write", "--format", "github",
        env={"GITHUB_WORKSPACE": str(tmp_path / "tree"), "GITHUB_STEP_SUMMARY": ""},
    )  # fmt: skip
    assert run.returncode == 1
    assert "::error file=src/writer%2C one.py,line=4,title=page-write%3A no-seek::" in run.stderr


def test_a_format_without_a_contract_is_refused(traced_run: Traced) -> None:
    run = traced_run(["true"], "--format", "tap")
    assert run.returncode == 2
    assert "there is no verdict to write" in run.stderr
