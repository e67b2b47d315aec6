"""The parts of the benchmark that run something: worker, no-op mount, journal. Nothing is timed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from bench.checking import write_journal
from bench.mount import BenchError, connection, noop_mount
from bench.sample import WORKLOADS
from bench.startup import run_once
from bench.targets import Times, Worker, pinned, run_bare, run_floor, run_noop, run_strace

Runner = Callable[[Worker, Path, Sequence[str], Path], Times]


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    programs = tmp_path / "programs"
    programs.mkdir()
    return Worker(programs, iterations=5, budget_ms=10_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.mark.parametrize("run", [run_bare, run_strace, run_noop, run_floor])
@pytest.mark.parametrize("placement", ["one core", "free"])
def test_a_target_measures_every_workload(
    worker: Worker, folder: Path, placement: str, run: Runner
) -> None:
    times = run(worker, folder, pinned(placement), folder)
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys(WORKLOADS, 5)
    assert all(value > 0 for values in times.values() for value in values)


def test_the_worker_makes_the_calls_it_names(worker: Worker, folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["strace", "-o", str(log), f"--trace-path={folder / 'pages'}"]
    subprocess.run([*command, *worker.command(folder)], check=True, capture_output=True)
    calls = [line.partition("(")[0] for line in log.read_text().splitlines() if "(" in line]
    assert calls == [
        *["openat", *["pwrite64"] * 256, "fsync"],
        *["pwrite64"] * 5,
        *["pwrite64", "fdatasync"] * 5,
        *["openat", "pwrite64", "fdatasync", "close"] * 5,
        *["lseek", "write"] * 5,
        *["pwrite64"] * 5,
        *["pread64"] * 10,
        "close",
    ]


def test_a_budget_ends_a_workload(tmp_path: Path, folder: Path) -> None:
    endless = Worker(tmp_path, iterations=10**7, budget_ms=1)
    times = run_bare(endless, folder, [], folder)
    assert all(0 < len(values) < 10**7 for values in times.values())


def test_a_worker_that_fails_is_one_clear_line(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"pages .*: open: No such file or directory"):
        run_bare(worker, tmp_path / "missing", [], tmp_path)


def test_the_noop_mount_accepts_and_is_gone_afterwards(folder: Path) -> None:
    with noop_mount(folder):
        assert connection(folder) is not None
        fd = os.open(folder / "pages", os.O_RDWR)
        assert os.pwrite(fd, b"x" * 4096, 8192) == 4096
        os.fdatasync(fd)
        os.close(fd)
        assert not (folder / "other").exists()
    assert connection(folder) is None
    assert list(folder.iterdir()) == []


def test_the_noop_mount_is_gone_after_a_failure(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), noop_mount(folder):
        raise ZeroDivisionError
    assert connection(folder) is None


def test_the_noop_mount_is_gone_although_a_file_is_open(folder: Path) -> None:
    with noop_mount(folder):
        fd = os.open(folder / "pages", os.O_RDWR)
    assert connection(folder) is None
    with pytest.raises(OSError, match="not connected"):  # umount(8) was refused: aborted instead
        os.close(fd)


def test_a_mount_point_that_does_not_exist_is_one_clear_line(folder: Path) -> None:
    with (
        pytest.raises(BenchError, match="can't be mounted"),
        noop_mount(folder / "missing"),
    ):
        pass


def test_a_mount_point_may_have_spaces(folder: Path) -> None:
    spaced = folder / "a b"
    spaced.mkdir()
    with noop_mount(spaced):
        assert connection(spaced) is not None
    assert connection(spaced) is None


def test_a_command_is_measured_with_its_memory(folder: Path) -> None:
    run = run_once([sys.executable, "-c", "x = b'x' * (100 << 20)"], folder)
    assert run.wall_ns > 0
    assert run.peak_kib > 100 << 10


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["no-such-command"], r"no-such-command: No such file or directory"),
        (["sh", "-c", "echo why >&2; exit 7"], r"exit code 7: why"),
    ],
)
def test_a_command_that_fails_says_why(folder: Path, command: list[str], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        run_once(command, folder)


def test_the_journal_holds_the_calls_that_it_says(tmp_path: Path) -> None:
    write_journal(tmp_path / "j.trace", 100)
    journal = (tmp_path / "j.trace" / "journal.jsonl").read_text()
    lines = [json.loads(line) for line in journal.splitlines()]
    types = [line["type"] for line in lines]
    assert types[:2] == ["header", "create"]
    assert types[2:-3] == ["write", "fsync"] * 49
    assert types[-3:] == ["flush", "release", "footer"]
    checked = subprocess.run(
        [sys.executable, "-m", "tracefs", "check", "--json", str(tmp_path / "j.trace")],
        capture_output=True,
        check=False,
    )
    result = json.loads(checked.stdout)
    assert (result["verdict"], result["trace"]["calls"]) == ("kept", 100)
