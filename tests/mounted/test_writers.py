"""Every page writer under tracefs: the same calls whatever the language, and the contract kept."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import Run, calls
from pagealloc.generated import generated_page
from pagealloc.page import PAGE_SIZE, build_page
from pagewriters import Writer
from writers_support import command, each_writer

from tracefs.check import check
from tracefs.findings import CheckResult, Verdict
from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Trace

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

OPEN = ("openat", "pages.db", ("O_RDWR", "O_CREAT", "O_CLOEXEC"), None, None)
WRITE = ("pwrite64", "pages.db", (), 8192, 4096)
SYNC = ("fdatasync", "pages.db", (), None, None)
CLOSE = ("close", "pages.db", (), None, None)
SYNC_DIRECTORY = ("fsync", ".", (), None, None)
PAGES = 48


def judged(recording: Path) -> CheckResult:
    with JournalReader(recording) as reader:
        return check(Trace(reader), ["page-write"])


def advice(result: CheckResult) -> set[str]:
    return {finding.rule for contract in result.contracts for finding in contract.findings}


def essence(call: Call) -> tuple[object, ...]:
    """Return what two writers' calls have in common; no times, threads or descriptors."""
    return call.call, call.path, call.flags, call.offset, call.length


@each_writer
@pytest.mark.parametrize("old", [None, 5 * PAGE_SIZE], ids=["new", "longer"])
def test_a_write_is_these_calls_and_keeps_the_contract(
    traced_run: Traced, tmp_path: Path, writer: Writer, old: int | None
) -> None:
    file = tmp_path / "src" / "pages.db"
    if old is not None:
        file.write_bytes(bytes(old))

    run = traced_run(command(writer, "write", "pages.db", "2", "text"))

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(map(essence, calls(run.recording))) == [OPEN, WRITE, SYNC, CLOSE]
    result = judged(run.recording)
    assert result.verdict is Verdict.KEPT
    assert advice(result) == ({"directory-synced"} if old is None else set())
    assert file.read_bytes()[2 * PAGE_SIZE : 3 * PAGE_SIZE] == build_page(b"text")


@each_writer
def test_sync_dir_leaves_nothing_to_advise(traced_run: Traced, writer: Writer) -> None:
    run = traced_run(command(writer, "write", "--sync-dir", "pages.db", "2", "text"))

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    seen = list(map(essence, calls(run.recording)))
    assert seen == [OPEN, WRITE, SYNC, CLOSE, SYNC_DIRECTORY]
    result = judged(run.recording)
    assert (result.verdict, advice(result)) == (Verdict.KEPT, set())


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
    opened, *between, closed = calls(run.recording)
    assert (essence(opened), essence(closed)) == (OPEN, CLOSE)
    writes, syncs = between[::2], between[1::2]
    assert [essence(call) for call in syncs] == [SYNC] * PAGES
    assert {call.call for call in writes} == {"pwrite64"}
    offsets = sorted(call.offset or 0 for call in writes)
    assert offsets == [page_no * PAGE_SIZE for page_no in range(PAGES)]
    # A page's write and its sync come from one thread, as nothing but the right names could show.
    assert [call.tid for call in writes] == [call.tid for call in syncs]
    # Each thread has taken a page before the first has written all others.
    tids = {call.tid for call in between}
    assert 2 <= len(tids) <= 8
    assert None not in tids
    assert opened.pid is not None
    assert {call.pid for call in between} == {opened.pid}
    assert judged(run.recording).verdict is Verdict.KEPT
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
