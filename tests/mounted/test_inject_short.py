"""Writes that a rule lets be short: what the program is told, what is written, what is recorded."""

import mmap
import os
from collections.abc import Callable
from typing import Any

import pytest
from counting import Counted
from injecting import Injected
from mounted_support import act, calls, journal, open_new, outcome

from tracefs import events

DATA = bytes(range(256)) * 16
MIB = 1 << 20


def aligned(size: int) -> mmap.mmap:
    memory = mmap.mmap(-1, size)
    memory[:] = (DATA * (size // len(DATA) + 1))[:size]
    return memory


def every_way() -> Any:
    """Write 4096 bytes in each way that there is; return results and positions."""
    told: list[Any] = []
    fd = open_new("f")
    told += [os.write(fd, DATA), os.lseek(fd, 0, os.SEEK_CUR), os.fstat(fd).st_size]
    told += [os.pwrite(fd, DATA, 8192), os.pwrite(fd, DATA, 100)]
    told += [os.writev(fd, [DATA[:60], DATA[60:]]), os.pwritev(fd, [DATA, DATA], 0)]
    told += [os.pwritev(fd, [DATA], 0, os.RWF_DSYNC), os.pwrite(fd, DATA * 768, 5)]
    for flags in (os.O_SYNC, os.O_DSYNC, os.O_DIRECT):
        told.append(os.write(open_new("g", flags | os.O_TRUNC), aligned(4096)))
    fd = open_new("appended", os.O_APPEND)
    told += [os.write(fd, DATA), os.write(fd, DATA), os.fstat(fd).st_size]
    return told


def test_a_write_of_more_is_short_in_every_way(injected: Injected) -> None:
    mount = injected("write:short=100")
    assert act(mount.mountpoint, every_way) == [100] * 12 + [100, 100, 200]
    mount.end()
    assert (mount.source / "appended").read_bytes() == DATA[:100] * 2
    writes = journal(mount.recording, events.Write)
    assert {event.result for event in writes} == {100}
    assert {event.injected for event in writes} == {
        (events.Injected(rule="write:short=100", kind="short"),)
    }
    assert all(call.result == 100 for call in calls(mount.recording, "write"))


def to_the_end() -> Any:
    fd, data, told = open_new("f"), DATA * 768, []
    while data:
        told.append(os.write(fd, data))
        data = data[told[-1] :]
    return told


@pytest.mark.parametrize("limit", [1 * MIB, MIB + MIB // 2, 2 * MIB])
def test_a_limit_counts_by_calls_and_not_by_requests(injected: Injected, limit: int) -> None:
    mount = injected(f"write:short={limit}")
    told = act(mount.mountpoint, to_the_end)
    assert told == [limit] * (3 * MIB // limit) + ([3 * MIB % limit] if 3 * MIB % limit else [])
    assert (mount.source / "f").read_bytes() == DATA * 768
    mount.end()
    assert [call.result for call in calls(mount.recording, "write")] == told


def test_a_write_of_no_more_is_whole_and_not_said_to_be_injected(injected: Injected) -> None:
    mount = injected("write:short=4096")
    assert act(mount.mountpoint, one_write) == 4096
    mount.end()
    (event,) = journal(mount.recording, events.Write)
    assert (event.result, event.injected) == (4096, ())


def one_write() -> Any:
    return os.write(open_new("f"), DATA)


def mapped(name: str, flags: int) -> Any:
    fd = os.open(name, flags)
    writable = flags & os.O_ACCMODE != os.O_RDONLY
    protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
    shared = outcome(lambda: mmap.mmap(fd, 4096, mmap.MAP_SHARED, protection).close())
    private = outcome(lambda: mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, protection).close())
    return shared, private


def test_what_a_rule_sends_past_the_cache_cannot_be_mapped_for_sharing(
    injected: Injected,
) -> None:
    mount = injected("write(*.db):short=100")
    for name in ("a.db", "other"):
        (mount.source / name).write_bytes(DATA)
    assert act(mount.mountpoint, mapped, "a.db", os.O_RDWR) == ("ENODEV", None)
    assert act(mount.mountpoint, mapped, "a.db", os.O_RDONLY) == (None, None)
    assert act(mount.mountpoint, mapped, "other", os.O_RDWR) == (None, None)
    mount.end()
    opens = journal(mount.recording, events.Open)
    assert [(event.path, event.uncached) for event in opens] == [
        ("a.db", True), ("a.db", False), ("other", False),
    ]  # fmt: skip
    notes = [call.note for call in calls(mount.recording, "open")]
    assert [note is not None and "cache" in note for note in notes] == [True, False, False]


def both_ways() -> Any:
    """Read and write through one open past the cache and one that is cached."""
    past = os.open("f", os.O_RDWR)
    cached = os.open("f", os.O_RDONLY)
    before = os.pread(cached, 2, 0), os.pread(past, 2, 0)
    os.pwrite(past, b"ab", 0)
    with mmap.mmap(cached, 4096, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        seen = os.pread(cached, 2, 0), memory[:2]
        os.pwrite(past, b"cd", 0)
        return before, seen, memory[:2]


def test_opens_past_the_cache_and_cached_ones_agree(injected: Injected) -> None:
    mount = injected("write:short=100")
    (mount.source / "f").write_bytes(b"--" + bytes(4094))
    assert act(mount.mountpoint, both_ways) == ((b"--", b"--"), (b"ab", b"ab"), b"cd")


def syncing() -> Any:
    for name, flag in (("d", os.O_DSYNC), ("s", os.O_SYNC)):
        os.pwrite(open_new(name, flag), DATA, 0)
    os.pwritev(open_new("r"), [DATA], 0, os.RWF_DSYNC)
    os.pwritev(open_new("rs"), [DATA], 0, os.RWF_SYNC)
    return outcome(os.pwrite, open_new("eio-d", os.O_DSYNC), DATA, 0)


def test_no_sync_of_a_write_is_lost(counted_with: Callable[..., Counted]) -> None:
    # Past the cache the kernel sends no FSYNC: the write itself is synced below.
    counted = counted_with("--inject", "write:short=100")
    assert act(counted.mount.mountpoint, syncing) == "EIO"
    assert counted.end() == ["fdatasync d", "fsync s", "fdatasync r", "fsync rs", "fdatasync eio-d"]
    synced = [call.synced_by for call in calls(counted.mount.recording, "write")]
    assert synced == ["O_DSYNC", "O_SYNC", "RWF_DSYNC", "RWF_SYNC", None]


def copied(source: str) -> Any:
    fd = os.open(source, os.O_RDONLY)
    return os.copy_file_range(fd, open_new("copy"), 4096)


def test_a_copy_is_short_too(injected: Injected) -> None:
    mount = injected("write:short=100")
    (mount.source / "f").write_bytes(DATA)
    assert act(mount.mountpoint, copied, "f") == 100
    assert (mount.source / "copy").read_bytes() == DATA[:100]
    mount.end()
    (event,) = journal(mount.recording, events.Copy)
    assert (event.result, [one.kind for one in event.injected]) == (100, ["short"])


def test_only_the_calls_that_are_meant_are_short(injected: Injected) -> None:
    mount = injected("pwrite64:short=10:when=2")
    assert act(mount.mountpoint, three_writes) == [4096, 4096, 10, 4096]
    mount.end()
    kinds = [len(event.injected) for event in journal(mount.recording, events.Write)]
    assert kinds == [0, 0, 1, 0]


def three_writes() -> Any:
    fd = open_new("f")
    return [os.write(fd, DATA), *(os.pwrite(fd, DATA, 4096 * at) for at in range(3))]
