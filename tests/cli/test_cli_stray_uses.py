"""``tracefs show --stray``: the conditions, the JSON, and what it refuses."""

import json
from pathlib import Path

import pytest
from cli_support import TID, astray, kept
from syrupy.assertion import SnapshotAssertion

from tracefs.cli.main import main

CONDITIONS = [
    ("", [1, 2, 3]),
    ("--call=,", [1, 2, 3]),
    ("--call lseek", [1, 2]),
    ("--call write", [3]),
    ("--call pwrite", []),
    (f"--tid {TID}", [1, 2, 3]),
    ("--tid 1", []),
    (f"--pid {TID} --call write", [3]),
    ("--pid 1", []),
    ("--path *.db", [1, 2, 3]),
    ("--path *.txt", []),
    ("--since 0.0003", [2, 3]),
    ("--until 0.0003", [1, 2]),
    ("--since 0.0003 --until 0.0003", [2]),
]


@pytest.mark.parametrize(("words", "indices"), CONDITIONS)
def test_conditions_choose_exactly(
    words: str, indices: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(astray(tmp_path / "r"))
    assert main(["show", "--stray", "--json", folder, *words.split()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["index"] for line in lines] == indices
    assert main(["show", "--stray", folder, *words.split()]) == 0
    text = capsys.readouterr().out
    assert [n for n in range(5) if f"\n  call {n}, thread" in text] == indices


def test_what_a_seek_did_is_told_of_a_write_that_is_not_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["show", "--stray", "--json", "--call", "lseek", str(astray(tmp_path / "r"))])
    told = [json.loads(line)["effect"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["no write followed at that position", "it moved the write of call 3"]


def test_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    main(["show", "--stray", "--json", str(astray(tmp_path / "r"))])
    captured = capsys.readouterr()
    assert captured.out == snapshot
    assert captured.err == ""


def test_json_of_a_recording_that_is_incomplete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = astray(tmp_path / "r") / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    assert main(["show", "--stray", "--json", str(tmp_path / "r")]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tracefs: the recording is incomplete: no footer")
    assert main(["show", "--stray", str(tmp_path / "r")]) == 0
    assert capsys.readouterr().out.startswith("no stray call seen among 1 call, but ")


@pytest.mark.parametrize("option", ["--follow", "--reads"])
def test_what_makes_no_sense_is_refused(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "--stray", option, str(astray(tmp_path / "r"))]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{option} goes without --stray" in captured.err


def test_a_recording_without_notices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--stray", str(kept(tmp_path / "r"))]) == 3
    assert "made without notices" in capsys.readouterr().err
