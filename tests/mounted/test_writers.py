"""Every page writer under tracefs: the same calls whatever the language, and the contract kept."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import Run, calls
from page_write_calls import BY_FILE, assert_alike
from pagealloc.generated import generated_page
from pagealloc.page import PAGE_SIZE, build_page
from pagewriters import Writer
from writers_support import command, each_writer

from tracefs import Trace
from tracefs.api import close, fdatasync, fsyncdir, openat, pwrite
from tracefs.findings import Verdict
from tracefs.pytest_plugin import TracedDir

Traced = Callable[..., Run]

# Eight threads that nothing holds apart; each writes and syncs pages with its own number in them.
SIGNED = """
import os, struct, threading
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT)
together = threading.Barrier(8)
def work(first):
    me = struct.pack("=q", threading.get_native_id())
    together.wait()
    for page_no in range(first, 64, 8):
        os.pwrite(fd, me * 512, page_no * 4096)
        os.fdatasync(fd)
threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

OPEN = openat("pages.db", "O_RDWR|O_CREAT|O_CLOEXEC")
WRITE = pwrite("pages.db", PAGE_SIZE, at=2 * PAGE_SIZE)
SYNC = fdatasync("pages.db")
CLOSE = close("pages.db")
PAGES = 48


def advice(trace: Trace) -> set[str]:
    """Return the rules of all advice; page-write's file must find the same as its Python."""
    result = trace.check("page-write")
    by_file = trace.check(BY_FILE)
    assert_alike(by_file.contracts[0], result.contracts[0])
    return {finding.rule for contract in result.contracts for finding in contract.findings}


def written(traced_dir: TracedDir, writer: Writer, *options: str) -> None:
    """Write a page; the writer says nothing."""
    words = command(writer, "write", *options, "pages.db", "2", "text")
    done = traced_dir.run(words, capture_output=True)
    assert (done.stdout, done.stderr) == ("", "")


@each_writer
@pytest.mark.parametrize("old", [None, 5 * PAGE_SIZE], ids=["new", "longer"])
@pytest.mark.tracefs(witness="seccomp", contracts=["page-write"])
def test_a_write_is_these_calls_and_keeps_the_contract(
    traced_dir: TracedDir, trace: Trace, writer: Writer, old: int | None
) -> None:
    file = traced_dir / "pages.db"
    if old is not None:
        file.write_bytes(bytes(old))

    written(traced_dir, writer)

    assert trace.calls() == [OPEN, WRITE, SYNC, CLOSE]
    assert advice(trace) == ({"directory-synced"} if old is None else set())
    assert file.read_bytes()[2 * PAGE_SIZE : 3 * PAGE_SIZE] == build_page(b"text")


@each_writer
@pytest.mark.tracefs(witness="seccomp", contracts=["page-write"])
def test_sync_dir_leaves_nothing_to_advise(
    traced_dir: TracedDir, trace: Trace, writer: Writer
) -> None:
    written(traced_dir, writer, "--sync-dir")
    assert trace.calls() == [OPEN, WRITE, SYNC, CLOSE, fsyncdir(".")]
    assert advice(trace) == set()


@each_writer
def test_nothing_but_reading_is_seen_of_the_other_commands(
    traced_run: Traced, tmp_path: Path, writer: Writer
) -> None:
    (tmp_path / "src" / "pages.db").write_bytes(build_page(b"text"))
    script = '"$0" read pages.db 0; "$0" hexdump pages.db >&2; "$0" verify pages.db'

    run = traced_run(["sh", "-c", script, *command(writer)])

    assert (run.returncode, run.stdout) == (0, "textpages.db: good pages: 1\n")
    families = {call.family for call in calls(run.recording)}
    assert families <= {"open", "close", "read"}


@each_writer
def test_eight_threads_keep_the_contract_and_each_call_has_its_thread(
    traced_run: Traced, tmp_path: Path, writer: Writer
) -> None:
    run = traced_run(command(writer, "fill", "pages.db", str(PAGES), "--threads", "8"))

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    trace = Trace(run.recording)
    opened, *between, closed = trace.calls()
    assert (opened, closed) == (OPEN, CLOSE)
    writes, syncs = between[::2], between[1::2]
    assert syncs == [SYNC] * PAGES
    assert sorted(writes, key=lambda call: call.offset or 0) == [
        pwrite("pages.db", PAGE_SIZE, at=page_no * PAGE_SIZE) for page_no in range(PAGES)
    ]
    # A page's write and its sync come from one thread, as nothing but the right names could show.
    assert [call.tid for call in writes] == [call.tid for call in syncs]
    # Each thread has taken a page before the first has written all others.
    tids = {call.tid for call in between}
    assert 2 <= len(tids) <= 8
    assert None not in tids
    assert opened.pid is not None
    assert {call.pid for call in between} == {opened.pid}
    assert trace.check("page-write").verdict is Verdict.KEPT
    file = tmp_path / "src" / "pages.db"
    assert file.read_bytes() == b"".join(generated_page(0, page_no) for page_no in range(PAGES))


def test_calls_of_eight_threads_at_once_have_the_thread_that_the_page_names(
    traced_run: Traced, tmp_path: Path
) -> None:
    run = traced_run([sys.executable, "-c", SIGNED])

    assert (run.returncode, run.stderr) == (0, "")
    seen = calls(run.recording)
    data = (tmp_path / "src" / "pages.db").read_bytes()
    signed = {at: int.from_bytes(data[at : at + 8], sys.byteorder) for at in range(0, 2**18, 4096)}
    assert {call.offset: call.tid for call in seen if call.family == "write"} == signed
    assert len(set(signed.values())) == 8
    syncs = Counter(call.tid for call in seen if call.call == "fdatasync")
    assert syncs == Counter(signed.values())
