"""The parts of the benchmark that run something: targets, programs, counters. Nothing is timed."""

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.checking import write_journal
from bench.counters import Watch, between, tracefs_processes
from bench.measure import run_on
from bench.mount import BenchError, connection, mount
from bench.program import started
from bench.programs import Amount, Compiled, command
from bench.startup import run_once
from bench.targets import OURS, Site
from bench.workloads import GROUPS, THREADS, done_by, group_of
from bench_support import FEW, calls_in, site_in

TOOLS = Path(__file__).parents[2] / "tools" / "bench"
NOOP = [sys.executable, str(TOOLS / "noop.py")]
PASSTHROUGH = [sys.executable, str(TOOLS / "passthrough.py")]
FILL = ["openat", *["pwrite64"] * 256, "fsync"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return Compiled(tmp_path_factory.mktemp("programs"))


@pytest.mark.parametrize("placement", ["one core", "free"])
@pytest.mark.parametrize("target", [*OURS, "ten rules"])
def test_a_target_does_every_workload_of_calls(tmp_path: Path, target: str, placement: str) -> None:
    site = site_in(tmp_path, placement)
    names = done_by("worker")
    done = [measured for measured, _ in run_on(target, site, "worker", names, FEW)]
    assert [one.workload for one in done] == list(names)
    for one in done:
        # Of eight threads each does its share, rounded up.
        assert len(one.times) == (8 if group_of(one.workload) == THREADS else 5)
        assert all(time > 0 for time in one.times)
        assert one.elapsed_ns > 0
    assert connection(site.mount_point) is None
    assert os.listdir(site.folder) in (["pages"], [])
    assert os.listdir(site.logs) == []


@pytest.mark.parametrize("target", ["bare", "strace -f", "passthrough", "tracefs"])
def test_a_target_does_transactions_of_sqlite(site: Site, target: str) -> None:
    done = run_on(target, site, "sqlite", GROUPS["sqlite"], FEW)
    assert [len(measured.times) for measured, _ in done] == [6, 6]
    assert os.listdir(site.folder) == []


@pytest.mark.skipif(shutil.which("loggedfs") is None, reason="LoggedFS is not installed")
def test_loggedfs_is_measured_with_its_log(site: Site) -> None:
    ((_, served),) = run_on("loggedfs", site, "worker", ["pwrite"], FEW)
    assert served is not None
    assert served.events is not None
    assert served.events >= 5
    assert connection(site.folder) is None


@pytest.mark.parametrize("peer", ["loggedfs", "lazyfs"])
def test_a_peer_that_is_missing_is_one_clear_line(
    site: Site, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BenchError, match=peer):
        run_on(peer.lower(), site, "worker", ["pwrite"], FEW)


# What the worker's calls are, in words of strace, for two iterations after one to warm up.
@pytest.mark.parametrize(
    ("workload", "calls"),
    [
        ("pwrite", ["pwrite64"] * 3),
        ("pwrite+fdatasync", ["pwrite64", "fdatasync"] * 3),
        ("open+pwrite+fdatasync+close", ["openat", "pwrite64", "fdatasync", "close"] * 3),
        ("lseek+write", ["lseek", "write"] * 3),
        ("pwrite+pread", ["pread64", *["pwrite64", "pread64"] * 3]),
        ("create+stat+unlink", ["openat", "close", "newfstatat", "unlink"] * 3),
        ("overwrite-1MiB", ["pwrite64"] * 3),
        ("read-1MiB-cached", ["pread64"] * 4),
        ("read-random-cached", ["pread64"] * 4),
        (
            "write-1MiB",
            [
                *("unlink", "openat"),
                *("close", "unlink", "openat", "write"),
                *("write", "write"),
                *("close", "unlink"),
            ],
        ),
        (
            "read-1MiB",
            [
                *("unlink", "openat", *["write"] * 64, "close", "openat"),
                *("close", "openat", "read"),
                *("read", "read"),
                *("close", "unlink"),
            ],
        ),
        (
            "read-random",
            [
                *("unlink", "openat", *["write"] * 64, "close", "openat"),
                *["pread64"] * 3,
                *("close", "unlink"),
            ],
        ),
    ],
)
def test_the_worker_makes_the_calls_of_a_workload(
    compiled: Compiled, tmp_path: Path, workload: str, calls: list[str]
) -> None:
    assert calls_of(compiled, tmp_path, workload) == [*FILL, *calls, "close"]


@pytest.mark.parametrize(
    ("workload", "fills", "writes"),
    # 16 iterations of which each thread does two, after one each.
    [("8-threads-one-file", 1, 24), ("8-threads-8-files", 9, 24)],
)
def test_eight_threads_write_to_the_files_that_the_name_says(
    compiled: Compiled, tmp_path: Path, workload: str, fills: int, writes: int
) -> None:
    seen = calls_of(compiled, tmp_path, workload, iterations=16, warm_up=8)
    assert seen.count("fsync") == fills
    assert seen.count("pwrite64") == fills * 256 + writes


def calls_of(
    compiled: Compiled, tmp_path: Path, workload: str, *, iterations: int = 2, warm_up: int = 1
) -> list[str]:
    log, folder = tmp_path / "log", tmp_path / "files"
    folder.mkdir()
    names = ["pages", "pages.new", "pages.grown", *(f"pages.{number}" for number in range(8))]
    paths = [f"--trace-path={folder / name}" for name in names]
    strace = ["strace", "-f", "-qq", "-e", "signal=none", "-o", str(log), *paths]
    amount = Amount(iterations=iterations, budget_ms=60_000, warm_up=warm_up, transactions=0)
    with started(command("worker", folder, strace, amount, compiled)) as program:
        program.measure(workload, lambda _: None)
        program.end()
    return calls_in(log)


def test_a_budget_ends_a_workload(compiled: Compiled, folder: Path) -> None:
    endless = Amount(iterations=10**6, budget_ms=1, warm_up=0, transactions=0)
    with started(command("worker", folder, (), endless, compiled)) as program:
        for name in done_by("worker"):
            measured, _ = program.measure(name, lambda _: None)
            assert 0 < len(measured.times) < 10**6
        program.end()


@pytest.mark.parametrize("workload", GROUPS["sqlite"])
def test_each_transaction_of_sqlite_is_synced(
    compiled: Compiled, folder: Path, tmp_path: Path, workload: str
) -> None:
    log = tmp_path / "log"
    strace = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", str(log)]
    amount = Amount(iterations=1, budget_ms=1, warm_up=0, transactions=20)
    with started(command("sqlite", folder, strace, amount, compiled)) as program:
        program.measure(workload, lambda _: None)
        before = len(calls_in(log))
        program.end()
    assert before >= 20


def test_a_program_that_fails_is_one_clear_line(compiled: Compiled, tmp_path: Path) -> None:
    words = command("worker", tmp_path / "missing", (), FEW, compiled)
    with (
        pytest.raises(BenchError, match=r"pages .*: open: No such file or directory"),
        started(words) as program,
    ):
        program.measure("pwrite", lambda _: None)


def test_a_program_that_is_not_there_is_one_clear_line() -> None:
    with (
        pytest.raises(BenchError, match="no-such-program: No such file"),
        started(["no-such-program"]),
    ):
        pass


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo hello; cat", "instead of being ready: hello"),
        ("read name; echo ready; read go; echo other 1 1; cat", "instead of the times of pwrite"),
        ("read name; echo ready; read go; exit 0", "ended early"),
        ("echo why >&2; exit 7", "why"),
    ],
)
def test_what_is_no_program_of_the_benchmark_is_one_clear_line(script: str, message: str) -> None:
    with pytest.raises(BenchError, match=message), started(["sh", "-c", script]) as program:
        program.measure("pwrite", lambda _: None)


