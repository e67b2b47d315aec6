"""What /proc says of a thread's descriptors."""

import os
import subprocess

import pytest
from witness_support import NOBODY, descriptors

from tracefs.witness.threads import MAX_FDS, Thread, Threads, affordable


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


def test_the_descriptor_that_was_opened_longest_ago_is_closed_first() -> None:
    thread = Thread(os.getpid())
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(MAX_FDS + 1)]
    for fd in fds[:-1]:
        thread.fdinfo(fd)
    thread.fdinfo(fds[0])
    thread.fdinfo(fds[-1])
    assert set(thread._fdinfo) == set(fds[1:])
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
