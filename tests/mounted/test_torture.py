"""``tracefs torture`` on programs that are right and wrong in ways of their own."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mounted_support import TRACEFS, Guard

PYTHON = [sys.executable, "-E", "-S"]

RIGHT = """
import os, sys
def write_all(fd, data, offset):
    while data:
        try:
            done = os.pwrite(fd, data, offset)
        except InterruptedError:
            continue
        data, offset = data[done:], offset + done
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
for page in range(3):
    write_all(fd, b"n" * 4096, 4096 * page)
    os.fdatasync(fd)
os.close(fd)
"""
IGNORES = {
    "sync": RIGHT.replace(
        "    os.fdatasync(fd)", "    try: os.fdatasync(fd)\n    except OSError: pass"
    ),
    "rest": RIGHT.replace("data, offset = data[done:], offset + done", "break"),
    "write": RIGHT.replace(
        "except InterruptedError:\n            continue", "except OSError: return"
    ),
}
WAITS = RIGHT.replace(
    "    os.fdatasync(fd)",
    "    try: os.fdatasync(fd)\n    except OSError: import signal; signal.pause()",
)
CRASHES = RIGHT.replace(
    "    os.fdatasync(fd)",
    "    try: os.fdatasync(fd)\n    except OSError: os.kill(os.getpid(), 11)",
)

WHOLE = """
import os, sys
told, fault = os.environ["TRACEFS_STATUS"], os.environ["TRACEFS_FAULT"]
if told == "0":
    if "EIO" in fault and not fault.startswith("close"):
        sys.exit(f"false success in spite of {fault}")
    size = os.stat(sys.argv[1] + "/pages.db").st_size
    if size != 3 * 4096:
        sys.exit(f"{size} bytes")
"""
"""A checker: a failed write or sync is reported, and a success leaves all pages."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory to start from, with the programs beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "old").write_text("old")
    (tmp_path / "check.py").write_text(WHOLE)
    return tmp_path / "home"


def torture(
    home: Path, program: str, *options: str, check: str | None = "python", timeout: int = 55
) -> subprocess.CompletedProcess[str]:
    (home.parent / "program.py").write_text(program)
    return subprocess.run(
        [*command(home, *options, check=check), *PYTHON, str(home.parent / "program.py")],
        capture_output=True, text=True, cwd=home, timeout=timeout, check=False,
    )  # fmt: skip


def command(home: Path, *options: str, check: str | None = "python") -> list[str]:
    if check == "python":
        check = f"{' '.join(PYTHON)} {home.parent}/check.py {{dir}}"
    judge = [] if check is None else ["--check", check]
    return [*TRACEFS, "torture", *judge, *options, "--"]