def test_what_a_program_left_running_is_ended() -> None:
    with started(["sh", "-c", "sleep 1000 & echo $!; cat"]) as program:
        with pytest.raises(BenchError) as error:
            program.measure("pwrite", lambda _: None)
        left = os.pidfd_open(int(str(error.value).rpartition(" ")[2]))
    ended, _, _ = select.select([left], [], [], 30)
    os.close(left)
    assert ended


def test_the_journal_grows_by_a_line_for_each_write(site: Site) -> None:
    names = ["pwrite", "pwrite+fdatasync", "read-random-cached"]
    served = [part for _, part in run_on("tracefs", site, "worker", names, FEW)]
    assert all(part is not None for part in served)
    assert [part.events for part in served if part] == [5, 10, 0]
    assert [bool(part.log_bytes) for part in served if part] == [True, True, False]
    # Of one that did nothing some moments of its housekeeping may be counted.
    assert all(part.cpu_ns > 0 for part in served[:2] if part)


def test_the_processes_of_tracefs_are_its_own_and_not_the_commands(site: Site) -> None:
    seen: list[str] = []

    def watch(ancestor: int) -> Watch:
        for process in tracefs_processes(ancestor):
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            server = b"tracefs.capture.server" in words
            seen.append("server" if server else Path(words[1].decode()).name)
        return Watch(())

    with OURS["tracefs"].place(site) as place:
        words = command("sqlite", place.folder, place.wrap, FEW, site.compiled)
        with started(words) as program:
            program.measure("sqlite-wal", watch)
            program.end()
    assert sorted(seen) == ["server", "tracefs", "tracefs", "tracefs"]


@pytest.fixture
def spinner() -> Iterator[subprocess.Popen[str]]:
    """A process that, told a number of milliseconds, spends that processor time and answers."""
    spin = (
        "import sys, time\n"
        "for line in sys.stdin:\n"
        "    end = time.process_time_ns() + int(line) * 10**6\n"
        "    while time.process_time_ns() < end: pass\n"
        "    print(flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", spin], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.communicate()


