"""What limits a command: it ends as the command does, says how, and leaves nothing of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tracefs.trials import limit
from tracefs.trials.ended import Ended, How, read


def run(tmp_path: Path, seconds: str, *command: str) -> tuple[int, Ended | None]:
    program = [sys.executable, "-I", "-S", limit.__file__]
    done = subprocess.run(
        [*program, seconds, "1", str(tmp_path / "report"), str(tmp_path / "output"), *command],
        check=False, timeout=50,
    )  # fmt: skip
    return done.returncode, read(tmp_path / "report")


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -SEGV $$", 128 + 11)]
)
def test_it_ends_as_the_command_does(tmp_path: Path, script: str, status: int) -> None:
    ended = Ended(how=How.ENDED, status=status)
    assert run(tmp_path, "30", "sh", "-c", script) == (status, ended)


def test_who_is_late_is_killed(tmp_path: Path) -> None:
    status, ended = run(tmp_path, "0.1", "sleep", "600")
    assert (status, ended) == (128 + 9, Ended(how=How.LATE, status=128 + 9))


def test_what_was_left_is_told(tmp_path: Path) -> None:
    _, ended = run(tmp_path, "0.5", "sh", "-c", "setsid sleep 600 & exit 4")
    assert ended == Ended(how=How.LEFT, status=4)


def test_what_cannot_be_run_is_told(tmp_path: Path) -> None:
    status, ended = run(tmp_path, "30", "/absent")
    assert status == 127
    assert ended is not None
    assert (ended.how, ended.message) == (How.UNSTARTED, "/absent: No such file or directory")


def test_without_a_report_nothing_is_known(tmp_path: Path) -> None:
    assert read(tmp_path / "report") is None
    (tmp_path / "report").write_text("")
    assert read(tmp_path / "report") is None
