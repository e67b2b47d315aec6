"""What /proc says of a thread's descriptors."""

import errno
import os
import subprocess

import pytest
from witness_support import NOBODY, descriptors

from tracefs.witness.threads import MAX_FDS, Fdinfo, Thread, Threads, affordable, parse_fdinfo


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\nino:\t99\nlock:\t1: POSIX", Fdinfo(7, 2, 5, 99)),
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\nlock:\t1: POSIX  ADVISORY", Fdinfo(7, 2, 5, None)),
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\n", Fdinfo(7, 2, 5, None)),
        (b"pos:\t7\nflags:\t0100001\n", Fdinfo(7, 0o100001, None, None)),
    ],
    ids=["5.14", "5.10, locked", "5.10", "3.14"],
)
def test_fdinfo_of_older_kernels_says_less(text: bytes, expected: Fdinfo) -> None:
    assert parse_fdinfo(text) == expected


def test_fdinfo_without_a_position_is_refused() -> None:
    with pytest.raises(OSError, match="without position") as error:
        parse_fdinfo(b"")
    assert error.value.errno == errno.ENODATA


@pytest.mark.parametrize(("limit", "threads"), [(10, 1), (256, 12), (1024, 51), (20000, 128)])
def test_kept_threads_take_half_of_the_descriptors(limit: int, threads: int) -> None:
    assert affordable(limit) == threads


def children(count: int) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _ in range(count)]


def test_the_thread_that_was_looked_at_longest_ago_is_closed_first() -> None:
    kept = Threads(2)
    processes = children(3)
    first, second, third = (process.pid for process in processes)
    kept.open(first)
    kept.open(second)
    assert kept.get(first) is not None
    kept.open(third)
    assert [pid for pid in (first, second, third) if kept.get(pid) is not None] == [first, third]
    kept.close()
    for process in processes:
        process.communicate()


def test_the_descriptor_that_was_looked_at_longest_ago_is_closed_first() -> None:
    thread = Thread(os.getpid())
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(MAX_FDS + 1)]
    for fd in fds[:-1]:
        thread.fdinfo(fd)
    thread.fdinfo(fds[0])
    thread.fdinfo(fds[-1])
    assert set(thread._fdinfo) == {fds[0], *fds[2:]}
    thread.close()
    for fd in fds:
        os.close(fd)


def test_a_thread_is_closed_whole() -> None:
    before = descriptors()
    kept = Threads(1)
    thread = kept.open(os.getpid())
    thread.fdinfo(0)
    assert descriptors() == before + 3
    kept.forget(os.getpid())
    assert descriptors() == before
    with pytest.raises(FileNotFoundError):
        kept.open(NOBODY)
    assert descriptors() == before