def test_processor_time_is_what_the_process_itself_says(spinner: subprocess.Popen[str]) -> None:
    assert spinner.stdin is not None
    assert spinner.stdout is not None
    watch = Watch([spinner.pid])
    before = watch.read()
    spinner.stdin.write("200\n")
    spinner.stdin.flush()
    spinner.stdout.readline()
    served = between(before, watch.read())
    assert served.cpu_ns >= 200_000_000
    # A tick is 10 ms; one may be cut at either end.
    assert served.user_ticks + served.system_ticks >= 19
    assert (served.events, served.log_bytes) == (None, None)


def test_a_log_is_counted_on_from_where_it_was(tmp_path: Path) -> None:
    log = tmp_path / "log"
    watch = Watch((), log)
    start = watch.read()  # there is none yet
    log.write_text("one\ntwo\nthr")
    first = watch.read()
    with log.open("a") as more:
        more.write("ee\nfour\n")
    second = watch.read()
    assert (between(start, first).events, between(first, second).events) == (2, 2)
    assert (between(start, first).log_bytes, between(first, second).log_bytes) == (11, 8)


def test_the_counters_of_a_process_that_is_gone_stand_still() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    reading = Watch([gone.pid]).read()
    assert (reading.threads_ns, reading.user_ticks, reading.system_ticks) == ({}, 0, 0)


def test_a_mount_that_does_nothing_accepts_and_is_gone_afterwards(folder: Path) -> None:
    with mount([*NOOP, str(folder)], folder):
        assert connection(folder) is not None
        fd = os.open(folder / "pages", os.O_RDWR | os.O_CREAT)
        assert os.pwrite(fd, b"x" * 4096, 8192) == 4096
        os.fdatasync(fd)
        assert os.fstat(fd).st_size == 12288
        os.close(fd)
        os.unlink(folder / "pages")
        assert not (folder / "pages").exists()
    assert connection(folder) is None
    assert list(folder.iterdir()) == []


def test_the_passthrough_does_in_the_source_what_it_is_asked_to(site: Site, tmp_path: Path) -> None:
    log, source, at = tmp_path / "log", site.folder, site.mount_point
    strace = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", str(log)]
    with mount([*strace, *PASSTHROUGH, str(source), str(at)], at):
        fd = os.open(at / "one", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        os.pwrite(fd, b"contents", 10)
        os.fdatasync(fd)
        os.fsync(fd)
        os.ftruncate(fd, 15)
        inside, outside = os.fstat(fd), os.stat(source / "one")
        assert os.pread(fd, 100, 0) == (source / "one").read_bytes() == bytes(10) + b"conte"
        os.close(fd)
        assert (inside.st_size, inside.st_mode) == (outside.st_size, outside.st_mode)
        assert inside.st_mtime_ns == outside.st_mtime_ns
        with pytest.raises(FileNotFoundError):
            os.stat(at / "two")
        os.unlink(at / "one")
        assert os.listdir(source) == []
    assert calls_in(log) == ["fdatasync", "fsync"]


def test_the_mount_is_gone_after_a_failure(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), mount([*NOOP, str(folder)], folder):
        raise ZeroDivisionError
    assert connection(folder) is None


def test_the_mount_is_gone_although_a_file_is_open(folder: Path) -> None:
    with mount([*NOOP, str(folder)], folder):
        fd = os.open(folder / "pages", os.O_RDWR | os.O_CREAT)
    assert connection(folder) is None
    with pytest.raises(OSError, match="not connected"):  # umount(8) was refused: aborted instead
        os.close(fd)


@pytest.mark.parametrize("server", [NOOP, ["false"], ["no-such-server"]])
def test_what_can_not_be_mounted_is_one_clear_line(folder: Path, server: list[str]) -> None:
    missing = folder / "missing"
    with (
        pytest.raises(BenchError, match=r"can't be mounted|No such file"),
        mount([*server, str(missing)], missing),
    ):
        pass


def test_a_mount_point_may_have_spaces(folder: Path) -> None:
    spaced = folder / "a b"
    spaced.mkdir()
    with mount([*NOOP, str(spaced)], spaced):
        assert connection(spaced) is not None
    assert connection(spaced) is None


def test_a_command_is_measured_with_its_memory(folder: Path) -> None:
    run = run_once([sys.executable, "-c", "x = b'x' * (100 << 20)"], folder)
    assert run.wall_ns > 0
    assert run.peak_kib > 100 << 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no-such-command"], r"no-such-command: No such file or directory"),
        (["sh", "-c", "echo why >&2; exit 7"], r"exit code 7: why"),
    ],
)
def test_a_command_that_fails_says_why(folder: Path, words: list[str], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        run_once(words, folder)


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
