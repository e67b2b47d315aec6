"""The supervisor, call by call: what it writes, and that it answers whatever goes wrong."""

import errno
import os
from pathlib import Path

import pytest
from supervised import FixedStacks, supervised
from witness_support import NOBODY

from tracefs.events import Notice, Withdrawn
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
