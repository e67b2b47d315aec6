"""show, check and stats on recordings that a writer made: their output and exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import (
    PAGE,
    START_NS,
    TID,
    Recorder,
    broken,
    buffered,
    header,
    kept,
    torn,
    tracefs,
    undecided,
)
from syrupy.assertion import SnapshotAssertion

from tracefs.cli.check import exit_code
from tracefs.cli.main import main
from tracefs.findings import CheckResult, TraceSummary, Verdict

MAKERS = {"kept": kept, "broken": broken, "undecided": undecided, "torn": torn}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that recordings live in, for this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "state" / "tracefs"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "words", ["show", "show --json", "check", "check --json", "stats", "stats --json"]
)
def test_output(
    kind: str,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    snapshot: SnapshotAssertion,
) -> None:
    folder = MAKERS[kind](tmp_path / "r")
    code = main([*words.split(), str(folder)])
    assert f"{capsys.readouterr().out}exit code {code}" == snapshot


@pytest.mark.parametrize(
    ("kind", "code"), [("kept", 0), ("broken", 1), ("undecided", 4), ("torn", 4)]
)
def test_the_exit_code_of_check_is_the_verdict(kind: str, code: int, tmp_path: Path) -> None:
    folder = str(MAKERS[kind](tmp_path / "r"))
    assert main(["check", folder]) == code
    assert main(["check", "--json", folder]) == code


def test_an_incomplete_recording_never_counts_as_kept() -> None:
    torn_trace = TraceSummary(complete=False, calls=1, unknown_calls=0)
    answer = CheckResult(verdict=Verdict.KEPT, contracts=(), trace=torn_trace)
    assert exit_code(answer) == 4


def test_check_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(broken(tmp_path / "r"))
    assert main(["check", folder, "--without", "full-page", "--without", "synced"]) == 0
    assert "left out on request: full-page, synced" in capsys.readouterr().out
    assert main(["check", folder, "--page-size", "100", "--without", "synced"]) == 1
    assert main(["check", folder, "--path", "*.txt"]) == 4
    assert main(["check", folder, "--contract", "page-write"]) == 1


@pytest.mark.parametrize("option", ["--contract", "--without"])
def test_check_of_something_nobody_knows(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(kept(tmp_path / "r")), option, "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "check", "stats"])
@pytest.mark.parametrize("content", [b"", b"\0\xff\n", b"{}\n", b'{"type":"header"', b"text\n"])
def test_what_is_no_journal_is_told_in_one_line(
    command: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "journal.jsonl"
    foreign.write_bytes(content)
    assert main([command, str(foreign)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tracefs: ")
    assert captured.err.splitlines()[1:] in ([], [captured.err.splitlines()[-1]])


@pytest.mark.parametrize("command", ["show", "check", "stats"])
def test_a_recording_that_is_not_there(
    command: str, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(state / "nothing")]) == 3
    assert main([command]) == 3
    assert capsys.readouterr().err.count("repair:") == 2


@pytest.mark.parametrize("command", ["show", "check", "stats"])
@pytest.mark.parametrize("size", [0, -1])
def test_an_impossible_page_size_is_no_crash(command: str, size: int, tmp_path: Path) -> None:
    assert main([command, str(kept(tmp_path / "r", header(page_size=size)))]) == 3


@pytest.mark.parametrize("command", ["show", "check", "stats"])
def test_every_way_to_name_a_recording(
    command: str, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(state / "old.trace", header("2026-01-01T00:00:00+00:00"))
    folder = kept(state / "new.trace", header("2026-01-03T00:00:00+00:00"))
    answers = set()
    for words in ([], [str(folder)], [str(folder / "journal.jsonl")], ["new"], ["new.trace"]):
        assert main([command, *words]) == 0
        answers.add(capsys.readouterr().out)
    assert len(answers) == 1


@pytest.mark.parametrize("command", ["show", "check", "stats"])
def test_standard_input_gives_the_same_answer(command: str, tmp_path: Path) -> None:
    folder = broken(tmp_path / "r")
    journal = (folder / "journal.jsonl").read_bytes()
    piped = tracefs(command, "-", stdin=journal)
    assert piped == tracefs(command, str(folder))
    assert piped.code == (1 if command == "check" else 0)


def test_standard_input_that_is_a_file_is_read_twice_too(tmp_path: Path) -> None:
    folder = broken(tmp_path / "r")
    expected = tracefs("check", str(folder))
    with open(folder / "journal.jsonl", "rb") as journal:
        saved = os.dup(0)
        os.dup2(journal.fileno(), 0)
        try:
            code = main(["check", "-"])
        finally:
            os.dup2(saved, 0)
            os.close(saved)
    assert code == expected.code


@pytest.mark.parametrize(
    ("words", "indices"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("--call pwrite64", [1, 3]),
        ("--call pwrite", [1, 3]),
        ("--call fdatasync,close", [2, 4, 5]),
        ("--path *.db", [0, 1, 2, 3, 4, 5]),
        ("--path *.txt", []),
        (f"--tid {TID}", [0, 1, 2, 3, 4, 5]),
        ("--tid 1", []),
        (f"--pid {TID} --call close", [5]),
        ("--since 0.0003", [2, 3, 4, 5]),
        ("--since 0.000300001", [3, 4, 5]),
        ("--until 0.0003", [0, 1, 2]),
        ("--until 0.000299999", [0, 1]),
        ("--since 0.0002 --until 3e-4", [1, 2]),
    ],
)
def test_filters_choose_exactly(
    words: str, indices: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(kept(tmp_path / "r"))
    assert main(["show", "--json", folder, *words.split()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["index"] for line in lines] == indices
    assert main(["show", folder, *words.split()]) == 0
    text = capsys.readouterr().out.splitlines()
    assert len([line for line in text if not line.startswith("#")]) == len(indices)
    assert (f"{len(indices)} of 6 calls" in text[-1]) == (len(indices) < 6)


def test_a_hostile_name_forges_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "x\n# complete; 0 calls\x1b[2J\u202e\\xff"
    folder = str(kept(tmp_path / "r", header(source=hostile, command=(hostile,)), path=hostile))
    for words in (["show"], ["show", "--json"], ["check"], ["check", "--json"], ["stats"]):
        main([*words, folder])
        out = capsys.readouterr().out
        assert all(line.isprintable() for line in out.split("\n"))
    main(["show", "--json", folder])
    assert json.loads(capsys.readouterr().out.splitlines()[0])["path"] == hostile


def test_follow_ends_with_the_recording(tmp_path: Path) -> None:
    folder = str(kept(tmp_path / "r"))
    assert tracefs("show", "-f", folder) == tracefs("show", folder)


def test_follow_prints_each_call_as_it_comes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r")
    recorder.create()
    command = [sys.executable, "-m", "tracefs", "show", "--json", "-f", str(recorder.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=buffered()) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["call"] == "openat"
        recorder.shut()
        assert json.loads(follower.stdout.readline())["call"] == "close"
        recorder.finish()
        assert follower.stdout.read() == ""
    assert follower.returncode == 0


def test_the_call_of_each_finding_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(broken(tmp_path / "r"))]) == 1
    out = capsys.readouterr().out
    assert "  pwrite64(3<pages.db>, 100 bytes, 8192) = 100 <0.000045>  # page 2" in out


def test_times_count_from_the_start_of_the_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(tmp_path / "r", header(start_ns=START_NS - 2_000_000_000))
    recorder.create()
    main(["show", str(recorder.finish())])
    assert " 2.000100  openat" in capsys.readouterr().out


def test_stats_top_limits_each_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(tmp_path / "r")
    recorder.create()
    for page in (0, 1, 0, 1):
        recorder.write(page * PAGE)
    folder = str(recorder.finish())
    main(["stats", "--top", "1", folder])
    assert "... and 1 more (--top N shows more)" in capsys.readouterr().out
    main(["stats", "--top", "0", "--json", folder])
    rewrites = json.loads(capsys.readouterr().out)["rewrites"]
    assert (rewrites["pages"], rewrites["top"]) == (2, [])


def test_a_deleted_journal_in_a_folder_is_told(tmp_path: Path) -> None:
    folder = kept(tmp_path / "r")
    shutil.rmtree(folder)
    folder.mkdir()
    assert main(["show", str(folder)]) == 3
