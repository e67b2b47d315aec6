"""``tracefs contracts``, and ``check`` by a contract file."""

import json
from pathlib import Path

import pytest
from cli_support import kept
from syrupy.assertion import SnapshotAssertion

from tracefs.cli.main import main
from tracefs.contracts import names

GOOD = '''\
version = 1

[[contract]]
id = "whole-pages"
title = "Whole pages, each synced."
per = "open"
opens = "writable"
files = ["*.db", "*.log"]
some = "pwrite(*.db)"
every = "pwrite|write($db=*.db)[not emulated]"
must = "length == page_size"
next = "fdatasync|fsync($db)"
at_most = 3
never = ["lseek", "@write(a.db)[errno == 'EIO']"]
help = """Read
  the page."""

[[contract]]
id = "replace"
points = 2.5
before = "@truncate($file)"
need = "@sync($file-wal)"
since = "pwrite($file-wal)"
when = "rename($tmp, c.json)"
sequence = """
(pwrite($tmp)+ close?){1,3}
(fsync($tmp) lseek)|unlink($tmp)
rename($tmp, c.json) fsyncdir(.)
"""

[[contract]]
id = "directories"
per = "process"

[[contract.rule]]
id = "synced"
severity = "advice"
per = "file"
every = "open($path)[created]"
provided = "@write($path)"
next = "fsyncdir(dir($path))"
until = "close|end"
expected = "a directory that is synced"
repair = "Sync it."
'''
WRONG = 'version = 1\n[[contract]]\nid = "a"\nnever = "lsek"\n'
DOUBTFUL = 'version = 1\n[[contract]]\nid = "a"\nnever = "pwrite(./a)"\n'
BROKEN = 'version = 1\n[[contract]]\nid = "no-writes"\nnever = "@write"\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name, text in (
        ("good.toml", GOOD),
        ("wrong.toml", WRONG),
        ("doubtful.toml", DOUBTFUL),
        ("broken.toml", BROKEN),
    ):
        Path(name).write_text(text)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["contracts", *words]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "list").splitlines()
    assert [line.split()[0] for line in lines] == list(names())
    assert all(len(line.split()) > 3 for line in lines)
    found = [json.loads(line) for line in said(capsys, "list", "--json").splitlines()]
    assert [each["id"] for each in found] == list(names())


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "show", "good.toml") == GOOD


def test_explain(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert said(capsys, "explain", "good.toml") == snapshot


def test_explain_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        json.loads(line) for line in said(capsys, "explain", "--json", "good.toml").splitlines()
    ]
    assert [each["id"] for each in found] == ["whole-pages", "replace", "directories"]
    assert found[0]["rules"][0]["says"] == (
        "For each pwrite64 or write on *.db ($db) where not emulated it must be true that "
        "length == page_size."
    )


def test_lint_of_good_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "lint", "good.toml", "broken.toml") == ""
    for name in names():
        if name != "page-write":
            assert said(capsys, "lint", name) == ""


def test_lint(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    said(capsys, "lint", "doubtful.toml", code=1)
    assert said(capsys, "lint", "good.toml", "wrong.toml", "doubtful.toml", code=2) == snapshot


def test_lint_json(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "lint", "--json", "wrong.toml", "doubtful.toml", code=2).splitlines()
    assert [
        (each["file"], each["line"], each["column"], each["severity"])
        for each in map(json.loads, lines)
    ] == [("wrong.toml", 4, 10, "error"), ("doubtful.toml", 4, 10, "warning")]


@pytest.mark.parametrize("command", ["show", "explain"])
def test_a_wrong_file(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts", command, "wrong.toml"]) == 2
    assert capsys.readouterr() == (
        "",
        "tracefs: wrong.toml:4:10: expected the name of a call, saw 'lsek'; did you mean lseek?\n",
    )


def test_no_name_of_a_file_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("\x1b[2J.toml").write_text(WRONG + "# \u202e\n")
    assert "\x1b" not in said(capsys, "lint", "\x1b[2J.toml", code=2)
    Path("c.toml").write_text(BROKEN + "#\t\u202e\n")
    shown = said(capsys, "show", "c.toml")
    assert "#\t\\xe2\\x80\\xae" in shown


def test_check_by_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(kept(tmp_path / "r"))
    words = ["check", "--contract", "broken.toml", "--contract", "page-write", folder]
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "no-writes: broken (" in out
    assert "page-write: kept" in out


def test_check_by_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is the command line that is wrong, and no contract is broken."""
    assert main(["check", "--contract", "wrong.toml", str(kept(tmp_path / "r"))]) == 2
    assert capsys.readouterr().err.startswith("tracefs: wrong.toml:4:10: expected the name")
