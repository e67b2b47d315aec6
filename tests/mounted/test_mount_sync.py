"""fsync and fdatasync reach the filesystem below, told apart, and its errors reach the program.

The source is a filesystem that counts and fails syncs (``sync_source.py``).
"""

import errno
import mmap
import os
from collections.abc import Callable
from typing import Any

import pytest
from counting import Counted
from mounted_support import act, calls, journal, open_new, outcome

from tracefs import events


@pytest.fixture
def counted(counted_with: Callable[..., Counted]) -> Counted:
    return counted_with()


@pytest.fixture
def counted_directly(counted_with: Callable[..., Counted]) -> Counted:
    return counted_with("--direct-io")


def sync_twice() -> Any:
    fd = open_new("f")
    os.pwrite(fd, b"x" * 4096, 0)
    return [outcome(call, fd) for call in (os.fdatasync, os.fsync, os.fsync, os.fdatasync)]


def test_each_sync_reaches_the_source_as_what_it_is(counted: Counted) -> None:
    assert act(counted.mount.mountpoint, sync_twice) == [None] * 4
    assert counted.end() == ["fdatasync f", "fsync f", "fsync f", "fdatasync f"]
    seen = [
        (event.datasync, event.errno) for event in journal(counted.mount.recording, events.Fsync)
    ]
    assert seen == [(True, 0), (False, 0), (False, 0), (True, 0)]


def failing_syncs() -> Any:
    results = []
    for name in ("eio-f", "enospc-f"):
        fd = open_new(name)
        os.pwrite(fd, b"x" * 4096, 0)
        results += [outcome(os.fdatasync, fd), outcome(os.fsync, fd)]
    return results


def test_errors_of_a_sync_reach_the_program(counted: Counted) -> None:
    wanted = ["EIO", "EIO", "ENOSPC", "ENOSPC"]
    assert act(counted.mount.mountpoint, failing_syncs) == wanted
    assert len(counted.end()) == 4
    numbers = [errno.EIO, errno.EIO, errno.ENOSPC, errno.ENOSPC]
    assert [event.errno for event in journal(counted.mount.recording, events.Fsync)] == numbers
    assert [call.errno for call in calls(counted.mount.recording, "sync")] == numbers


def many_syncs(count: int) -> Any:
    fd = open_new("f")
    for number in range(count):
        os.pwrite(fd, b"x" * 4096, 4096 * number)
        os.fdatasync(fd)


def test_no_sync_is_lost_in_many(counted: Counted) -> None:
    act(counted.mount.mountpoint, many_syncs, 300)
    assert counted.end() == ["fdatasync f"] * 300


def directory_syncs() -> Any:
    fd = os.open(".", os.O_RDONLY)
    return outcome(os.fsync, fd), outcome(os.fdatasync, fd)


def test_syncs_of_directories_reach_the_source(counted: Counted) -> None:
    assert act(counted.mount.mountpoint, directory_syncs) == (None, None)
    assert counted.end() == ["fsyncdir .", "fdatasyncdir ."]


def synchronous_writes() -> Any:
    for name, flag in (("d", os.O_DSYNC), ("s", os.O_SYNC)):
        os.pwrite(open_new(name, flag), b"x" * 4096, 0)
    os.pwritev(open_new("r"), [b"x" * 4096], 0, os.RWF_DSYNC)
    return outcome(os.pwrite, open_new("eio-d", os.O_DSYNC), b"x" * 4096, 0)


def test_synchronous_writes_sync(counted: Counted) -> None:
    assert act(counted.mount.mountpoint, synchronous_writes) == "EIO"
    assert counted.end() == ["fdatasync d", "fsync s", "fdatasync r", "fdatasync eio-d"]


def synchronous_opens() -> Any:
    for name, flag in (("d", os.O_DSYNC), ("s", os.O_SYNC)):
        os.pwrite(open_new(name, flag), b"x" * 4096, 0)
    return outcome(os.pwrite, open_new("eio-d", os.O_DSYNC), b"x" * 4096, 0)


def test_synchronous_opens_sync_with_direct_io(counted_directly: Counted) -> None:
    # There the kernel sends no FSYNC; the flags stay on the source's own descriptors.
    assert act(counted_directly.mount.mountpoint, synchronous_opens) == "EIO"
    assert counted_directly.end() == ["fdatasync d", "fsync s", "fdatasync eio-d"]


def mapped() -> Any:
    fd = open_new("f")
    os.pwrite(fd, b"x" * 4096, 0)
    with mmap.mmap(fd, 4096) as memory:
        memory[0:4] = b"MMAP"
        memory.flush()
    return os.pread(fd, 4, 0)


def test_msync_syncs(counted: Counted) -> None:
    assert act(counted.mount.mountpoint, mapped) == b"MMAP"
    assert counted.end() == ["fdatasync f"]


def closing() -> Any:
    fd = open_new("close-edquot")
    os.pwrite(fd, b"x", 0)
    return outcome(os.close, fd), outcome(os.close, open_new("fine"))


def test_errors_of_closing_reach_the_program(counted: Counted) -> None:
    assert act(counted.mount.mountpoint, closing) == ("EDQUOT", None)
    assert counted.end() == []
