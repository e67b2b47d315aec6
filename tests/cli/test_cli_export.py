"""``tracefs export``: what it says, and how it ends."""

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest
from cli_support import PAGE, astray, kept, torn, tracefs, undecided
from lacking import lacking

from tracefs.index.engine import connect

FORMATS = ("csv", "jsonl", "perfetto", "c", "python", "strace", "fio", "parquet")


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_written_and_named(tmp_path: Path, form: str) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("export", str(recording), "--to", form, "-o", f"{tmp_path}/out")
    assert answer.code == 0, answer.err
    assert (tmp_path / "out").stat().st_size > 0
    assert answer.err.startswith(f"tracefs: wrote {tmp_path}/out, from 6 calls\n")


def test_a_folder_has_a_table_for_each_file(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace", path="a=b/c d.db")
    out = tmp_path / "all \udcff"
    words = ("export", str(recording), "--to", "parquet", "--by-file", "-o", os.fspath(out))
    answer = tracefs(*words)
    assert answer.code == 0, answer.err
    assert [one.name for one in out.iterdir()] == ["file=a%3Db%2Fc%20d.db"]
    with closing(connect()) as database:
        [table] = out.glob("*/*.parquet")
        shutil.copy(table, tmp_path / "one.parquet")
        found = database.execute(f"SELECT path, call FROM '{tmp_path}/one.parquet'").fetchall()
    pairs = ["pwrite64", "fdatasync"]
    assert found == [("a=b/c d.db", name) for name in ["openat", *pairs, *pairs, "close"]]
    again = tracefs(*words)
    assert again.code == 2
    assert "the folder is there already" in again.err
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "all \udcff", "good.trace", "one.parquet"
    ]  # fmt: skip


@pytest.mark.parametrize("words", [("export", "--to", "jsonl"), ("report",)])
def test_a_dash_is_standard_output(
    tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept(tmp_path / "good.trace")
    answer = tracefs(*words, "-o", "-", "good.trace")
    assert answer.code == 0
    assert "pwrite64" in answer.out
    assert [one.name for one in tmp_path.iterdir()] == ["good.trace"]


def test_a_format_that_reads_twice_reads_a_pipe(tmp_path: Path) -> None:
    journal = (kept(tmp_path / "good.trace") / "journal.jsonl").read_bytes()
    words = [sys.executable, "-m", "tracefs", "export", "-", "--to", "strace", "-o", "/dev/stdout"]
    done = subprocess.run(words, input=journal, capture_output=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 6


def test_folders_are_of_tables(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("export", str(recording), "--to", "csv", "--by-file")
    assert answer.code == 2
    assert "--by-file is for parquet" in answer.err


def test_json_lines_are_what_show_prints(tmp_path: Path) -> None:
    recording = astray(tmp_path / "stray.trace")
    tracefs("export", str(recording), "--to", "jsonl", "-o", f"{tmp_path}/out")
    shown = tracefs("show", "--json", str(recording)).out
    assert (tmp_path / "out").read_text() == shown
    assert json.loads(shown.splitlines()[1])["source"] == "demo.py:12 in put"


def test_an_incomplete_recording_is_told(tmp_path: Path) -> None:
    recording = torn(tmp_path / "torn.trace")
    answer = tracefs("export", str(recording), "--to", "csv", "-o", f"{tmp_path}/out")
    assert answer.code == 4
    assert "the recording is incomplete: " in answer.err
    assert (tmp_path / "out").read_text().count("pwrite64")


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    recording = undecided(tmp_path / "unknown.trace")
    answer = tracefs("export", str(recording), "--to", "python", "-o", f"{tmp_path}/out")
    assert answer.code == 4
    assert f"1 call left out: the end of {tmp_path}/out says why\n" in answer.err
    assert "# 1 left out: its name is not known" in (tmp_path / "out").read_text()


def test_what_fio_leaves_out_is_told(tmp_path: Path) -> None:
    recording = undecided(tmp_path / "unknown.trace")
    answer = tracefs("export", str(recording), "--to", "fio", "-o", f"{tmp_path}/out")
    assert answer.code == 4
    assert "1 call left out, which fio can't say\n" in answer.err


@pytest.mark.parametrize("form", ["c", "python", "fio"])
def test_the_next_step_can_be_typed(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = kept(tmp_path / "good.trace")
    monkeypatch.chdir(tmp_path)
    answer = tracefs("export", str(recording), "--to", form, "-o", "an export.c")
    [step] = re.findall("^tracefs: next: (.*)$", answer.err, re.MULTILINE)
    line = step.removeprefix("in an empty directory, ").replace("DIRECTORY", "made")
    tool = shlex.split(line)[0]
    if shutil.which(tool) is None:
        lacking(f"{tool} is not installed")
    (tmp_path / "made").mkdir()
    where = "made" if form == "fio" else "."
    subprocess.run(line, shell=True, check=True, cwd=where, capture_output=True)
    assert (tmp_path / "made/pages.db").stat().st_size == 3 * PAGE


@pytest.mark.parametrize("words", [[], ["--by-file"]], ids=str)
def test_a_table_is_shown_by_the_next_step(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = kept(tmp_path / "good.trace")
    monkeypatch.chdir(tmp_path)
    answer = tracefs("export", str(recording), "--to", "parquet", "-o", 'it\'s a "table"', *words)
    [step] = re.findall("^tracefs: next: (.*)$", answer.err, re.MULTILINE)
    # The Python that tracefs is installed for, as where its environment is active.
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    done = subprocess.run(
        step,
        shell=True,
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
    )
    assert done.stdout.count("pwrite64") == 2


@pytest.mark.parametrize("form", ["c", "python"])
def test_a_program_without_its_directory_names_it(tmp_path: Path, form: str) -> None:
    recording = kept(tmp_path / "good.trace")
    program = tmp_path / "replay.c"
    tracefs("export", str(recording), "--to", form, "-o", str(program))
    start = [sys.executable, str(program)]
    if form == "c":
        start = [str(tmp_path / "replay")]
        subprocess.run(["gcc", "-o", *start, str(program)], check=True)
    done = subprocess.run([*start, "nowhere"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr == "nowhere: No such file or directory\n"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("export", str(recording), "--to", "csv", "-o", f"{tmp_path}/no/out")
    assert answer.code == 3
    assert answer.err == f"tracefs: {tmp_path}/no/out: No such file or directory\n"
    assert [one.name for one in tmp_path.iterdir()] == ["good.trace"]


def unread(pipe: IO[bytes]) -> bool:
    """Tell whether something is in the pipe (FIONREAD of ioctl_tty(2))."""
    return fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4)) != bytes(4)


def test_an_interrupted_one_leaves_no_half_written_file(tmp_path: Path) -> None:
    kept(tmp_path / "good.trace")
    (tmp_path / "out").write_text("what was there")
    journal = (tmp_path / "good.trace/journal.jsonl").read_bytes()
    with subprocess.Popen(
        [sys.executable, "-m", "tracefs", "export", "-", "--to", "csv", "-o", tmp_path / "out"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as command:  # fmt: skip
        assert command.stdin is not None
        first, rest = journal[:1000], journal[1000:-200]
        os.write(command.stdin.fileno(), first)
        while not list(tmp_path.glob(".tracefs-*")):
            assert command.poll() is None
        # Once it has read what came later it is in the middle of writing.
        os.write(command.stdin.fileno(), rest)
        while unread(command.stdin):
            assert command.poll() is None
        command.send_signal(signal.SIGINT)
        assert command.wait(50) == 130
    assert (tmp_path / "out").read_text() == "what was there"
    assert list(tmp_path.glob(".tracefs-*")) == []
