"""Real programs, judged: the page writer, each faulty one, and other ways to write a file."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import sync_source
from faulty_support import FAULTY, Program, each_program, mistakes
from mounted_support import PATIENCE_S, TRACEFS, Guard, Run, calls, run_traced
from msgspec.structs import replace
from page_write_calls import BY_FILE, assert_alike

import tracefs.check
from tracefs.findings import CheckResult, Severity, Verdict
from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace

Traced = Callable[..., Run]

TOOLS: Final = Path(__file__).parents[2] / "tools" / "pagealloc"
WRITER: Final = [sys.executable, str(TOOLS / "python" / "bin" / "pagealloc"), "write"]


def _check(recording: Path, *, without: tuple[str, ...] = ()) -> CheckResult:
    """Judge by page-write, in Python; its file must find the same."""
    with JournalReader(recording) as reader:
        result = tracefs.check.check(
            Trace(reader), ["page-write", BY_FILE], paths=["pages.db"], without=without
        )
    in_python, in_toml = result.contracts
    assert_alike(in_toml, in_python)
    return replace(result, contracts=(in_python,))


def _errors(result: CheckResult) -> set[str]:
    return {
        finding.rule
        for contract in result.contracts
        for finding in contract.findings
        if finding.severity is Severity.ERROR and finding.verdict is Verdict.BROKEN
    }


def test_page_writer_keeps_the_contract(traced_run: Traced) -> None:
    run = traced_run([*WRITER, "pages.db", "2", "a page"])

    assert run.returncode == 0, run.stderr
    assert _check(run.recording).verdict is Verdict.KEPT
    assert [(call.call, call.length, call.offset) for call in calls(run.recording)] == [
        ("openat", None, None),
        ("pwrite64", 4096, 8192),
        ("fdatasync", None, None),
        ("close", None, None),
    ]


@each_program
def test_faulty_program_breaks_its_rules_and_no_other(traced_run: Traced, program: Program) -> None:
    run = traced_run([*program.command(), "pages.db", str(program.page)])

    assert run.returncode == 0, run.stderr
    result = _check(run.recording)
    assert result.verdict is Verdict.BROKEN
    assert _errors(result) == set(program.rules)
    assert [call.call for call in calls(run.recording)] == mistakes()[program.file].calls


def test_command_line_names_the_rule(traced_run: Traced) -> None:
    run = traced_run([sys.executable, str(FAULTY / "synced.py"), "pages.db", "2"])

    done = subprocess.run(
        [*TRACEFS, "check", "--path", "pages.db", run.recording],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert re.search(r"^error synced, pages.db, page 2, call \d+$", done.stdout, re.MULTILINE)


def test_write_calls_are_named_as_strace_names_them(traced_run: Traced, tmp_path: Path) -> None:
    """strace's log of the same program on a bare directory is the reference."""
    script = tmp_path / "writes.py"
    script.write_text(
        "import os\n"
        "fd = os.open('file', os.O_RDWR | os.O_CREAT, 0o600)\n"
        "os.write(fd, b'a' * 100)\n"
        "os.pwrite(fd, b'b' * 4096, 100)\n"
        "os.writev(fd, [b'c' * 10, b'd' * 20])\n"
        "os.pwritev(fd, [b'e' * 4096, b'f' * 4096], 8192)\n"
        "os.fsync(fd)\n"
        "os.ftruncate(fd, 10000)\n"
        "os.fdatasync(fd)\n"
        "os.pwrite(fd, b'g' * (3 << 20), 12345)\n"
        "os.close(fd)\n"
        "os.rename('file', 'renamed')\n"
        "os.unlink('renamed')\n"
    )
    bare = tmp_path / "bare"
    bare.mkdir()
    log = tmp_path / "strace.log"
    wanted = "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,ftruncate,rename,unlink"
    subprocess.run(
        ["strace", "-f", "-y", "-o", log, "-e", f"trace={wanted}", sys.executable, script],
        cwd=bare, check=True,
    )  # fmt: skip
    ours = re.compile(r"^\d+ +(\w+)\((?:\d+<[^>]*/file>|\"(?:file|renamed)\").*= (-?\d+)")
    reference = [
        (match[1], int(match[2]))
        for match in map(ours.match, log.read_text().splitlines())
        if match
    ]

    run = traced_run([sys.executable, str(script)])

    seen = [
        (call.call, call.result) for call in calls(run.recording) if call.call in wanted.split(",")
    ]
    assert len(reference) == 10
    assert [(name, result or 0) for name, result in seen] == reference


def test_three_mebibytes_are_one_call(traced_run: Traced) -> None:
    run = traced_run(
        ["dd", "if=/dev/zero", "of=file", "bs=3M", "count=1", "conv=fdatasync", "status=none"]
    )

    writes = [call for call in calls(run.recording) if call.family == "write"]
    assert [(call.call, call.length, call.result) for call in writes] == [
        ("write", 3 << 20, 3 << 20)
    ]
    assert writes[0].fragments > 1


