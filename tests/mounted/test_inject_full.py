"""Disks that a rule lets fill up: a real one that is full is the judge, and ext4's own ways."""

import ctypes
import errno
import mmap
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from injecting import Injected
from mounted_support import PATIENCE_S, act, calls, journal, open_new, outcome

from tracefs import events

BLOCK = 4096
_libc = ctypes.CDLL(None, use_errno=True)
KEEP_SIZE, PUNCH_HOLE = 0x01, 0x02


def allocate(fd: int, mode: int, offset: int, size: int) -> int:
    """fallocate(2); glibc's own function would do it by writing."""
    if _libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(size)):
        raise OSError(ctypes.get_errno(), "fallocate")
    return 0


def filled(data: bytes) -> list[Any]:
    """Write *data* again and again until that fails; say what came of each."""
    fd = open_new("fill")
    told: list[Any] = []
    while len(told) < 100 and (not told or told[-1] == len(data)):
        told.append(outcome(os.write, fd, data))
    return [*told, outcome(os.write, fd, b"!"), os.fstat(fd).st_size]


def test_a_write_that_fits_in_part_is_short_and_the_next_fails(injected: Injected) -> None:
    mount = injected("write:full=100K")
    assert act(mount.mountpoint, filled, b"f" * (64 << 10)) == [
        64 << 10, 36 << 10, "ENOSPC", 100 << 10,
    ]  # fmt: skip
    mount.end()
    assert (mount.source / "fill").read_bytes() == b"f" * (100 << 10)
    struck = [event for event in journal(mount.recording, events.Write) if event.injected]
    assert [(event.result, event.errno) for event in struck[-1:]] == [(0, errno.ENOSPC)]
    assert {one for event in struck for one in event.injected} == {
        events.Injected(rule="write:full=100K", kind="full")
    }
    told: list[Any] = [call.result if call.result is not None else call.errno
            for call in calls(mount.recording, "write")]  # fmt: skip
    assert told == [64 << 10, 36 << 10, errno.ENOSPC]


def some_calls(seed: int) -> list[Any]:
    """Do things that take space and give it back, by chance; say what came of each."""
    chance = random.Random(seed)
    names = [f"f{number}" for number in range(4)]
    fds = {name: open_new(name) for name in names}
    told: list[Any] = []
    for _ in range(300):
        name = chance.choice(names)
        fd = fds[name]
        what = chance.randrange(10)
        at, size = chance.randrange(40 * BLOCK), chance.randrange(1, 30 * BLOCK)
        if what < 6:
            told.append(outcome(os.pwrite, fd, bytes([65 + what]) * size, at))
        elif what == 6:
            told.append(outcome(os.ftruncate, fd, at))
        elif what == 7:
            told.append(outcome(allocate, fd, PUNCH_HOLE | KEEP_SIZE, at, size))
        elif what == 8:
            os.unlink(name)
            told.append(outcome(os.pwrite, fd, b"x" * size, at))
            os.close(fd)
            fds[name] = open_new(name)
        else:
            other = chance.choice(names)
            if other != name:
                os.rename(name, other)
                os.close(fds[other])
                fds[other] = fd
                fds[name] = open_new(name)
        told.append([os.fstat(fd).st_size for fd in fds.values()])
    return [*told, [os.pread(fd, 1 << 20, 0) for fd in fds.values()]]


_ON_A_SMALL_DISK = """
import os, pickle, sys
sys.path[:0] = sys.argv[3].split(os.pathsep)
os.chdir(sys.argv[1])
import test_inject_full as test
sys.stdout.buffer.write(pickle.dumps(test.some_calls(int(sys.argv[2]))))
"""


@pytest.mark.parametrize("seed", range(3))
def test_programs_meet_what_they_meet_on_a_disk_that_is_full(
    injected: Injected, tmp_path: Path, seed: int
) -> None:
    # A tmpfs of 256 KiB. It allocates pages as ext4 does blocks, but its fallocate takes back what
    # it got, so that one is tried elsewhere.
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=256K none {disk} && exec "$@"'
    where = os.pathsep.join(path for path in sys.path if path)
    words = [sys.executable, "-c", _ON_A_SMALL_DISK, str(disk), str(seed), where]
    small = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *words],
        stdout=subprocess.PIPE, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    mount = injected("all:full=256K")
    told = act(mount.mountpoint, some_calls, seed)
    real = pickle.loads(small.stdout)
    assert told[:-1] == real[:-1]
    assert told[-1] == real[-1]
    assert "ENOSPC" in told


def full_of_one() -> Any:
    """Fill the disk but for nothing, and say what still works."""
    os.mkdir("before")
    a, holes = open_new("a"), open_new("holes")
    told: list[Any] = [os.write(a, b"a" * 100)]
    os.ftruncate(holes, 8 * BLOCK)
    told += [os.pwrite(holes, b"h" * BLOCK, 0), filled(b"f" * BLOCK)[-2:]]
    told += [os.pwrite(a, b"b" * 3996, 100), outcome(os.write, a, b"")]
    told += [outcome(os.pwrite, a, b"c", BLOCK), outcome(os.pwrite, holes, b"x", BLOCK)]
    told += [os.pwrite(holes, b"y" * 2 * BLOCK, 0)]
    os.ftruncate(a, 64 * BLOCK)
    told += [os.fstat(a).st_size]
    os.close(open_new("new"))
    told += [outcome(os.mkdir, "d"), outcome(os.symlink, "t", "short")]
    told += [outcome(os.symlink, "t" * 60, "long"), outcome(os.link, "new", "new2")]
    told += [outcome(os.rename, "new2", "before/new3"), outcome(os.fsync, a)]
    return told


