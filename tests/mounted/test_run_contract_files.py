"""``tracefs run`` judged by a contract file, which may lie in the traced directory itself."""

import subprocess
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard

FORBIDS = 'version = 1\n[[contract]]\nid = "no-links"\nnever = "link|symlink"\n'
ALLOWS = 'version = 1\n[[contract]]\nid = "no-links"\nnever = "mknod"\n'


@pytest.fixture
def directory(tmp_path: Path, guard: Guard) -> Path:
    made = tmp_path / "src"
    made.mkdir()
    guard.watch(made)
    return made


def run(directory: Path, contract: str, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRACEFS, "run", "-q", "-o", directory.parent / "rec", "--contract", contract, "--",
         "sh", "-c", script],
        cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def test_the_command_is_judged_by_what_the_file_said_before(directory: Path) -> None:
    (directory / "c.toml").write_text(FORBIDS)
    (directory / "other.toml").write_text(ALLOWS)
    done = run(directory, "c.toml", "cat other.toml > c.toml; ln -s a b")
    assert done.returncode == 1
    assert "no-links: broken (1 error)" in done.stderr
    assert (directory / "c.toml").read_text() == ALLOWS


def test_a_file_that_forbids_nothing_that_was_done(directory: Path) -> None:
    (directory / "c.toml").write_text(ALLOWS)
    done = run(directory, "./c.toml", "ln -s a b")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "no-links: kept")


@pytest.mark.parametrize("text", ["version = 1\n", None])
def test_nothing_is_run_where_the_file_is_wrong(directory: Path, text: str | None) -> None:
    if text is not None:
        (directory / "c.toml").write_text(text)
    done = run(directory, "c.toml", "touch made")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "tracefs: c.toml:1:1: expected at least one"
        if text
        else "tracefs: The contract file c.toml"
    )
    assert not (directory / "made").exists()
    assert not (directory.parent / "rec").exists()
