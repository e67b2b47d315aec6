"""``tracefs import``: what strace wrote becomes a recording, and stays what it was."""

import json
import os
import sys
from pathlib import Path

import pytest
from cli_support import tracefs

TEXT = """\
7 execve("/lab/prog", ["prog", "a b"], 0x7ffe /* 9 vars */) = 0
7 brk(NULL) = 0x1000
7 rt_sigaction(SIGINT, {sa_handler=SIG_DFL}, NULL, 8) = 0
7 openat(AT_FDCWD</lab>, "none", O_RDONLY) = -1 ENOENT (No such file or directory)
7 openat(AT_FDCWD</lab>, "pages.db", O_RDWR|O_CREAT|O_EXCL, 0644) = 3</lab/pages.db>
7 pwrite64(3</lab/pages.db>, ""..., 4096, 0) = 4096
7 fdatasync(3</lab/pages.db>) = 0
7 close(3</lab/pages.db>) = 0
7 openat(AT_FDCWD</lab>, "sub/other.db", O_RDWR|O_CREAT|O_EXCL, 0644) = 3</lab/sub/other.db>
7 pwrite64(3</lab/sub/other.db>, ""..., 4096, 0) = 4096
7 close(3</lab/sub/other.db>) = 0
7 exit_group(0) = ?
7 +++ exited with 0 +++
"""


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "run.log").write_text(TEXT)
    return tmp_path / "run.log"


def made(text: Path, *words: str) -> Path:
    answer = tracefs("import", *words, "-o", f"{text.parent}/made.trace", str(text))
    assert answer.code == 0, answer.err
    return text.parent / "made.trace"


def test_it_is_named_listed_and_pruned_like_any_other(text: Path, tmp_path: Path) -> None:
    answer = tracefs("import", str(text))
    assert answer.code == 0, answer.err
    [folder] = (tmp_path / "state/tracefs").iterdir()
    assert f"tracefs: imported 7 calls into {folder}\n" in answer.err
    assert answer.err.endswith(f"tracefs: next: tracefs check {folder}\n")
    assert folder.name.startswith("run.log-")
    text.unlink()
    [listed] = tracefs("list").out.splitlines()
    assert listed.endswith(f"{folder.name}  (strace's text) prog 'a b'")
    assert "rests on: 7 calls" in tracefs("check").out  # the latest
    assert "rests on: 7 calls" in tracefs("check", folder.name.removesuffix(".trace")).out
    assert tracefs("prune", "--keep", "0").out.splitlines() == [str(folder), "deleted 1 recording"]
    assert not folder.exists()


@pytest.mark.parametrize(
    "words",
    [["check"], ["show"], ["stats"], ["pages", "pages.db"], ["export", "--to", "jsonl", "-o", "-"]],
    ids=lambda words: words[0],
)
def test_it_is_read_as_the_text_is(text: Path, words: list[str]) -> None:
    command, *rest = words
    found = []
    for source in (str(made(text)), str(text)):
        answer = tracefs(command, source, *rest)
        found.append((answer.code, answer.out.replace(source, "SOURCE")))
    assert found[0] == found[1]
    assert found[0][1]


def test_it_can_be_added_to_a_dataset(text: Path, tmp_path: Path) -> None:
    folder = made(text)
    added = tracefs("dataset", "add", f"{tmp_path}/all", str(folder))
    assert "added recording made.trace: 7 calls" in added.err
    answer = tracefs("dataset", "check", f"{tmp_path}/all", "--format", "json")
    alone = tracefs("check", "--json", str(folder))
    found = json.loads(answer.out)
    assert found.pop("recording") == "made.trace"
    assert found == json.loads(alone.out)


def test_the_directory_that_was_chosen_is_kept(text: Path) -> None:
    folder = made(text, "--dir", "sub")
    shown = tracefs("show", str(folder)).out
    assert '"other.db"' in shown
    assert "pages.db" not in shown
    assert "pages.db" in tracefs("report", "-o", "/dev/stdout", "--dir", "/lab", str(folder)).out


def test_a_pipe_can_be_imported(text: Path) -> None:
    assert "imported 7 calls" in tracefs("import", "-", stdin=text.read_bytes()).err


def test_what_was_changed_since_is_not_read(text: Path) -> None:
    folder = made(text)
    kept = folder / "strace.txt"
    kept.chmod(0o600)
    kept.write_text(TEXT.replace("fdatasync", "fdatasynx"))
    answer = tracefs("check", str(folder))
    assert answer.code == 3
    assert "was changed since it was imported" in answer.err
    (folder / "import.json").write_text("{")
    assert "import.json is damaged" in tracefs("show", str(folder)).err


def test_an_incomplete_text_is_imported_and_told(text: Path) -> None:
    text.write_text(TEXT.rpartition("7 exit_group")[0])
    answer = tracefs("import", str(text))
    assert answer.code == 4
    assert "the recording is incomplete: " in answer.err


@pytest.mark.parametrize("content", ["", "hello\n", "{}\n"])
def test_what_is_no_text_of_strace_leaves_nothing(text: Path, content: str) -> None:
    text.write_text(content)
    for words in ([], ["-o", f"{text.parent}/made.trace"]):
        answer = tracefs("import", *words, str(text))
        assert answer.code == 3
        assert f"{text} is no text of strace" in answer.err
    assert not (text.parent / "made.trace").exists()
    assert list((text.parent / "state/tracefs").iterdir()) == []


def test_an_empty_folder_that_was_there_stays_as_it_was(text: Path) -> None:
    folder = text.parent / "mine"
    folder.mkdir(mode=0o750)
    before = folder.stat()
    assert tracefs("import", "-o", str(folder), sys.executable).code == 3
    after = folder.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert list(folder.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(text: Path) -> None:
    folder = made(text)
    answer = tracefs("import", "-o", str(folder), str(text))
    assert answer.code == 2
    assert "it is not empty" in answer.err
    assert sorted(os.listdir(folder)) == ["import.json", "strace.txt"]


def test_a_file_that_is_not_there_is_told(text: Path) -> None:
    answer = tracefs("import", f"{text}.old")
    assert answer.code == 3
    assert answer.err == f"tracefs: cannot read {text}.old: No such file or directory\n"
    assert list((text.parent / "state/tracefs").iterdir()) == []


@pytest.mark.parametrize(
    "words", [["replay", "SOURCE", "made"], ["index", "SOURCE"], ["crash", "SOURCE"]]
)
def test_what_needs_requests_says_why_it_has_none(text: Path, words: list[str]) -> None:
    folder = str(made(text))
    answer = tracefs(*(folder if word == "SOURCE" else word for word in words))
    assert answer.code == 2
    assert "needs what a filesystem sees, and this recording is strace's text" in answer.err
