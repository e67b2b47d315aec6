"""``tracefs stray``: the place in the source, of programs right and wrong."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lacking import lacking
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
    assert re.match("no stray call among [0-9]+ calls", said)


def test_a_run_that_did_nothing_there_proves_nothing(tmp_path: Path, guard: Guard) -> None:
    code, said = stray(tmp_path, guard, "import sys; sys.exit()")
    # Python reads the program itself, so look at a command that opens nothing.
    done = subprocess.run(
        [*TRACEFS, "stray", "-o", tmp_path / "none", "--", "true"],
        cwd=tmp_path / "src", capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (code, done.returncode) == (0, 4)
    assert said.startswith("no stray call among")
    assert done.stdout.startswith("nothing was done in the traced directory")


def test_a_call_that_is_never_notified_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TRACEFS, "stray", "--call", "lseek,foo", "--", "true"],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "foo is no call whose place can be told" in done.stderr
    assert "lseek" in done.stderr


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


def stray_of(tmp_path: Path, guard: Guard, *command: str | Path) -> str:
    directory = tmp_path / "src"
    directory.mkdir()
    guard.watch(directory)
    done = subprocess.run(
        [*TRACEFS, "stray", "-o", tmp_path / "rec", "--", *command],
        cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return done.stdout


def test_a_program_on_the_command_line(tmp_path: Path, guard: Guard) -> None:
    said = stray_of(tmp_path, guard, sys.executable, "-c", WRONG)
    assert "lseek at <string>:4 in put\n" in said


GO = """\
package main

import "os"

func put(f *os.File, at int64) {
	f.Seek(at, 0)
}

func main() {
	f, _ := os.Create("pages.db")
	put(f, 4096)
	put(f, 8192)
}
"""
RUST = """\
use std::io::{Seek, SeekFrom};

#[inline(never)]
fn put(file: &mut std::fs::File, at: u64) -> u64 {
    file.seek(SeekFrom::Start(at)).unwrap() + 1
}

#[inline(never)]
fn skip(file: &mut std::fs::File) -> u64 {
    file.seek(SeekFrom::Start(4)).unwrap() + 2
}

fn main() {
    let mut file = std::fs::File::create("pages.db").unwrap();
    let sum = put(&mut file, 4096) + skip(&mut file);
    std::process::exit((sum % 2) as i32);
}
"""


def built(tmp_path: Path, name: str, program: str, *command: str) -> Path:
    if shutil.which(command[0]) is None:
        lacking(f"needs {command[0]}")
    (tmp_path / name).write_text(program)
    subprocess.run([*command, "-o", "program", name], cwd=tmp_path, check=True)
    return tmp_path / "program"


@pytest.mark.parametrize("flags", [(), ("-trimpath",), ("-trimpath", "-ldflags=-s -w")])
def test_a_go_program(tmp_path: Path, guard: Guard, flags: tuple[str, ...]) -> None:
    program = built(tmp_path, "writer.go", GO, "go", "build", *flags)
    said = stray_of(tmp_path, guard, program)
    assert "lseek at writer.go:6 in main.put, 2 times" in said
    assert "have no line" not in said


def test_a_rust_program_without_lines(tmp_path: Path, guard: Guard) -> None:
    program = built(tmp_path, "writer.rs", RUST, "rustc", "-O")
    said = stray_of(tmp_path, guard, program)
    assert re.findall(r"lseek at program\+0x[0-9a-f]+ in writer::(\w+)\n", said) == ["put", "skip"]
    assert said.count("    called from") == 2
    assert "\n2 places have no line: compile with -g " in said


def test_a_stripped_rust_program(tmp_path: Path, guard: Guard) -> None:
    program = built(tmp_path, "writer.rs", RUST, "rustc", "-O", "-C", "strip=symbols")
    said = stray_of(tmp_path, guard, program)
    assert "\n2 stray calls from 2 places" in said


def test_a_recording_that_kept_no_place_says_so(tmp_path: Path, guard: Guard) -> None:
    directory = tmp_path / "src"
    directory.mkdir()
    guard.watch(directory)
    subprocess.run(
        [*TRACEFS, "run", "-q", "-o", tmp_path / "rec", "--", sys.executable, "-c", WRONG],
        cwd=directory, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    shown = subprocess.run(
        [*TRACEFS, "show", "--stray", tmp_path / "rec"], capture_output=True, text=True, check=True
    )
    assert "write at a place that is not known\n" in shown.stdout
    assert "    its place was not recorded: tracefs stray -- COMMAND keeps it\n" in shown.stdout