def test_what_a_full_ext4_still_does(injected: Injected) -> None:
    # As measured on ext4, see docs/development/kernel-and-pyfuse3-facts.md.
    mount = injected("all:full=64K")
    assert act(mount.mountpoint, full_of_one) == [
        100, BLOCK, ["ENOSPC", 13 * BLOCK], 3996, 0, "ENOSPC", "ENOSPC", BLOCK, 64 * BLOCK,
        "ENOSPC", None, "ENOSPC", None, None, None,
    ]  # fmt: skip


def preallocated() -> Any:
    fd = open_new("a")
    told: list[Any] = [
        outcome(allocate, fd, 0, 0, 4 * BLOCK),
        outcome(allocate, fd, 0, 0, 32 * BLOCK),
    ]
    told += [os.fstat(fd).st_size, os.lseek(fd, 0, os.SEEK_END)]
    # What was allocated can be written; nothing beyond can.
    told += [os.pwrite(fd, b"x" * 16 * BLOCK, 0), outcome(os.pwrite, fd, b"x", 16 * BLOCK)]
    os.ftruncate(fd, 0)
    return [*told, os.pwrite(fd, b"z" * 32 * BLOCK, 0)]


def test_an_allocation_that_fails_keeps_what_it_got(injected: Injected) -> None:
    mount = injected("all:full=64K")
    assert act(mount.mountpoint, preallocated) == [
        0, "ENOSPC", 16 * BLOCK, 16 * BLOCK, 16 * BLOCK, "ENOSPC", 16 * BLOCK,
    ]  # fmt: skip
    mount.end()
    kinds = [
        (event.errno, [one.kind for one in event.injected])
        for event in journal(mount.recording, events.Fallocate)
    ]
    assert kinds == [(0, []), (errno.ENOSPC, ["full"])]


def mapped() -> Any:
    fd = open_new("a")
    os.ftruncate(fd, 4 * BLOCK)
    told: list[Any] = [outcome(os.pwrite, fd, b"x" * BLOCK, 0)]
    with mmap.mmap(fd, 4 * BLOCK) as memory:
        memory[0:1] = b"y"
        told.append(outcome(memory.flush))
        memory[BLOCK : BLOCK + 1] = b"z"
        told += [outcome(memory.flush), outcome(os.fsync, fd)]
    return told


def test_a_store_into_a_hole_fails_when_it_is_synced(injected: Injected) -> None:
    mount = injected("write:full=4K")
    assert act(mount.mountpoint, mapped) == [BLOCK, None, "ENOSPC", None]
    mount.end()
    (event,) = [event for event in journal(mount.recording, events.Write) if event.errno]
    assert (event.cached, event.errno, event.offset) == (True, errno.ENOSPC, BLOCK)
    assert [one.kind for one in event.injected] == ["full"]


def by_direct() -> Any:
    memory = mmap.mmap(-1, 4 * BLOCK)
    fd = open_new("a", os.O_DIRECT)
    return [outcome(os.write, fd, memory), outcome(os.write, fd, memory), os.fstat(fd).st_size]


def test_a_direct_write_is_short_too(injected: Injected) -> None:
    mount = injected("write:full=8K")
    assert act(mount.mountpoint, by_direct) == [2 * BLOCK, "ENOSPC", 2 * BLOCK]


def in_place(name: str) -> Any:
    fd = os.open(name, os.O_RDWR)
    told: list[Any] = [os.pwrite(fd, b"n" * 2 * BLOCK, 0), outcome(os.pwrite, fd, b"n", 8 * BLOCK)]
    os.close(fd)
    os.unlink(name)
    return [*told, filled(b"f" * 4 * BLOCK)]


def test_files_that_were_there_have_their_space_and_give_it_back(injected: Injected) -> None:
    mount = injected("write:full=0")
    (mount.source / "old").write_bytes(b"o" * 2 * BLOCK)
    assert act(mount.mountpoint, in_place, "old") == [
        2 * BLOCK, "ENOSPC", [2 * BLOCK, "ENOSPC", 2 * BLOCK],
    ]  # fmt: skip


def elsewhere() -> Any:
    return [outcome(os.pwrite, open_new(name), b"x", 0) for name in ("a.db", "a.log")]


def test_only_the_files_that_are_meant_are_on_the_disk(injected: Injected) -> None:
    mount = injected("write(*.db):full=0")
    assert act(mount.mountpoint, elsewhere) == ["ENOSPC", 1]


def parts() -> Any:
    """One call in many requests: unaligned, and above a mebibyte."""
    fd = open_new("a")
    return [outcome(os.pwrite, fd, b"x" * (4 << 20), 100), outcome(os.pwrite, fd, b"x", 3 << 20),
            os.fstat(fd).st_size]  # fmt: skip


def test_a_call_in_many_requests_ends_where_the_disk_does(injected: Injected) -> None:
    mount = injected("write:full=3M")
    assert act(mount.mountpoint, parts) == [(3 << 20) - 100, "ENOSPC", 3 << 20]
    mount.end()
    assert [(call.result, call.errno) for call in calls(mount.recording, "write")] == [
        ((3 << 20) - 100, 0), (None, errno.ENOSPC),
    ]  # fmt: skip