@pytest.mark.parametrize("option", [(), ("--direct-io",)], ids=["cached", "direct_io"])
def test_unaligned_page_is_one_call(traced_run: Traced, option: tuple[str, ...]) -> None:
    script = (
        "import os; fd = os.open('file', os.O_RDWR | os.O_CREAT); os.pwrite(fd, bytes(4096), 8292)"
    )

    run = traced_run([sys.executable, "-c", script], *option)

    writes = [call for call in calls(run.recording) if call.family == "write"]
    assert [(call.call, call.offset, call.length) for call in writes] == [("pwrite64", 8292, 4096)]


def test_synchronous_flags_are_named_and_no_sync_is_invented(traced_run: Traced) -> None:
    script = (
        "import os\n"
        "fd = os.open('dsync', os.O_RDWR | os.O_CREAT | os.O_DSYNC)\n"
        "os.pwrite(fd, bytes(4096), 0)\n"
        "fd = os.open('sync', os.O_RDWR | os.O_CREAT | os.O_SYNC); os.pwrite(fd, bytes(4096), 0)\n"
        "fd = os.open('rwf', os.O_RDWR | os.O_CREAT)\n"
        "os.pwritev(fd, [bytes(4096)], 0, os.RWF_DSYNC)\n"
    )

    run = traced_run([sys.executable, "-c", script])

    seen = calls(run.recording)
    assert [call.synced_by for call in seen if call.family == "write"] == [
        "O_DSYNC", "O_SYNC", "RWF_DSYNC",
    ]  # fmt: skip
    assert [call.call for call in seen if call.family == "sync"] == []


def test_stores_through_a_mapping_are_marked(traced_run: Traced) -> None:
    script = (
        "import mmap, os\n"
        "fd = os.open('file', os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 8192)\n"
        "m = mmap.mmap(fd, 8192); m[5000] = 1; m.flush()\n"
    )

    run = traced_run([sys.executable, "-c", script])

    seen = calls(run.recording)
    assert [(call.call, call.tid) for call in seen if call.family == "write"] == [("mmap", None)]
    assert [call.call for call in seen if call.family == "sync"] == ["msync"]


@contextmanager
def filesystem_without_fallocate(directory: Path, guard: Guard) -> Iterator[None]:
    directory.mkdir()
    guard.watch(directory)
    source = subprocess.Popen(
        [sys.executable, sync_source.__file__, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert source.stdout is not None
    assert source.stdout.readline() == "ready\n"
    try:
        yield
    finally:
        unmount = ["fusermount3", "-u", str(directory)]
        subprocess.run(unmount, check=True, timeout=PATIENCE_S)
        source.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("level", ["proc", "full"])
def test_posix_fallocate_is_labelled_where_the_source_has_none(
    tmp_path: Path, guard: Guard, level: str
) -> None:
    script = (
        "import os; fd = os.open('file', os.O_RDWR | os.O_CREAT); os.posix_fallocate(fd, 0, 20000)"
    )
    with filesystem_without_fallocate(tmp_path / "src", guard):
        run = run_traced(
            tmp_path / "src", tmp_path / "rec", guard, [sys.executable, "-c", script],
            f"--witness={level}",
        )  # fmt: skip

    writes = [call for call in calls(run.recording) if call.family == "write"]
    assert len(writes) == 5
    assert all("posix_fallocate" in (call.note or "") for call in writes)


def test_writer_in_a_thread_and_in_a_child_are_told_apart(traced_run: Traced) -> None:
    script = (
        "import os, threading\n"
        "fd = os.open('file', os.O_RDWR | os.O_CREAT)\n"
        "t = threading.Thread(target=os.pwrite, args=(fd, bytes(4096), 0)); t.start(); t.join()\n"
        "if os.fork() == 0:\n"
        "    os.pwrite(fd, bytes(4096), 4096); os._exit(0)\n"
        "os.wait()\n"
        "os.pwrite(fd, bytes(4096), 8192)\n"
        "print(os.getpid())\n"
    )

    run = traced_run([sys.executable, "-c", script])

    pid = int(run.stdout)
    thread, child, parent = (c for c in calls(run.recording) if c.family == "write")
    assert (parent.pid, parent.tid) == (pid, pid)
    assert thread.pid == pid
    assert thread.tid != pid
    assert child.pid == child.tid != pid
    assert {thread.comm, child.comm, parent.comm} == {os.path.basename(sys.executable)[:15]} or all(
        (thread.comm, child.comm, parent.comm)
    )


def test_no_witness_leaves_the_call_unknown(traced_run: Traced) -> None:
    run = traced_run([*WRITER, "pages.db", "0", "x"], "--witness=none")

    (write,) = (call for call in calls(run.recording) if call.family == "write")
    assert (write.call, write.known_by) == ("unknown", None)
    assert _check(run.recording).verdict is Verdict.UNKNOWN


def test_append_that_is_switched_on_later_is_found(traced_run: Traced) -> None:
    script = (
        "import fcntl, os\n"
        "fd = os.open('pages.db', os.O_RDWR | os.O_CREAT)\n"
        "os.pwrite(fd, bytes(4096), 0); os.fdatasync(fd)\n"
        "fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)\n"
        "os.pwrite(fd, bytes(4096), 0); os.fdatasync(fd)\n"
        "os.close(fd)\n"
    )

    run = traced_run([sys.executable, "-c", script])

    assert _errors(_check(run.recording)) == {"open-flags"}
