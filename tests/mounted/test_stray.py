"""``tracefs stray``: the place in the source, of programs right and wrong."""

import subprocess
import sys
from pathlib import Path

from mounted_support import PATIENCE_S, TRACEFS, Guard

from tracefs.journal.reader import JournalReader

WRONG = """\
import os

def put(fd, page_no, page):
    os.lseek(fd, page_no * 4096, os.SEEK_SET)
    os.write(fd, page)

fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
put(fd, 2, bytes(4096))
os.close(fd)
"""
RIGHT = """\
import os

fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, bytes(4096), 8192)
os.fdatasync(fd)
os.close(fd)
"""


def stray(tmp_path: Path, guard: Guard, program: str, *options: str) -> tuple[int, str]:
    directory = tmp_path / "src"
    directory.mkdir()
    (directory / "writer.py").write_text(program)
    guard.watch(directory)
    done = subprocess.run(
        [*TRACEFS, "stray", "-o", tmp_path / "rec", *options, "--", sys.executable, "-P",
         "writer.py"],
        cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_each_place_is_shown_with_what_it_did(tmp_path: Path, guard: Guard) -> None:
    code, said = stray(tmp_path, guard, WRONG)
    assert code == 1
    assert "lseek at writer.py:4 in put\n" in said
    assert "# position 0 to 8192\n  it moved the write of call " in said
    assert "write at writer.py:5 in put\n" in said
    assert said.count("    called from writer.py:8 in <module>\n") == 2
    assert "\n2 stray calls from 2 places" in said
    with JournalReader(tmp_path / "rec") as reader:
        assert {"lseek", "write"} <= set(reader.header.notified)

    again = subprocess.run(
        [*TRACEFS, "show", "--stray", tmp_path / "rec"], capture_output=True, text=True, check=True
    )
    assert again.stdout == said


def test_a_program_without_any(tmp_path: Path, guard: Guard) -> None:
    code, said = stray(tmp_path, guard, RIGHT)
    assert code == 0
    assert said.startswith("no stray call")


def test_only_the_calls_that_are_asked_for(tmp_path: Path, guard: Guard) -> None:
    code, said = stray(tmp_path, guard, WRONG, "--call", "write")
    assert code == 1
    assert "lseek at" not in said
    assert "write at writer.py:5 in put\n" in said


def test_a_finding_of_run_names_the_line(tmp_path: Path, guard: Guard) -> None:
    directory = tmp_path / "src"
    directory.mkdir()
    (directory / "writer.py").write_text(WRONG)
    guard.watch(directory)
    done = subprocess.run(
        [*TRACEFS, "run", "-q", "-o", tmp_path / "rec", "--contract", "page-write", "--",
         sys.executable, "-P", "writer.py"],
        cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "error no-seek, pages.db, call " in done.stderr
    assert ", writer.py:4 in put\n" in done.stderr


def test_a_program_on_the_command_line(tmp_path: Path, guard: Guard) -> None:
    directory = tmp_path / "src"
    directory.mkdir()
    guard.watch(directory)
    done = subprocess.run(
        [*TRACEFS, "stray", "-o", tmp_path / "rec", "--", sys.executable, "-c", WRONG],
        cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "lseek at <string>:4 in put\n" in done.stdout
