"""What judges the databases: strace's log against a recording, rows against their numbers."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from soak.databases import kill, rows
from soak.databases.syncs import Syncs, difference, of_strace

SYNCS = """
import mmap, os, sys, threading
os.chdir(sys.argv[1])
file = os.open("f", os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 4096)
gone = os.open("gone", os.O_RDWR | os.O_CREAT)
os.unlink("gone")
other = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT)
def twice():
    for _ in range(200):
        os.fsync(file)
threads = [threading.Thread(target=twice) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
os.fdatasync(file); os.fdatasync(gone); os.fsync(os.open(".", os.O_RDONLY))
os.fdatasync(other)
mmap.mmap(file, 4096).flush()
end, _ = os.pipe()
try:
    os.fsync(end)
except OSError:
    pass
"""


def test_syncs_are_read_from_a_real_log(tmp_path: Path) -> None:
    directory, log = tmp_path / "d", tmp_path / "log"
    directory.mkdir()
    strace = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,msync", "-o", str(log)]
    program = [sys.executable, "-c", SYNCS, str(directory), str(tmp_path / "other")]
    subprocess.run([*strace, *program], check=True)
    found = of_strace(log.read_text(encoding="utf-8").splitlines(), directory)
    assert found.done == {
        ("fsync", "f"): 400,
        ("fdatasync", "f"): 1,
        ("fdatasync", "gone"): 1,
        ("fsync", ""): 1,
        ("msync", ""): 1,
    }
    assert found.cut == 0


# Lines of strace 6.1 about programs that were killed in the call.
@pytest.mark.parametrize(
    "lines",
    [
        ["7 fdatasync(3</d/f>) = ?"],
        ["7 fdatasync(3</d/f> <unfinished ...>", "8 fsync(4</e/f>) = 0"],
        ["7 fdatasync(3</d/f> <unfinished ...>", "7 <... fdatasync resumed>) = ?"],
    ],
)
def test_a_call_that_never_returned_may_have_been_made_or_not(lines: list[str]) -> None:
    found = of_strace([*lines, "9 fsync(5</d/g>)               = 0"], Path("/d"))
    assert found.done == {("fsync", "g"): 1}
    assert found.cut == 1


def test_a_recording_may_have_what_was_cut_and_nothing_else() -> None:
    strace = Syncs(Counter({("fsync", "f"): 2, ("fdatasync", "g"): 1}), cut=1)
    same = difference(strace, Syncs(Counter({("fsync", "f"): 3, ("fdatasync", "g"): 1})))
    assert not same.lost
    assert not same.invented
    other = difference(strace, Syncs(Counter({("fsync", "f"): 1, ("fdatasync", "f"): 2})))
    assert other.lost == {("fsync", "f"): 1, ("fdatasync", "g"): 1}
    assert other.invented == {("fdatasync", "f"): 2}


def test_rows_are_judged_by_their_numbers() -> None:
    whole = {number: rows.contents(number) for number in range(100)}
    slots = {rows.slot(number): whole[number] for number in whole}
    assert rows.wrong(whole, slots) == []
    assert rows.wrong(whole | {7: b"?"}, slots) == ["row 7 is damaged"]
    half = {number: whole[number] for number in range(99)}
    assert rows.wrong(half, slots) == ["slot 19 is not of row 59, the last one that replaced it"]
    assert rows.wrong({}, {3: b"?"}) == ["slot 3 without a row"]


COUNTS = "import os\nfor n in range({}): os.write(1, b'%d\\n' % n)\n{}"
STAYS = "import signal; signal.pause()"


def killing(victim: str, log: Path, client: list[str]) -> subprocess.CompletedProcess[str]:
    options = ["--after", "3", "--victim", victim, "--log", os.fspath(log)]
    return subprocess.run(
        [sys.executable, kill.__file__, *options, "--", *client],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_client_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    forks = "os.fork(); " + STAYS
    client = [sys.executable, "-c", COUNTS.format(3, forks)]
    done = killing("client", tmp_path / "log", client)
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"]), done.stderr


def test_another_process_is_killed_in_the_clients_place(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as victim:
        client = [sys.executable, "-c", COUNTS.format(3, "import sys; sys.stdin.read()")]
        done = killing(str(victim.pid), tmp_path / "log", client)
        assert victim.wait(timeout=30) == -9
    assert done.returncode == 0, done.stderr


def test_a_client_that_ends_too_early_is_a_failure(tmp_path: Path) -> None:
    done = killing("client", tmp_path / "log", [sys.executable, "-c", COUNTS.format(2, "")])
    assert done.returncode == 1
    assert "only 2 acknowledged" in done.stderr
