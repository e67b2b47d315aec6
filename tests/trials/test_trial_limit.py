"""What limits a command: it ends as the command does, says how, and leaves nothing of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tracefs.trials import limit
from tracefs.trials.ended import Ended, How, command, read


def run(tmp_path: Path, seconds: str, *words: str) -> tuple[int, Ended | None]:
    program = [sys.executable, "-I", "-S", limit.__file__]
    done = subprocess.run(
        [*program, seconds, "1", str(tmp_path / "report"), str(tmp_path / "output"), *words],
        check=False, timeout=50,
    )  # fmt: skip
    told, ended = command(tmp_path / "report"), read(tmp_path / "report")
    if ended is not None:
        whole = ended.how is not How.LATE and ended.pid
        assert told == ((ended.pid, ended.status) if whole else None)
        ended = replace(ended, pid=0)
    return done.returncode, ended


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


def test_the_command_s_own_number_is_told(tmp_path: Path) -> None:
    report = tmp_path / "again"
    program = [sys.executable, "-I", "-S", limit.__file__, "30", "1", str(report)]
    script = f"echo $$ > {tmp_path}/pid; exit 3"
    subprocess.run([*program, str(tmp_path / "out"), "sh", "-c", script], check=False, timeout=50)
    assert command(report) == (int((tmp_path / "pid").read_text()), 3)
