"""The processes of a traced run are killed one by one: the program goes on as if not traced."""

import os
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import watchdog
from mounted_support import PATIENCE_S, TRACEFS, Guard, HungError, calls, journal

from tracefs.events import Lost, Notice, Write
from tracefs.journal.reader import JournalReader

pytestmark = pytest.mark.alone

THREADS, ROUNDS = 4, 100
REPORTS = THREADS * ROUNDS
POINTS = (1, 7, 50, 137, 222, 390)
"""Reports heard before the blow."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("program") / "seek_and_write"
    source = Path(__file__).with_name("seek_and_write.c")
    subprocess.run(["gcc", "-O2", "-pthread", "-o", made, source], check=True)
    return made


@pytest.fixture(scope="module")
def untraced(program: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the file holds without tracefs."""
    file = tmp_path_factory.mktemp("untraced") / "f"
    words = [str(program), str(file), str(THREADS), str(ROUNDS)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return file.read_bytes()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def called(name: str, pids: list[int]) -> int:
    """Return which of *pids* is called so."""
    (found,) = [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text() == f"{name}\n"]
    return found


class Traced:
    """``tracefs run`` of the program, whose reports are read one by one.

    *level* is that of the witness, or a subcommand with its options.
    """

    def __init__(
        self, tmp_path: Path, program: Path, guard: Guard, level: str | list[str], *more: str
    ) -> None:
        self.directory, self.recording = tmp_path / "src", tmp_path / "rec"
        self.directory.mkdir()
        guard.watch(self.directory)
        words = ["run", "--witness", level] if isinstance(level, str) else level
        self.process = subprocess.Popen(
            [*TRACEFS, *words, "-o", str(self.recording), "--",
             program, "f", str(THREADS), str(ROUNDS), *more],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip

    def hear(self, reports: int) -> None:
        """Wait until the program has come so far."""
        assert self.process.stdout is not None
        heard = self.process.stdout.read(reports)
        assert len(heard) == reports

    @property
    def guardian(self) -> int:
        return called("tracefs-guard", children(self.process.pid))

    @property
    def supervisor(self) -> int:
        return called("tracefs-witness", children(self.guardian))

    def end(self) -> str:
        """Wait for the end; return what was said on standard error, and keep the rest."""
        try:
            self.rest, said = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            watchdog.abort(str(self.directory))
            os.killpg(self.process.pid, signal.SIGKILL)
            raise HungError("the run does not end") from None
        return said.decode()


@pytest.mark.parametrize("level", ["seccomp", "full"])
@pytest.mark.parametrize("reports", POINTS)
def test_a_killed_supervisor_is_stood_in_for(
    tmp_path: Path, program: Path, untraced: bytes, guard: Guard, reports: int, level: str
) -> None:
    run = Traced(tmp_path, program, guard, level)
    run.hear(reports)
    os.kill(run.supervisor, signal.SIGKILL)
    said = run.end()

    assert run.process.returncode == 0, said
    assert (run.directory / "f").read_bytes() == untraced
    (lost,) = journal(run.recording, Lost)
    assert lost.reason == "the supervisor ended by signal 9"
    notices = journal(run.recording, Notice)
    # Each report stands for three lseeks and a dup that the journal has.
    assert len(notices) >= 4 * reports
    assert all(notice.end_ns <= lost.start_ns for notice in notices)
    writes = [event for event in journal(run.recording, Write) if event.errno == 0]
    assert len(writes) == 2 * REPORTS, "what the filesystem sees is not affected"
    with JournalReader(run.recording) as reader:
        assert sum(1 for _ in reader.events())
        assert reader.ending.complete, reader.ending.reason


@pytest.mark.parametrize("options", [[], ["-q"]])
def test_a_lost_witness_is_told(
    tmp_path: Path, program: Path, guard: Guard, options: list[str]
) -> None:
    run = Traced(tmp_path, program, guard, ["run", *options])
    run.hear(7)
    os.kill(run.supervisor, signal.SIGKILL)
    said = run.end()

    assert run.process.returncode == 0, said
    (lost,) = journal(run.recording, Lost)
    with JournalReader(run.recording) as reader:
        seconds = (lost.start_ns - reader.header.start_ns) / 1e9
    unseen = f"from {seconds:.6f} s on, calls like lseek went unseen"
    assert said.splitlines()[-2:] == [
        f"tracefs: the witness was lost: {unseen}: the supervisor ended by signal 9",
        f"tracefs: next: run it again; tracefs show {run.recording} has what was seen",
    ]


@pytest.mark.parametrize(("calls", "code"), [("splice", 4), ("lseek", 1)])
def test_nothing_is_said_to_be_right_that_was_not_seen(
    tmp_path: Path, program: Path, guard: Guard, calls: str, code: int
) -> None:
    run = Traced(tmp_path, program, guard, ["stray", "--call", calls])
    run.hear(7)
    os.kill(run.supervisor, signal.SIGKILL)
    said = run.end()

    assert run.process.returncode == code, said
    report = run.rest.decode().lstrip(".")
    assert not re.search("^no stray call(?! seen among)", report, re.MULTILINE)
    assert "the recording is incomplete: from " in report


@pytest.mark.parametrize("reports", POINTS)
def test_without_its_guardian_the_supervisor_goes_on(
    tmp_path: Path, program: Path, untraced: bytes, guard: Guard, reports: int
) -> None:
    run = Traced(tmp_path, program, guard, "seccomp")
    run.hear(reports)
    os.kill(run.guardian, signal.SIGKILL)
    said = run.end()

    assert run.process.returncode == 0, said
    assert (run.directory / "f").read_bytes() == untraced
    assert journal(run.recording, Lost) == []
    assert len(seeks(run.recording)) == 3 * REPORTS


@pytest.mark.parametrize("reports", POINTS)
def test_without_tracefs_itself_the_program_goes_on(
    tmp_path: Path, program: Path, untraced: bytes, guard: Guard, reports: int
) -> None:
    run = Traced(tmp_path, program, guard, "seccomp")
    run.hear(reports)
    os.kill(run.process.pid, signal.SIGKILL)
    said = run.end()  # whoever holds the pipes: the program, to its end

    assert said == ""
    assert (run.directory / "f").read_bytes() == untraced


@pytest.mark.parametrize("reports", POINTS[::2])
def test_without_its_server_nothing_wrong_is_written(
    tmp_path: Path, program: Path, untraced: bytes, guard: Guard, reports: int
) -> None:
    run = Traced(tmp_path, program, guard, "seccomp")
    run.hear(reports)
    (server,) = [
        pid
        for pid in children(run.process.pid)
        if b"tracefs.capture.server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(server, signal.SIGKILL)
    said = run.end()

    assert "Function not implemented" not in said
    assert run.process.returncode != 0
    left = (run.directory / "f").read_bytes()
    zeros = bytes(512)
    for place in range(0, len(left), 512):
        assert left[place : place + 512] in {untraced[place : place + 512], zeros}


@pytest.mark.parametrize("level", ["seccomp", "full"])
def test_signals_repeat_no_call_and_lose_none(
    tmp_path: Path, program: Path, untraced: bytes, guard: Guard, level: str
) -> None:
    run = Traced(tmp_path, program, guard, level, "300")
    said = run.end()

    assert run.process.returncode == 0, said
    assert (run.directory / "f").read_bytes() == untraced
    done = Counter(call.call for call in calls(run.recording))
    assert done["lseek"] == 3 * REPORTS
    assert done["write"] == 2 * REPORTS
    assert done["dup"] == REPORTS
    assert done["close"] == REPORTS + THREADS
    # An open that a signal interrupts is named by its request alone.
    assert set(done) - {"open", "openat"} == {"lseek", "write", "dup", "close"}


def seeks(recording: Path) -> list[Notice]:
    return [notice for notice in journal(recording, Notice) if notice.seen.nr == 8]
