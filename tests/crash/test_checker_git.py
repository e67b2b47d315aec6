"""The ready checker ``git`` on real repositories, whole and damaged."""

import os
import subprocess
from pathlib import Path

import pytest

from tracefs.crash.checkers import find
from tracefs.crash.checkers.git import ask
from tracefs.crash.checkers.ready import CheckerError

WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"), ("DATE", "@1 +0000"))
}


def git(work: Path, *words: str) -> str:
    environment = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *words], cwd=work, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working tree with two commits, of which `commits` are the names."""
    path = tmp_path / "state" / "work"
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    for number in range(2):
        (path / f"file{number}").write_text(f"content {number}\n")
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", f"commit {number}")
    return path


def commits(work: Path) -> list[str]:
    return git(work, "log", "--format=%H", "--reverse").split()


def object_of(work: Path, name: str) -> Path:
    full = git(work, "rev-parse", name)
    path = work / ".git" / "objects" / full[:2] / full[2:]
    path.chmod(0o644)
    return path


def test_it_is_found_by_its_name() -> None:
    ready = find("git")
    assert ready is not None
    assert ready.ask is ask
    assert ready.lacks() is None


def test_a_whole_repository_with_the_commits_is_good(work: Path) -> None:
    names = commits(work)
    assert ask(work.parent, []) is None
    assert ask(work.parent, names) is None
    assert ask(work.parent, [names[0][:7]]) is None


def test_a_bare_repository_is_found(work: Path) -> None:
    names = commits(work)
    git(work, "clone", "-q", "--bare", ".", "../bare")
    work.rename(work.parent.parent / "elsewhere")
    assert ask(work.parent, names) is None


def test_an_absent_repository_is_good_until_something_is_acknowledged(tmp_path: Path) -> None:
    assert ask(tmp_path, []) is None
    assert ask(tmp_path, ["a" * 40]) == f"no repository; acknowledged: commit {'a' * 40}"


def test_a_commit_that_no_ref_leads_to_is_lost(work: Path) -> None:
    first, last = commits(work)
    git(work, "reset", "-q", "--hard", first)
    assert ask(work.parent, [first]) is None
    assert ask(work.parent, [first, last]) == f"acknowledged commit lost: {last}"


def test_a_detached_head_counts(work: Path) -> None:
    git(work, "checkout", "-q", "--detach")
    (work / "file3").write_text("more\n")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "detached")
    assert ask(work.parent, [git(work, "rev-parse", "HEAD")]) is None


@pytest.mark.parametrize("name", ["HEAD", "HEAD^{tree}", "HEAD:file0", "HEAD~1"])
def test_an_object_without_content_is_bad(work: Path, name: str) -> None:
    os.truncate(object_of(work, name), 0)
    said = ask(work.parent, [])
    assert said is not None
    assert said.startswith("work/.git: git fsck: error: ")


def test_a_flipped_byte_is_bad(work: Path) -> None:
    path = object_of(work, "HEAD:file1")
    data = bytearray(path.read_bytes())
    data[-3] ^= 0xFF
    path.write_bytes(data)
    assert (ask(work.parent, []) or "").startswith("work/.git: git fsck: ")


def test_an_empty_ref_is_bad(work: Path) -> None:
    os.truncate(work / ".git" / "refs" / "heads" / "main", 0)
    assert ask(work.parent, []) is not None


def test_a_repository_without_head_is_bad(work: Path) -> None:
    (work / ".git" / "HEAD").unlink()
    assert "not a git repository" in (ask(work.parent, []) or "")


def test_an_object_that_was_being_written_and_a_lock_are_no_harm(work: Path) -> None:
    objects = work / ".git" / "objects"
    (objects / "aa").mkdir(exist_ok=True)
    (objects / "aa" / "tmp_obj_Abc123").touch()
    (objects / "pack").mkdir(exist_ok=True)
    (objects / "pack" / "tmp_pack_Abc123").write_bytes(b"PACK")
    (work / ".git" / "index.lock").touch()
    (work / ".git" / "refs" / "heads" / "main.lock").touch()
    assert ask(work.parent, commits(work)) is None


def test_a_word_that_is_not_understood_is_no_answer(work: Path) -> None:
    with pytest.raises(CheckerError, match="acknowledgement not understood"):
        ask(work.parent, ["main"])
