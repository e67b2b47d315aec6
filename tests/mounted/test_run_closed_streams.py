"""Standard streams that are closed: tracefs does without, and the command has them closed, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard, calls

from tracefs.journal.reader import JournalReader

COMMAND = """
import os
def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
report = str([number for number in range(3) if is_open(number)])
fd = os.open("report", os.O_WRONLY | os.O_CREAT, 0o644)
os.write(fd, report.encode())
os._exit(7)
"""
ALL = "<&- >&- 2>&-"


def with_closed(closed: str, words: list[str], directory: Path) -> int:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *words],
        cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_S, check=False, env=os.environ | {"XDG_STATE_HOME": str(directory)},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode


@pytest.mark.parametrize("visible", [[], ["--visible"]])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ALL])
def test_the_command_runs_as_it_would_without_tracefs(
    closed: str, visible: list[str], tmp_path: Path, guard: Guard
) -> None:
    traced, bare = tmp_path / "src", tmp_path / "bare"
    traced.mkdir()
    bare.mkdir()
    guard.watch(traced)
    command = [sys.executable, "-SP", "-c", COMMAND]
    run = [*TRACEFS, "run", *visible, "-o", str(tmp_path / "rec"), "--", *command]
    assert with_closed(closed, command, bare) == 7
    assert with_closed(closed, run, traced) == 7
    assert (traced / "report").read_text() == (bare / "report").read_text()
    with JournalReader(tmp_path / "rec") as reader:
        list(reader.events())
        assert reader.ending.complete
    (write,) = calls(tmp_path / "rec", "write")
    assert (write.path, write.call) == ("report", "write")


def test_a_command_that_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    run = [*TRACEFS, "run", "-o", str(tmp_path / "rec"), "--", "no-such-command"]
    assert with_closed(ALL, run, tmp_path / "src") == 127


@pytest.mark.parametrize("words", [["list"], ["--help"], ["--version"]])
def test_what_prints_has_nowhere_to(words: list[str], tmp_path: Path) -> None:
    assert with_closed(ALL, [*TRACEFS, *words], tmp_path) == 0


def test_a_mount_in_the_background(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    guard.watch(tmp_path / "mnt")
    mount = [*TRACEFS, "mount", "--background", "-o", "rec", "src", "mnt"]
    assert with_closed(ALL, mount, tmp_path) == 0
    assert with_closed("", [*TRACEFS, "umount", "mnt"], tmp_path) == 0
    with JournalReader(tmp_path / "rec", follow=True) as reader:
        list(reader.events())
        assert reader.ending.complete
