"""The commands on a file that strace wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from strace_samples import text

from tracefs.cli.main import main

OPEN = 'openat(AT_FDCWD</d>, "a", O_RDWR|O_CREAT|O_EXCL, 0644) = 3</d/a>'
PAGE = 'pwrite64(3</d/a>, "a"..., 4096, 0) = 4096'
SYNC = "fdatasync(3</d/a>) = 0"
CLOSE = "close(3</d/a>) = 0"
TRACEFS = (sys.executable, "-c", "from tracefs.cli.main import main; raise SystemExit(main())")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "strace.log"
    file.write_text("".join(text(OPEN, PAGE, SYNC, CLOSE)))
    return file


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "strace.log"
    file.write_text("".join(text(OPEN, "lseek(3</d/a>, 8, SEEK_SET) = 8", PAGE, CLOSE)))
    return file


def test_check_says_what_it_rests_on(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(good), "--without", "directory-synced"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "page-write: kept",
        "no-seek decided by: every lseek, seen in strace's text",
        "left out on request: directory-synced",
        "rests on: 4 calls (none unknown), recording complete",
        "seen by: strace, as its text tells; paths are relative to /d",
    ]


def test_check_shows_each_call_without_times_that_the_text_lacks(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(bad)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "  lseek(3<a>, 8, SEEK_SET) = 8  # position 0 to 8" in lines
    assert "  pwrite64(3<a>, 4096 bytes, 0) = 4096  # page 0" in lines


def test_check_in_json(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", str(bad)]) == 1
    rules = [one["rule"] for one in json.loads(capsys.readouterr().out)["contracts"][0]["findings"]]
    assert rules == ["directory-synced", "no-seek", "synced"]


@pytest.mark.parametrize("piped", [True, False])
def test_check_reads_standard_input(bad: Path, piped: bool) -> None:
    read, write = os.pipe()
    with bad.open("rb") as file, os.fdopen(read, "rb") as pipe, os.fdopen(write, "wb") as into:
        into.write(bad.read_bytes())
        into.close()
        done = subprocess.run(
            [*TRACEFS, "check", "-"],
            stdin=pipe if piped else file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")
    assert "  lseek(3<a>, 8, SEEK_SET) = 8  # position 0 to 8" in done.stdout.splitlines()


def test_dir_chooses_what_is_judged(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--dir", "/", str(good)]) == 0
    assert "paths are relative to /\n" in capsys.readouterr().out
    assert main(["check", "--dir", "e", str(good)]) == 4
    assert "paths are relative to /d/e\n" in capsys.readouterr().out
    assert main(["check", "--path", "/elsewhere/*", str(good)]) == 4


def test_show_prints_the_calls(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(bad), "--path", "a", "--call", "lseek,pwrite"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "# command: ./prog 'a, b'",
        "# source: /d",
        "# seen by: strace, as its text tells",
        "# seconds: not in the text",
        "# page size: 4096 bytes",
        "# index  tid        seconds  call",
        "      1  100              ?  lseek(3<a>, 8, SEEK_SET) = 8  # position 0 to 8",
        "      2  100              ?  pwrite64(3<a>, 4096 bytes, 0) = 4096  # page 0",
        "# complete; 2 of 4 calls (none unknown) shown",
    ]


@pytest.mark.parametrize("words", [["show", "--stray"], ["show", "-f"]])
def test_other_commands_say_that_they_do_not_read_it(
    words: list[str], good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, str(good)]) == 3
    assert capsys.readouterr().err.splitlines() == [
        f"tracefs: {good} is strace text, not a tracefs journal",
        "  repair: tracefs check, show, stats, report, export and pages read such text.",
    ]


def test_text_without_paths_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log"
    file.write_text('1 openat(AT_FDCWD, "a", O_RDWR) = 3\n1 write(3, "x", 1) = 1\n')
    assert main(["check", str(file)]) == 3
    assert "without paths beside descriptors" in capsys.readouterr().err


def test_any_other_text_is_refused_as_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes"
    file.write_text("call me(maybe) = 1\n")
    assert main(["check", str(file)]) == 3
    assert "is not a tracefs journal" in capsys.readouterr().err