def runs(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_rule(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {run["strikes"][0]["rule"]: run for run in runs(done)}


def test_a_program_that_is_right_passes(home: Path, guard: Guard) -> None:
    done = torture(home, RIGHT, "--faults", "EIO,ENOSPC,EINTR", "--calls", "write,close,open")
    assert done.returncode == 0, done.stdout + done.stderr
    # An open and a close of its own, three writes.
    assert done.stdout.splitlines()[-2:] == [
        "passed: 5 EIO, 4 ENOSPC, 3 EINTR",
        "12 runs: 12 passed, 0 failed, 0 hung, 0 unknown",
    ]
    assert [(path.name, path.read_text()) for path in home.iterdir()] == [("old", "old")]


def test_false_success_is_found(home: Path, guard: Guard) -> None:
    done = torture(home, IGNORES["sync"], "--faults", "EIO", "--format", "json")
    assert done.returncode == 1, done.stderr
    failed = {rule for rule, run in by_rule(done).items() if run["outcome"] == "failed"}
    assert failed == {f"sync:error=EIO:when={number}" for number in (1, 2, 3)}
    run = by_rule(done)["sync:error=EIO:when=2"]
    assert run["exit"] == "0"
    assert run["result"]["said"] == "false success in spite of sync:error=EIO:when=2"
    assert run["strikes"][0]["target"]["call"] == "fdatasync"
    assert run["again"].startswith("tracefs run --inject sync:error=EIO:when=2 ")


def test_a_file_that_is_too_short_is_found(home: Path, guard: Guard) -> None:
    done = torture(home, IGNORES["write"], "--faults", "ENOSPC", "--check-only")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "    check: 8192 bytes" in done.stdout  # the last page is missing
    assert "4 runs: 3 passed, 1 failed, 0 hung, 0 unknown" in done.stdout


def test_a_rest_that_is_never_written_is_found(home: Path, guard: Guard) -> None:
    done = torture(home, IGNORES["rest"], "--faults", "short", "--check-only", "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    assert [(run["outcome"], run["result"]["said"]) for run in runs(done)] == [
        ("passed", None),
        ("passed", None),
        ("failed", "10240 bytes"),
    ]
    assert torture(home, RIGHT, "--faults", "short").returncode == 0


def test_each_run_can_be_repeated(home: Path, guard: Guard) -> None:
    """The command that a row shows makes the same fault at the same call."""
    done = torture(home, IGNORES["sync"], "--faults", "EIO", "--calls", "fdatasync", "--check-only",
                   "--format", "json")  # fmt: skip
    run = runs(done)[1]
    again = shlex.split(run["again"])
    assert again[:2] == ["tracefs", "run"]
    recording = home.parent / "again.trace"
    subprocess.run(
        [*TRACEFS, "run", "-o", str(recording), *again[2:]],
        cwd=home, check=True, timeout=50, capture_output=True,
    )  # fmt: skip
    shown = subprocess.run(
        [*TRACEFS, "show", "--json", "--call", "fdatasync", str(recording)],
        check=True, timeout=50, capture_output=True, text=True,
    )  # fmt: skip
    errors = [json.loads(line)["errno"] for line in shown.stdout.splitlines()]
    assert errors == [None, "EIO", None]


def test_a_hang_is_a_result(home: Path, guard: Guard) -> None:
    done = torture(
        home, WAITS, "--faults", "EIO", "--calls", "fdatasync", "--timeout", "2", "--limit", "1"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "\n    it did not end within 2 s\n" in done.stdout
    assert "1 run: 0 passed, 0 failed, 1 hung, 0 unknown" in done.stdout
    assert "chosen from 3 by --seed 0: 2 were not tried" in done.stdout


def test_a_crash_is_no_way_to_report(home: Path, guard: Guard) -> None:
    done = torture(home, CRASHES, "--faults", "EIO", "--calls", "sync", "--limit", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert " SIGSEGV " in done.stdout


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        ('test "$TRACEFS_STATUS" = 0 || kill -SEGV $$; : {dir}', "crashed"),
        ('test "$TRACEFS_STATUS" = 0 || exec sleep 600; : {dir}', "late"),
        ('test "$TRACEFS_STATUS" = 0 || no-such-command; : {dir}', "good"),
        ('test "$TRACEFS_STATUS" = 0 || exec no-such-command; : {dir}', "not started"),
        ('test "$TRACEFS_STATUS" = 0 || exit 1; : {dir}', "bad"),
    ],
)
def test_what_befalls_the_checker_is_told_from_its_answer(
    home: Path, guard: Guard, check: str, answer: str
) -> None:
    done = torture(
        home, RIGHT, "--faults", "EIO", "--calls", "sync", "--limit", "1", "--timeout", "2",
        "--format", "json", check=check,
    )  # fmt: skip
    (run,) = runs(done)
    assert run["result"]["checked"] == answer, done.stderr
    assert done.returncode == {"good": 0, "bad": 1}.get(answer, 4)


def test_the_directory_is_seen_where_it_always_is(home: Path, guard: Guard) -> None:
    """By its absolute path too, though each run has a copy, which the checker gets."""
    program = RIGHT.replace('"pages.db"', f'"{home}/pages.db"')
    assert program != RIGHT
    done = torture(home, program, "--faults", "EIO", "--calls", "pwrite64")
    assert "3 runs: 3 passed" in done.stdout, done.stdout + done.stderr
    assert os.listdir(home) == ["old"]


def test_another_call_than_meant_is_never_passed(home: Path, guard: Guard) -> None:
    """Each run writes somewhere else: what was struck is not what was to be."""
    program = (
        "import os\ncount = os.open('../count', os.O_RDWR | os.O_CREAT | os.O_APPEND)\n"
        "os.write(count, b'.')\nfd = os.open('f', os.O_RDWR | os.O_CREAT)\n"
        "turn = os.fstat(count).st_size\n"
        "os.pwrite(fd, b'x', turn if turn > 2 else 0)\n"
    )
    done = torture(home, program, "--faults", "EIO", "--calls", "write", check="true {dir}")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "was struck instead of pwrite64(" in done.stdout


def test_a_call_that_never_came_is_never_passed(home: Path, guard: Guard) -> None:
    program = (
        "import os\ncount = os.open('../count', os.O_RDWR | os.O_CREAT | os.O_APPEND)\n"
        "os.write(count, b'.')\nfd = os.open('f', os.O_RDWR | os.O_CREAT)\n"
        "if os.fstat(count).st_size < 3: os.fsync(fd)\n"
    )
    done = torture(home, program, "--faults", "EIO", "--calls", "fsync", check="true {dir}")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "no call was struck, though fsync(" in done.stdout


def test_the_second_fault_is_at_a_call_that_the_first_brought_about(
    home: Path, guard: Guard
) -> None:
    program = (
        "import os\nfd = os.open('f', os.O_RDWR | os.O_CREAT)\n"
        "try: os.pwrite(fd, b'x', 0)\nexcept OSError: os.ftruncate(fd, 0)\n"
    )
    done = torture(
        home, program, "--faults", "EIO", "--calls", "write,truncate", "--pairs", "--format",
        "json", check="true {dir}",
    )  # fmt: skip
    rules = [[strike["rule"] for strike in run["strikes"]] for run in runs(done)]
    assert rules == [
        ["write:error=EIO:when=1"],
        ["write:error=EIO:when=1", "truncate:error=EIO:when=1"],
    ]
    assert [run["exit"] for run in runs(done)] == ["0", "1"]


def test_what_did_not_pass_is_kept(home: Path, guard: Guard) -> None:
    kept = home.parent / "kept"
    done = torture(
        home,
        IGNORES["write"],
        "--faults",
        "ENOSPC",
        "--calls",
        "write",
        "--check-only",
        "--keep",
        str(kept),
    )
    (folder,) = kept.iterdir()
    assert f"kept in {folder}" in done.stdout
    assert (folder / "directory" / "pages.db").stat().st_size == 8192
    shown = subprocess.run(
        [*TRACEFS, "show", "--call", "pwrite64", str(folder / "recording.trace")],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert "ENOSPC" in shown.stdout


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe that a checker says its turn into, and so waits until a test has heard of it."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def asks(log: Path, gate: Path) -> str:
    return f"echo >> {log}; test ! -p {gate} || echo > {gate}; : {{dir}}"


def test_an_interrupted_command_goes_on_where_it_was(home: Path, gate: Path, guard: Guard) -> None:
    results, log = home.parent / "results.jsonl", home.parent / "log"
    options = ["--faults", "EIO", "--output", str(results), "--jobs", "1", "-q"]
    (home.parent / "program.py").write_text(RIGHT)
    words = [
        *command(home, *options, check=asks(log, gate)), *PYTHON, str(home.parent / "program.py"),
    ]  # fmt: skip
    with subprocess.Popen(
        words, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        for _ in range(5):  # two without a fault, and the third of those with one is under way
            gate.read_text()
        first.send_signal(signal.SIGINT)
        printed, said = first.communicate(timeout=50)
    assert first.returncode == 130, said
    assert f"the same command goes on from {results}" in said
    assert "not finished: 6 runs are left" in printed
    assert len(results.read_text().splitlines()) == 3

    gate.unlink()
    before = len(log.read_text())
    again = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=50, check=False)
    assert "8 runs: 8 passed" in again.stdout, again.stdout + again.stderr
    assert len(log.read_text()) - before == 2 + 6

    (home / "old").write_text("new")
    refused = subprocess.run(
        words, cwd=home, capture_output=True, text=True, timeout=50, check=False
    )
    assert refused.returncode == 3
    assert "is of another plan: the directory, or a file that" in refused.stderr


@pytest.mark.parametrize(
    ("program", "check", "said"),
    [
        ("import sys; sys.exit(3)", "true {dir}", "without a fault the command ends with 3"),
        (RIGHT, "echo short; false {dir}", "without a fault the checker's answer is bad: short"),
        (RIGHT, "true", "--check has no {dir}"),
        ("pass", "true {dir}", "makes no call that one of these faults can strike"),
    ],
)
def test_what_can_tell_nothing_is_refused(
    home: Path, guard: Guard, program: str, check: str, said: str
) -> None:
    done = torture(home, program, check=check)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_the_checker_may_stand_behind_the_command(home: Path, guard: Guard) -> None:
    (home.parent / "program.py").write_text(RIGHT)
    words = [
        *command(home, "--faults", "EIO", "--limit", "1", check=None), *PYTHON,
        str(home.parent / "program.py"), "--check", "exit 1 {dir}",
    ]  # fmt: skip
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=50, check=False)
    assert "without a fault the checker's answer is bad" in done.stderr


def test_only_closes_that_hear_of_a_failure_are_struck(home: Path, guard: Guard) -> None:
    # dup2 and the end of a process drop what FLUSH says (filp_close in fs/open.c).
    program = """
import os
first, second, third = (os.open(name, os.O_RDWR | os.O_CREAT) for name in "abc")
os.dup2(first, second)
os.close(first)
"""
    options = ("--faults", "EIO", "--calls", "close", "--witness", "seccomp", "--format", "json")
    done = torture(home, program, *options, check="true {dir}")
    assert [run["strikes"][0]["rule"] for run in runs(done)] == ["close:error=EIO:when=2"]
