"""Golden traces of real programs: equal run after run, and what differs is exactly what does."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from faulty_support import Program, programs
from mounted_support import PATIENCE_S, TRACEFS, Guard, Run
from pagewriters import Writer, listed
from writers_support import command

from tracefs.golden import Golden, Order, Outcome, compare
from tracefs.golden.compare import Kind
from tracefs.golden.entry import changed
from tracefs.golden.recorded import golden_of
from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace

WRITERS = {writer.name: writer for writer in listed()}
FAULTY = {program.file: program for program in programs()}

# Four threads that nothing holds apart, each with its own file, and temporary names of each kind.
THREADS = """
import os, tempfile, threading
together = threading.Barrier(4)
def work(number):
    together.wait()
    for turn in range(3):
        fd, name = tempfile.mkstemp(prefix=f"t{number}-", dir=".")
        for page in range(number + 1):
            os.pwrite(fd, bytes(4096), page * 4096)
            os.fdatasync(fd)
        os.close(fd)
        os.rename(name, f"file{number}")
        spare = f".file{number}.tmp.{threading.get_native_id()}"
        os.close(os.open(spare, os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink(spare)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

Traced = Callable[[Sequence[str]], Golden]


@pytest.fixture
def traced(tmp_path: Path, guard: Guard) -> Traced:
    """Run a command in a directory that is empty again for each, and return what it did."""
    from mounted_support import run_traced  # noqa: PLC0415

    number = 0

    def run(words: Sequence[str]) -> Golden:
        nonlocal number
        number += 1
        shutil.rmtree(tmp_path / "src", ignore_errors=True)
        (tmp_path / "src").mkdir()
        done: Run = run_traced(tmp_path / "src", tmp_path / f"rec{number}", guard, words)
        assert (done.returncode, done.stderr) == (0, "")
        with JournalReader(done.recording) as reader:
            return golden_of(Trace(reader))

    return run


def page(writer: Writer) -> list[str]:
    return command(writer, "write", "pages.db", "2", "text")


def differences(a: Golden, b: Golden) -> list[str]:
    """Return each difference as its kind, its calls, and what is otherwise."""
    found = []
    for lane in compare(a, b, Order.WHOLE).lanes:
        for step in lane.steps:
            if step.kind is Kind.CHANGED:
                left, right = lane.a[step.a], lane.b[step.b]
                found.append(f"{left.call} {right.call}: {' '.join(changed(left, right))}")
            elif step.kind is not Kind.SAME:
                entry = lane.a[step.a] if step.kind is Kind.MISSING else lane.b[step.b]
                found.append(f"{'-' if step.kind is Kind.MISSING else '+'} {entry.call}")
    return found


@pytest.mark.parametrize("name", WRITERS)
def test_every_page_writer_is_equal_to_itself_and_to_the_one_in_rust(
    traced: Traced, name: str
) -> None:
    first = traced(page(WRITERS[name]))
    assert len(first.entries) == 4
    for other in (traced(page(WRITERS[name])), traced(page(WRITERS["rust"]))):
        found = compare(first, other)
        assert (found.outcome, found.differences) == (Outcome.EQUAL, 0)


def faulty(name: str) -> list[str]:
    program: Program = FAULTY[name]
    return [*program.command(), "pages.db", "2"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Go makes a file that it opens itself non-blocking, and its Sync is fsync.
        ("go/seek_write.go",
         ["+ fcntl", "+ lseek", "pwrite64 write: call", "fdatasync fsync: call"]),
        ("go/unsynced.go", ["+ fcntl", "- fdatasync"]),
        ("go/short_page.go", ["+ fcntl", "pwrite64 pwrite64: length", "fdatasync fsync: call"]),
        ("rust/short_page.rs", ["pwrite64 pwrite64: length"]),
        ("rust/seek_write_all.rs", ["+ lseek", "pwrite64 write: call"]),
        ("rust/fs_write.rs",
         ["openat openat: flags", "pwrite64 write: call offset length", "- fdatasync"]),
        # It syncs a socket, which is no file in the directory.
        ("rust/sync_error_ignored.rs", ["- fdatasync"]),
    ],
)  # fmt: skip
def test_a_faulty_writer_differs_from_the_right_one_where_it_is_wrong(
    traced: Traced, name: str, expected: list[str]
) -> None:
    assert differences(traced(page(WRITERS["rust"])), traced(faulty(name))) == expected


@pytest.mark.parametrize("words", [[sys.executable, "-I", "-c", THREADS]], ids=["python"])
def test_threads_and_temporary_names_make_no_difference_in_ten_runs(
    traced: Traced, words: list[str]
) -> None:
    first, *others = [traced(words) for _ in range(10)]
    assert {entry.thread for entry in first.entries} == {1, 2, 3, 4}
    for other in others:
        found = compare(first, other)
        assert (found.outcome, found.differences) == (Outcome.EQUAL, 0), differences(first, other)


def test_a_pool_of_eight_threads_is_equal_without_an_order(traced: Traced) -> None:
    words = command(WRITERS["go"], "fill", "pages.db", "48", "--threads", "8")
    first = traced(words)
    for _ in range(2):
        assert compare(first, traced(words), Order.NONE).outcome is Outcome.EQUAL


def golden(tmp_path: Path, guard: Guard, *words: str) -> "subprocess.CompletedProcess[str]":
    directory = tmp_path / "src"
    guard.watch(directory)
    return subprocess.run(
        [*TRACEFS, "record-golden", "-o", "page.golden", "--dir", directory, *words],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "XDG_STATE_HOME": str(tmp_path / "state")},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def test_the_command_makes_the_file_and_then_tests_against_it(tmp_path: Path, guard: Guard) -> None:
    (tmp_path / "src").mkdir()
    right = ["sh", "-c", "echo said; cd src; printf x > a; sync a"]
    made = golden(tmp_path, guard, "--", *right)
    assert (made.returncode, made.stdout) == (0, "said\n")
    assert re.fullmatch(r"tracefs: recorded \d+ calls in page.golden\n", made.stderr)
    text = (tmp_path / "page.golden").read_text()

    again = golden(tmp_path, guard, "--", *right)
    assert again.returncode == 1
    assert "made the file, and in B it was there already" in again.stderr
    (tmp_path / "src" / "a").unlink()
    assert golden(tmp_path, guard, "--", *right).returncode == 0

    (tmp_path / "src" / "a").unlink()
    wrong = ["sh", "-c", "cd src; printf x > a"]
    other = golden(tmp_path, guard, "--", *wrong)
    assert (other.returncode, other.stdout) == (1, "")
    assert (tmp_path / "page.golden").read_text() == text

    (tmp_path / "src" / "a").unlink()
    assert golden(tmp_path, guard, "--update", "--", *wrong).returncode == 0
    assert (tmp_path / "page.golden").read_text() != text


def test_a_command_that_fails_decides_the_exit_code(tmp_path: Path, guard: Guard) -> None:
    (tmp_path / "src").mkdir()
    done = golden(tmp_path, guard, "--", "sh", "-c", "exit 9")
    assert done.returncode == 9
    missing = golden(tmp_path, guard, "--", "./no-such-command")
    assert missing.returncode == 127


def test_json_of_two_real_runs(tmp_path: Path, traced: Traced) -> None:
    traced(page(WRITERS["rust"]))
    traced(faulty("rust/short_page.rs"))
    done = subprocess.run(
        [*TRACEFS, "diff", "--json", "rec1", "rec2"],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert (done.returncode, found["outcome"]) == (1, "different")
    assert [one["fields"] for one in found["differences"]] == [["length"]]
