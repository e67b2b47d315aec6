"""diff and record-golden on recordings that a writer made: output, files and exit codes."""

import json
import os
import shlex
from pathlib import Path

import pytest
from cli_support import PAGE, Answer, Recorder, broken, header, kept, torn, tracefs, undecided
from syrupy.assertion import SnapshotAssertion

from tracefs.cli.main import main

Said = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, with recordings in it, and no others anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    kept(tmp_path / "kept")
    broken(tmp_path / "broken")
    undecided(tmp_path / "undecided")
    torn(tmp_path / "torn")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("kept kept", 0),
        ("kept broken", 1),
        ("kept undecided", 4),
        ("kept torn", 4),
        ("undecided undecided", 4),
        ("--only sync kept broken", 1),
        ("--path *.log kept broken", 4),
        ("--context 0 kept broken", 1),
        ("--order none kept broken", 1),
        ("--json kept broken", 1),
    ],
)
def test_diff(words: str, code: int, here: Path, capsys: Said, snapshot: SnapshotAssertion) -> None:
    assert main(["diff", *shlex.split(words)]) == code
    assert capsys.readouterr().out == snapshot


def test_a_golden_file_is_written_through_a_link_and_beside_nobody_elses(here: Path) -> None:
    make = ["record-golden", "--update", "--from", "kept", "-o"]
    (here / "link.golden").symlink_to("real.golden")
    (here / "real.golden").touch(mode=0o640)
    (here / "link.golden.new").write_text("mine", encoding="utf-8")
    before = set(os.listdir(here))
    assert main([*make, "link.golden"]) == 0
    assert (here / "link.golden").is_symlink()
    assert (here / "real.golden").read_text(encoding="utf-8").startswith("tracefs golden")
    assert (here / "real.golden").stat().st_mode & 0o777 == 0o640
    assert (here / "link.golden.new").read_text(encoding="utf-8") == "mine"
    assert set(os.listdir(here)) == before


def test_a_golden_file_is_written_and_then_compared(
    here: Path, capsys: Said, snapshot: SnapshotAssertion
) -> None:
    make = ["record-golden", "-o", "a.golden", "--from"]
    assert main([*make, "kept"]) == 0
    text = Path("a.golden").read_text()
    assert text == snapshot
    assert main([*make, "kept"]) == 0
    assert main([*make, "broken"]) == 1
    assert Path("a.golden").read_text() == text
    assert main(["diff", "a.golden", "kept"]) == 0
    assert main(["diff", "a.golden", "broken"]) == 1
    said = capsys.readouterr()
    assert said == snapshot
    # What is told to type does what it says.
    accept = said.out.splitlines()[-1].partition("to accept B: tracefs ")[2]
    assert main(shlex.split(accept)) == 0
    assert main(["diff", "a.golden", "broken"]) == 0
    assert sorted(os.listdir()) == ["a.golden", "broken", "kept", "torn", "undecided"]


def test_what_a_golden_file_chose_holds_for_later_runs(here: Path, capsys: Said) -> None:
    make = ["record-golden", "-o", "a.golden"]
    assert main([*make, "--only", "sync", "--path", "*.db", "--from", "kept"]) == 0
    text = Path("a.golden").read_text()
    assert 'path: "*.db"\nonly: sync\n' in text
    assert "pwrite64" not in text
    assert main([*make, "--from", "kept"]) == 0
    assert main(["diff", "kept", "a.golden"]) == 0
    assert main([*make, "--only", "write", "--from", "kept"]) == 2
    assert "has other calls chosen" in capsys.readouterr().err
    assert main([*make, "--only", "write", "--from", "kept", "--update"]) == 0
    assert "only: write\n" in Path("a.golden").read_text()


@pytest.mark.parametrize("name", ["torn", "undecided"])
def test_what_nothing_could_be_equal_to_is_no_golden_file(
    name: str, here: Path, capsys: Said, snapshot: SnapshotAssertion
) -> None:
    assert main(["record-golden", "-o", "a.golden", "--from", name]) == 4
    assert capsys.readouterr().err == snapshot
    assert not Path("a.golden").exists()


def test_a_file_that_is_something_else_stays(here: Path, capsys: Said) -> None:
    Path("notes").write_text("mine\n")
    assert main(["record-golden", "-o", "notes", "--update", "--from", "kept"]) == 2
    assert Path("notes").read_text() == "mine\n"
    assert "is there and is no golden trace" in capsys.readouterr().err


def test_a_damaged_golden_file_is_told_by_line_and_can_be_made_anew(
    here: Path, capsys: Said
) -> None:
    make = ["record-golden", "-o", "a.golden", "--from", "kept"]
    assert main(make) == 0
    text = Path("a.golden").read_text()
    Path("a.golden").write_text(text.replace("offset=8192", "offset=two"))
    assert main(make) == 3
    assert main(["diff", "a.golden", "kept"]) == 3
    assert "a.golden:10: expected what may stand behind " in capsys.readouterr().err
    assert main([*make, "--update"]) == 0
    assert Path("a.golden").read_text() == text


def test_a_golden_file_that_cant_be_written_is_told(here: Path, capsys: Said) -> None:
    assert main(["record-golden", "-o", "no/a.golden", "--from", "kept"]) == 3
    assert "cannot write no/a.golden: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        "diff - -", "diff kept", "diff --order x kept kept", "diff --only pwrit kept kept",
        "record-golden -o x", "record-golden --from kept", "record-golden -o x --from kept true",
    ],
)  # fmt: skip
def test_wrong_arguments(words: str, here: Path) -> None:
    assert main(words.split()) == 2


def test_a_journal_on_standard_input(here: Path) -> None:
    journal = (here / "kept" / "journal.jsonl").read_bytes()
    said = tracefs("diff", "kept", "-", stdin=journal)
    assert said == Answer(0, said.out, "")
    assert said.out.startswith("equal: the same calls in the same order\n")


def test_many_differences_are_cut_and_runs_are_folded(
    here: Path, capsys: Said, snapshot: SnapshotAssertion
) -> None:
    recorders = Recorder(here / "one"), Recorder(here / "two")
    for recorder, synced in zip(recorders, (True, False), strict=True):
        recorder.create()
        for page in range(30):
            recorder.write(page * PAGE)
            if synced:
                recorder.sync()
        for page in range(100, 200):
            recorder.write(page * PAGE)
        recorder.shut()
        recorder.finish()
    assert main(["diff", "one", "two"]) == 1
    assert capsys.readouterr().out == snapshot
    assert main(["diff", "--all", "--json", "one", "two"]) == 1
    assert len(json.loads(capsys.readouterr().out)["differences"]) == 30
    assert main(["diff", "--all", "one", "two"]) == 1
    assert "more (--all" not in capsys.readouterr().out


def test_levels_of_the_witness_that_differ_are_told(here: Path, capsys: Said) -> None:
    kept(here / "less", header(witness="seccomp", notified=("lseek",)))
    assert main(["diff", "kept", "less"]) == 4
    assert "A was seen by witness proc, B by seccomp" in capsys.readouterr().out
