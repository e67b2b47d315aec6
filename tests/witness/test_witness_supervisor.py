"""The supervisor, call by call: what it writes, and that it answers whatever goes wrong."""

import ctypes
import errno
import os
import threading
from mmap import mmap
from pathlib import Path

import pytest
from supervised import FixedStacks, supervised
from witness_support import NOBODY, NUMBERS

from tracefs.events import Frame, Notice, Withdrawn
from tracefs.witness import supervisor
from tracefs.witness.threads import Fdinfo, Thread, Threads

Patch = pytest.MonkeyPatch


def test_what_fails_in_an_unexpected_way_is_missing_and_goes_on(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    stacks = FixedStacks(ZeroDivisionError("integer modulo by zero"))
    seeks = frozenset({"lseek"})
    with supervised(monkeypatch, tmp_path, stacks=stacks, with_stack=seeks, most_stacks=9) as made:
        seek = made.listener.stop("lseek", made.file, 512, 0)
        dup = made.listener.stop("dup", made.file)
        missing, seen = made.run()
    assert missing.seen.missing == ("the witness failed: ZeroDivisionError: integer modulo by zero")
    assert (missing.seen.args[:3], missing.seen.fd) == ((made.file, 512, 0), None)
    assert (seen.seen.fd, seen.seen.missing) == (made.file, None)
    assert made.listener.done[2:] == [("let go", seek), ("let go", dup)]


def test_a_syncfs_that_can_not_be_witnessed_is_done_all_the_same(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("odd")

    done: list[int] = []

    def sync(fd: int) -> int:
        done.append(fd)
        return errno.EIO

    monkeypatch.setattr(Threads, "get", fail)
    monkeypatch.setattr(supervisor, "_sync_filesystem", sync)
    with supervised(monkeypatch, tmp_path) as made:
        number = made.listener.stop("syncfs", made.file)
        (notice,) = made.run()
        assert done == [made.file]
    assert notice.seen.missing == "the witness failed: ValueError: odd"
    assert made.listener.done[1:] == [("refused", number, errno.EIO)]


def test_what_has_stopped_meanwhile_is_received_before_anything_is_answered(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        first = made.listener.stop("lseek", made.file, 512, 0)
        second = made.listener.stop("lseek", made.file, 1024, 0)
        notices = made.run()
    assert made.listener.done == [
        ("received", first),
        ("received", second),
        ("let go", first),
        ("let go", second),
    ]
    assert [notice.seen.args[1] for notice in notices] == [512, 1024]


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE])
def test_for_want_of_descriptors_kept_threads_are_forgotten(
    monkeypatch: Patch, tmp_path: Path, error: int
) -> None:
    fdinfo = Thread.fdinfo
    forgotten: list[Threads] = []

    def scarce(thread: Thread, fd: int) -> Fdinfo:
        if not forgotten:
            raise OSError(error, os.strerror(error))
        return fdinfo(thread, fd)

    close = Threads.close

    def forget(threads: Threads) -> None:
        forgotten.append(threads)
        close(threads)

    monkeypatch.setattr(Thread, "fdinfo", scarce)
    monkeypatch.setattr(Threads, "close", forget)
    with supervised(monkeypatch, tmp_path) as made:
        made.listener.stop("lseek", made.file, 512, 0)
        (notice,) = made.run()
    assert (notice.seen.fd, notice.seen.missing) == (made.file, None)
    assert len(forgotten) == 1


def test_where_forgetting_does_not_help_the_call_is_missing(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    def scarce(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Thread, "fdinfo", scarce)
    with supervised(monkeypatch, tmp_path) as made:
        number = made.listener.stop("lseek", made.file, 512, 0)
        (notice,) = made.run()
    assert notice.seen.missing == "the caller could not be read: EMFILE"
    assert made.listener.done[1:] == [("let go", number)]


def test_a_failed_sync_of_the_real_filesystem_fails_the_call(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    """syncfs(2) on a descriptor that can't be synced through: EBADF of O_PATH."""
    backing = os.open(tmp_path, os.O_PATH)
    with supervised(monkeypatch, tmp_path, backing=backing) as made:
        number = made.listener.stop("syncfs", made.file)
        (notice,) = made.run()
    os.close(backing)
    assert (notice.seen.fd, notice.path) == (made.file, "f")
    assert made.listener.done[1:] == [("refused", number, errno.EBADF)]


def test_a_sync_of_the_real_filesystem_lets_the_call_go(monkeypatch: Patch, tmp_path: Path) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        number = made.listener.stop("syncfs", made.file)
        made.run()
    assert made.listener.done[1:] == [("let go", number)]


@pytest.mark.parametrize(
    ("tid", "reason"),
    [
        (0, "the caller waits, but /proc doesn't show it: it has no thread id here"),
        (NOBODY, "the caller waits, but /proc doesn't show it: ENOENT"),
    ],
    ids=["another pid namespace", "hidepid"],
)
def test_a_caller_that_is_not_in_proc_and_still_waits_is_missing(
    monkeypatch: Patch, tmp_path: Path, tid: int, reason: str
) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        number = made.listener.stop("lseek", made.file, 512, 0, tid=tid)
        (notice,) = made.run()
    assert (notice.tid, notice.seen.missing) == (tid, reason)
    assert notice.seen.args[:3] == (made.file, 512, 0)
    assert made.listener.done[1:] == [("let go", number)]


def test_a_caller_that_is_gone_is_not_told(monkeypatch: Patch, tmp_path: Path) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        made.listener.stop("lseek", made.file, 512, 0, tid=NOBODY)
        made.listener.valid.clear()
        assert made.run() == []


def test_a_descriptor_that_is_not_open_is_not_told(monkeypatch: Patch, tmp_path: Path) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        number = made.listener.stop("lseek", 999_999, 512, 0)
        assert made.run() == []
    assert made.listener.done[1:] == [("let go", number)]


def test_a_call_whose_thread_was_killed_meanwhile_is_withdrawn(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        killed = made.listener.stop("lseek", made.file, 512, 0)
        made.listener.stop("lseek", made.file, 1024, 0)
        elsewhere = made.listener.stop("lseek", 0, 0, 0)
        made.listener.killed |= {killed, elsewhere}
        assert len(made.run()) == 2
    kinds = [type(event) for event in made.journal.events]
    assert kinds == [Notice, Withdrawn, Notice]
    assert made.journal.events[1].tid == made.journal.events[0].tid


def test_a_call_is_told_as_it_was_before(monkeypatch: Patch, tmp_path: Path) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        os.lseek(made.file, 77, os.SEEK_SET)
        made.listener.stop("lseek", made.file | 7 << 32, 512, 0)
        (notice,) = made.run()
        ino = os.fstat(made.file).st_ino
    seen = notice.seen
    assert (seen.fd, seen.position, seen.fd_ino, notice.path) == (made.file, 77, ino, "f")
    assert (seen.pid, notice.tid) == (os.getpid(), threading.get_native_id())
    assert seen.args == (made.file | 7 << 32, 512, 0, 0, 0, 0)
    assert notice.start_ns <= notice.end_ns


def test_calls_on_other_files_are_let_go_without_a_word(monkeypatch: Patch, tmp_path: Path) -> None:
    other = os.open("/proc/self/maps", os.O_RDONLY)
    with supervised(monkeypatch, tmp_path) as made, mmap(-1, 4096) as anonymous:
        address = ctypes.addressof(ctypes.c_char.from_buffer(anonymous))
        made.listener.stop("lseek", other, 1, 0)
        made.listener.stop("dup2", other, 999_999)
        made.listener.stop("close_range", 999_998, 999_999, 0)
        made.listener.stop("msync", address, 4096, 4)
        assert made.run() == []
        answers = [what for what in made.listener.done if what[0] != "received"]
        assert answers == [("let go", number) for number in range(4)]
    os.close(other)


def test_calls_that_reach_the_directory_without_naming_a_file(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    other = os.open("/proc/self/maps", os.O_RDONLY)
    with supervised(monkeypatch, tmp_path) as made:
        os.ftruncate(made.file, 4096)
        with mmap(made.file, 4096) as view:
            address = ctypes.addressof(ctypes.c_char.from_buffer(view))
            made.listener.stop("sync")
            made.listener.stop("close_range", made.file, made.file, 0)
            made.listener.stop("exit_group", 0)
            made.listener.stop("msync", address, 4096, 4)
            made.listener.stop("dup2", other, made.file)
            notices = made.run()
    os.close(other)
    assert [notice.seen.nr for notice in notices] == [
        NUMBERS[name] for name in ("sync", "close_range", "exit_group", "msync", "dup2")
    ]
    assert [notice.seen.fd for notice in notices] == [None, None, None, None, other]


def test_a_vector_has_its_length_where_it_can_be_read(monkeypatch: Patch, tmp_path: Path) -> None:
    vector = (ctypes.c_uint64 * 4)(0, 100, 0, 4096)
    at = ctypes.addressof(vector)
    with supervised(monkeypatch, tmp_path) as made:
        made.listener.stop("pwritev", made.file, at, 2, 0, 0)
        made.listener.stop("pwritev", made.file, 8, 2, 0, 0)
        made.listener.stop("pwritev", made.file, at, 1025, 0, 0)
        notices = made.run()
    assert [notice.seen.vector_bytes for notice in notices] == [4196, None, None]


def test_stacks_are_read_as_many_as_are_wanted(monkeypatch: Patch, tmp_path: Path) -> None:
    how = {"stacks": FixedStacks(), "with_stack": frozenset({"lseek"}), "most_stacks": 1}
    with supervised(monkeypatch, tmp_path, **how) as made:
        made.listener.stop("dup", made.file)
        made.listener.stop("lseek", made.file, 512, 0)
        made.listener.stop("lseek", made.file, 1024, 0)
        dup, first, second = made.run()
    assert (dup.stack, dup.unstacked) == ((), None)
    assert first.stack == (Frame(module="/odd", address=threading.get_native_id()),)
    assert second.stack == ()
    assert second.unstacked is not None
    assert "as many stacks as were wanted" in second.unstacked


def test_a_call_of_an_unknown_architecture_is_missing(monkeypatch: Patch, tmp_path: Path) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        made.listener.stop("lseek", made.file, 512, 0, architecture=0x1234)
        (notice,) = made.run()
    assert (notice.seen.nr, notice.seen.pid) == (-1, os.getpid())
    assert notice.seen.missing is not None
    assert notice.seen.missing.endswith("of another ABI (AUDIT_ARCH 0x1234)")


def test_a_journal_that_can_not_be_written_ends_the_witness_and_no_call(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        monkeypatch.setattr(made.journal, "append", lambda _event: "the disk is full")
        for offset in (512, 1024):
            made.listener.stop("lseek", made.file, offset, 0)
        made.run()
    assert made.supervisor.failed == "the disk is full"
    assert made.listener.done[2:] == [("let go", 0), ("let go", 1)]


def test_a_number_that_another_thread_has_by_now_is_looked_up_anew(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    left: list[Thread] = []

    def comm(thread: Thread) -> str:
        if not left:
            left.append(thread)
            return "first"
        if thread is left[0]:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        return "second"

    monkeypatch.setattr(Thread, "comm", comm)
    with supervised(monkeypatch, tmp_path) as made:
        for offset in (512, 1024):
            made.listener.stop("lseek", made.file, offset, 0)
        notices = made.run()
    assert [notice.seen.comm for notice in notices] == ["first", "second"]


def test_a_call_whose_thread_is_gone_by_then_is_not_told(
    monkeypatch: Patch, tmp_path: Path
) -> None:
    with supervised(monkeypatch, tmp_path) as made:
        gone = made.listener.stop("lseek", made.file, 512, 0)
        made.listener.stop("lseek", made.file, 1024, 0)
        made.listener.valid.discard(gone)
        (notice,) = made.run()
    assert notice.seen.args[1] == 1024
    assert len(made.journal.events) == 1
