"""The journal can't be written on, or is taken away: the program goes on, the recording says so."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import faulty_source
import pytest
import watchdog
from fault_support import TracedPuppet, require_incomplete
from mounted_support import PATIENCE_S, Guard, calls

PAGES = 12
# Notices of lseek are the supervisor's lines, the others are the server's.
STEPS = tuple(
    f"os.lseek(fd, {page} * 4096, 0); os.pwrite(fd, b'%08d' % {page} * 512, {page} * 4096)"
    for page in range(PAGES)
)
OPEN = "fd = os.open('f', os.O_RDWR | os.O_CREAT, 0o644)"
Disk = Callable[[int, str], Path]


@pytest.fixture
def disk(tmp_path: Path, guard: Guard) -> Iterator[Disk]:
    """Make a filesystem for a recording that takes so many bytes, and then fails so."""
    made: list[subprocess.Popen[str]] = []
    place = tmp_path / "disk"

    def make(room: int, error: str) -> Path:
        place.mkdir()
        guard.watch(place)
        words = [sys.executable, faulty_source.__file__, str(place), str(room), error]
        made.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        assert made[0].stdout is not None
        assert made[0].stdout.readline() == "ready\n"
        return place

    yield make
    watchdog.abort(str(place))
    for process in made:
        process.communicate(timeout=PATIENCE_S)


# Each lands in another line, of one writer or of the other.
@pytest.mark.parametrize("room", [1700, 3100, 4300])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("eio", "Input/output error"),
        ("enospc", "No space left on device"),
        ("short", "bytes were written; is the disk full?"),
    ],
)
def test_a_journal_that_cannot_be_written(
    tmp_path: Path, guard: Guard, disk: Disk, room: int, error: str, words: str
) -> None:
    recording = disk(room, error)
    run = TracedPuppet(tmp_path / "src", recording, guard)
    assert run.do(OPEN, *STEPS, "os.fsync(fd)", "os.close(fd)") == "ok"
    code, said = run.end()

    assert code == 125
    (stopped,) = [line for line in said if line.startswith("tracefs: recording stopped: ")]
    assert words in stopped
    assert any(line.startswith("tracefs: the recording is incomplete: ") for line in said)
    require_incomplete(recording)
    # What is told is true, up to where it ends.
    told = calls(recording, "seek", "write")
    assert [call.call for call in told] == (["lseek", "pwrite64"] * PAGES)[: len(told)]
    assert [call.offset for call in told[1::2]] == [n * 4096 for n in range(len(told) // 2)]
    data = (tmp_path / "src" / "f").read_bytes()
    assert data == b"".join(b"%08d" % page * 512 for page in range(PAGES))


@pytest.mark.parametrize("options", [[], ["--contract", "page-write"]])
def test_a_recording_that_is_deleted_meanwhile(
    tmp_path: Path, guard: Guard, options: list[str]
) -> None:
    run = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard, *options)
    assert run.do(OPEN) == "ok"
    shutil.rmtree(run.recording)
    assert run.do(*STEPS, "os.fsync(fd)", "os.close(fd)") == "ok"
    code, said = run.end()

    assert code == 125
    assert "tracefs: the recording is incomplete: journal.jsonl: it was deleted" in said
    assert not any("Traceback" in line for line in said)
    assert (tmp_path / "src" / "f").stat().st_size == PAGES * 4096
