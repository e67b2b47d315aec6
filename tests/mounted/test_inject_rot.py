"""Bits that a rule lets rot: what is read is wrong, what is on the disk is not."""

import mmap
import os
from typing import Any

from injecting import Injected
from mounted_support import act, journal

from tracefs import events

PAGE = 4096
DATA = bytes(range(256)) * 64 + b"tail"


def wrong_bits(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def read_again(name: str) -> list[bytes]:
    """Read a file whole, in pieces, after the cache was dropped, and through a mapping."""
    got = []
    for step in (1 << 20, 1000, PAGE):
        fd = os.open(name, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        pieces = []
        while piece := os.read(fd, step):
            pieces.append(piece)
        got.append(b"".join(pieces))
    with mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        got.append(memory[:])
    return got


def test_the_same_bits_are_wrong_at_each_reading(injected: Injected) -> None:
    mount = injected("read(f):rot=2:seed=5")
    for name in ("f", "other"):
        (mount.source / name).write_bytes(DATA)
    one, *others = act(mount.mountpoint, read_again, "f")
    assert [wrong_bits(one[at : at + PAGE], DATA[at : at + PAGE])
            for at in range(0, len(DATA), PAGE)] == [2] * 5  # fmt: skip
    assert others == [one] * 3
    assert set(act(mount.mountpoint, read_again, "other")) == {DATA}
    assert (mount.source / "f").read_bytes() == DATA
    mount.end()
    kinds = {one.kind for event in journal(mount.recording, events.Read) for one in event.injected}
    assert kinds == {"rot"}


def test_two_mounts_with_one_seed_rot_alike(injected: Injected) -> None:
    got = []
    for number, seed in enumerate((5, 5, 6)):
        mount = injected(f"read:rot=1:seed={seed}", below=f"m{number}")
        # An inode number of its own, each time.
        (mount.source / f"other{number}").touch()
        (mount.source / "f").write_bytes(DATA)
        got.append(act(mount.mountpoint, read_again, "f")[0])
    assert got[0] == got[1] != got[2]


def rewritten(name: str) -> Any:
    """Write pages, and read them twice."""
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    for at in range(0, 4 * PAGE, PAGE):
        os.pwrite(fd, DATA[at : at + PAGE], at)
    return [os.pread(fd, 4 * PAGE, 0) for _ in range(2)]


def test_who_wrote_it_reads_it_wrong_too(injected: Injected) -> None:
    # A write changes mtime, and with that the kernel drops what it has in its cache
    # (FUSE_AUTO_INVAL_DATA, fuse_change_attributes in fs/fuse/inode.c). What was read stays there.
    mount = injected("read:rot=1")
    one, other = act(mount.mountpoint, rewritten, "f")
    assert wrong_bits(one, DATA[: 4 * PAGE]) == 4
    assert other == one
    mount.end()
    assert len(journal(mount.recording, events.Read)) == 1


def test_reads_past_the_cache_rot_too(injected: Injected) -> None:
    mount = injected("read:rot=3", options=["--direct-io"])
    (mount.source / "f").write_bytes(DATA)
    one, *others = act(mount.mountpoint, read_twice, "f")
    assert wrong_bits(one, DATA) == 15
    assert others == [one]


def read_twice(name: str) -> list[bytes]:
    fd = os.open(name, os.O_RDONLY)
    whole = os.pread(fd, 1 << 20, 0)
    return [whole, b"".join(os.pread(fd, 100, at) for at in range(0, len(DATA), 100))]
