"""``tracefs crash``: what it answers, how it ends, and what it refuses."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from mounted_support import TRACEFS, Guard

from tracefs.crashes import CrashReport, Loss
from tracefs.findings import Verdict
from tracefs.journal.start import StartTree

NAME = "-rf <b>\n\udcff.txt"
PROGRAM = f"""
import os, sys
name = {NAME!r}
for value in range(3):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, bytes([65 + value]) * 100, 0)
    if sys.argv[1] == "sync":
        os.fsync(fd)
    os.close(fd)
    if sys.argv[1] == "sync":
        fd = os.open(".", os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    try:
        os.mkdir(f".ack:{{value}}")
    except FileExistsError:
        pass
"""
CHECK = f"""
import os, sys
with open(os.environ["TRACEFS_ACKS"]) as file:
    acks = file.read().split()
name = os.path.join(os.fsencode(sys.argv[1]), os.fsencode({NAME!r}))
held = open(name, "rb").read(1) if os.path.exists(name) else b""
if acks and held < bytes([65 + int(acks[-1])]):
    sys.exit(f"{{acks[-1]}} was acknowledged, there is {{held}}")
"""


@pytest.fixture
def place(tmp_path: Path, guard: Guard) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "check.py").write_text(CHECK)
    (tmp_path / "d").mkdir()
    return tmp_path


def record(place: Path, how: str, *options: str) -> None:
    run = [*TRACEFS, "run", "-q", *options, "-o", "../r.trace", "--"]
    command = [sys.executable, "../program.py", how]
    subprocess.run([*run, *command], cwd=place / "d", timeout=50, check=True)


def crash(place: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TRACEFS, "crash", "r.trace", *options],
        cwd=place, capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip


def report(done: "subprocess.CompletedProcess[str]") -> CrashReport:
    assert done.stdout, done.stderr
    return msgspec.json.decode(done.stdout, type=CrashReport)


ASK = ("--check", f"{sys.executable} check.py {{dir}}")
JSON = (*ASK, "--format", "json")


def test_what_is_synced_is_kept(place: Path) -> None:
    record(place, "sync", "--payload")
    done = crash(place, *JSON, "--profile", "all")
    found = report(done)
    assert (done.returncode, found.verdict, found.failures) == (0, Verdict.KEPT, ())
    assert found.acks == ("0", "1", "2")
    assert sum(point.states for point in found.points) == found.coverage.explored
    assert found.coverage.generated == (
        found.coverage.explored + found.coverage.same_operations + found.coverage.same_content
    )


def test_what_is_not_is_broken_and_can_be_looked_at(place: Path) -> None:
    record(place, "no sync", "--payload")
    done = crash(place, *JSON)
    failure = report(done).failures[0]
    assert (done.returncode, failure.loss) == (1, Loss.ACKNOWLEDGED)
    shown = crash(place, "--show-state", failure.id, "shown")
    assert shown.returncode == 0, shown.stderr
    again = subprocess.run(
        [sys.executable, "check.py", "shown"], cwd=place, check=False, capture_output=True,
        env={**os.environ, "TRACEFS_ACKS": str(_acks(place, failure.acks))},
    )  # fmt: skip
    assert again.returncode == 1
    text = crash(place, *ASK, "--html", "page.html")
    assert all(line.isprintable() for line in text.stdout.split("\n"))
    assert "<b>" not in (place / "page.html").read_text()


def _acks(place: Path, count: int) -> Path:
    file = place / "acks"
    file.write_text("".join(f"{ack}\n" for ack in range(count)))
    return file


def test_a_call_of_a_program_without_lines_is_placed_in_its_module(place: Path) -> None:
    shell = os.path.realpath(shutil.which("sh") or "sh")
    run = [*TRACEFS, "run", "-q", "--payload", "-o", "../r.trace", "--"]
    program = "echo text >f; mkdir .ack:f 2>/dev/null; :"
    subprocess.run([*run, shell, "-c", program], cwd=place / "d", timeout=50, check=True)
    found = report(crash(place, "--format", "json"))
    [written] = {
        change.source
        for failure in found.failures
        for change in (*failure.dropped, *failure.kept)
        if change.part.startswith("data")
    }
    assert written is not None
    assert written.startswith(f"{os.path.basename(shell)}+0x")


def test_a_directory_that_was_moved_is_read_where_it_is_now(place: Path) -> None:
    (place / "d/kept").write_text("as it was")
    record(place, "no sync", "--payload")
    (place / "d").rename(place / "moved to")
    kept = ("--check", "grep -q 'as it was' {dir}/kept")
    assert report(crash(place, *kept, "--format", "json")).verdict == Verdict.UNKNOWN
    there = ("--dir", "moved to")
    assert report(crash(place, *kept, *there, "--format", "json")).verdict == Verdict.KEPT
    text = crash(place, *ASK, *there).stdout
    [command] = re.findall(r"look at a failing state: tracefs (.*) DIR", text)
    done = subprocess.run(
        [*TRACEFS, *shlex.split(command), "shown"],
        cwd=place, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (place / "shown/kept").read_text() == "as it was"


def test_a_limit_makes_it_unknown(place: Path) -> None:
    record(place, "sync", "--payload")
    done = crash(place, *JSON, "--max-states", "2")
    found = report(done)
    assert (done.returncode, found.verdict, found.coverage.explored) == (4, Verdict.UNKNOWN, 2)
    assert found.coverage.left > 0


def test_answers_that_are_kept_are_not_asked_for_again(place: Path) -> None:
    record(place, "sync", "--payload")
    counting = f"echo >> {place}/asked; {sys.executable} {place}/check.py {{dir}}"
    first = report(crash(place, "--check", counting, "--format", "json", "-o", "answers"))
    asked = (place / "asked").read_text().count("\n")
    second = report(crash(place, "--check", counting, "--format", "json", "-o", "answers"))
    assert (place / "asked").read_text().count("\n") == asked
    assert asked >= first.coverage.explored
    assert second.coverage == first.coverage
    other = crash(place, *ASK, "-o", "answers")
    assert other.returncode != 0
    assert "another" in other.stderr


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("kill -SEGV $$; : {dir}", "crashed"),
        ("sleep 50; : {dir}", "hung"),
        ("no-such-program {dir}", "not started"),
    ],
)
def test_a_checker_without_an_answer_is_no_verdict(place: Path, check: str, said: str) -> None:
    record(place, "sync", "--payload")
    done = crash(place, "--check", check, "--timeout", "1", "--max-states", "2", "--format", "json")
    found = report(done)
    assert (done.returncode, found.verdict) == (4, Verdict.UNKNOWN)
    assert {failure.loss for failure in found.failures} == {Loss.CHECKER}
    assert all(said in failure.answer.checked for failure in found.failures)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--check", "true"), "{dir}"),
        (("--profile", "ext5"), "ext5"),
        (("--show-state", "9999", "there"), "9999"),
        (("--show-state", "1/2", "there"), "recover"),
    ],
)
def test_what_cannot_be_asked(place: Path, options: tuple[str, ...], said: str) -> None:
    record(place, "sync", "--payload")
    done = crash(place, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (place / "there").exists()


def test_a_recording_without_bytes_is_refused(place: Path) -> None:
    record(place, "sync")
    done = crash(place)
    assert done.returncode == 3
    assert "--payload" in done.stderr


def test_files_that_were_changed_since_are_told(place: Path) -> None:
    (place / "d" / "old").write_bytes(b"as it was")
    record(place, "sync", "--payload")
    with StartTree.open(place / "r.trace") as tree:
        assert any(entry.path == "old" for entry in tree.entries)
    (place / "d" / "old").write_bytes(b"changed since then")
    done = crash(place, *ASK)
    assert done.returncode in {3, 4}, done.stdout
    assert "old" in done.stdout + done.stderr


def test_interrupted_it_leaves_nothing(place: Path) -> None:
    record(place, "sync", "--payload")
    (place / "work").mkdir()
    os.mkfifo(place / "begun")
    with subprocess.Popen(
        [*TRACEFS, "crash", "r.trace", "--check", f"echo > {place}/begun; sleep 50; : {{dir}}",
         "--work", "work"],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        (place / "begun").read_text()  # a pipe: waits for the first checker
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=50)
    assert process.returncode == 130
    assert list((place / "work").iterdir()) == []
