"""Attributes: mode, owner, size, times, in every form that a program can change them."""

import ctypes
import os
import stat
import struct
import time
from typing import Any

import pytest
from mounted_support import NOBODY, Pair, act, facts, get, outcome, put

UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
CLOCK_REALTIME_COARSE = 5
AT_FDCWD, AT_SYMLINK_NOFOLLOW = -100, 0x100


def utimens(of: str | int, atime: int, mtime: int, *, follow: bool = True) -> None:
    """utimensat(2), futimens(3): a time is nanoseconds of second 7, or UTIME_NOW, UTIME_OMIT."""
    libc = ctypes.CDLL(None, use_errno=True)
    times = struct.pack("=qqqq", 7, atime, 7, mtime)
    if isinstance(of, int):
        failed = libc.futimens(of, times)
    else:
        failed = libc.utimensat(AT_FDCWD, of.encode(), times, 0 if follow else AT_SYMLINK_NOFOLLOW)
    if failed:
        raise OSError(ctypes.get_errno(), "utimensat")


def times_of(of: str | int) -> tuple[Any, ...]:
    """Both times; a recent one is only said to be so, and whether they are equal."""
    info = os.stat(of) if isinstance(of, int) else os.stat(of, follow_symlinks=False)
    recent = time.time_ns() - 60_000_000_000
    both = info.st_atime_ns, info.st_mtime_ns
    return *("now" if at > recent else at for at in both), both[0] == both[1]


def modes() -> Any:
    put("f")
    os.mkdir("d")
    os.symlink("f", "s")
    fd = os.open("f", os.O_RDONLY)
    seen = []
    for mode in (0o600, 0o7777, 0, 0o1644, 0o2755):
        os.chmod("f", mode)
        os.chmod("d", mode)
        seen += [facts("f"), facts("d")]
        os.fchmod(fd, mode ^ 0o111)
        seen.append(facts("f"))
    os.chmod("s", 0o640)
    return seen, facts("f"), facts("s"), outcome(os.chmod, "none", 0o600)


def test_modes(pair: Pair) -> None:
    *_, missing = pair.same(modes)
    assert missing == "ENOENT"


def owners() -> Any:
    put("f")
    os.mkdir("d")
    os.symlink("f", "s")
    fd = os.open("f", os.O_RDWR)
    os.chown("f", 1, 2)
    os.chown("f", -1, 3)
    seen = [facts("f")]
    os.fchown(fd, 4, -1)
    os.chown("d", 5, 6)
    os.chown("s", 7, 8)
    seen += [facts("f"), facts("d"), facts("s")]
    os.lchown("s", 9, 10)
    os.unlink("f")
    os.fchown(fd, 11, 12)
    return [*seen, facts("s"), facts(fd)]


def test_owners(pair: Pair, as_root: None) -> None:
    ids = [(seen["uid"], seen["gid"]) for seen in pair.same(owners)]
    assert ids == [(1, 3), (7, 8), (5, 6), (0, 0), (9, 10), (11, 12)]


def owners_as_somebody() -> Any:
    put("f")
    return [
        outcome(os.chown, "f", 0, -1),
        outcome(os.chown, "f", NOBODY, NOBODY),
        outcome(os.chown, "f", -1, 0),
        outcome(os.chown, "f", -1, NOBODY),
        outcome(os.chmod, ".", 0o700),
        outcome(os.utime, "."),
        outcome(os.utime, ".", (1, 1)),
        outcome(os.chmod, "f", 0o2755),
        facts("f"),
    ]


def test_owners_for_somebody_who_is_not_root(pair: Pair, as_root: None) -> None:
    results = pair.same(owners_as_somebody, user=NOBODY)
    assert results[:4] == ["EPERM", None, "EPERM", None]
    assert results[4:7] == ["EPERM", None, "EPERM"]


def sizes() -> Any:
    put("f", b"0123456789" * 1000)
    fd = os.open("f", os.O_RDWR)
    reading = os.open("f", os.O_RDONLY)
    seen: list[Any] = []
    for size in (5000, 4096, 4095, 9000, 1, 0, 100):
        os.truncate("f", size)
        seen += [os.stat("f").st_size, os.pread(reading, 20000, 0)]
        os.ftruncate(fd, size + 7)
        seen += [os.fstat(reading).st_size, os.pread(reading, 20000, 0)]
    os.chmod("f", 0o400)
    os.ftruncate(fd, 3)
    return (
        seen,
        get("f"),
        outcome(os.truncate, "f", -1),
        outcome(os.truncate, ".", 1),
        outcome(os.truncate, "none", 1),
        facts("f"),
    )


def test_sizes(pair: Pair) -> None:
    _, data, *errors, _ = pair.same(sizes)
    assert (data, errors) == (bytes(3), ["EINVAL", "EISDIR", "ENOENT"])


def times() -> Any:
    put("f")
    os.mkdir("d")
    os.symlink("f", "s")
    fd = os.open("f", os.O_RDWR)
    seen = []
    for name in ("f", "d"):
        os.utime(name, ns=(1_234_567_890_123_456_789, 987_654_321_000_000_001))
        seen.append(times_of(name))
        os.utime(name, ns=(-1_500_000_000, 2_500_000_000_000_000_003))
        seen.append(times_of(name))
    for atime, mtime in [
        (5, UTIME_OMIT),
        (UTIME_OMIT, 6),
        (UTIME_OMIT, UTIME_OMIT),
        (UTIME_NOW, UTIME_OMIT),
        (8, UTIME_NOW),
        (UTIME_NOW, UTIME_NOW),
        (999_999_999, 0),
    ]:
        utimens("f", atime, mtime)
        seen.append(times_of("f"))
        utimens(fd, mtime, atime)
        seen.append(times_of(fd))
        utimens("s", atime, mtime, follow=False)
        seen += [times_of("s"), times_of("f")]
    return seen, outcome(utimens, "f", 1 << 31, 0)


def test_times_to_the_nanosecond(pair: Pair) -> None:
    seen, bad = pair.same(times)
    assert seen[0] == (1_234_567_890_123_456_789, 987_654_321_000_000_001, False)
    assert bad == "EINVAL"


def times_by_a_writer() -> Any:
    results = [
        outcome(utimens, "f", UTIME_NOW, UTIME_NOW),
        times_of("f"),
        outcome(utimens, "f", UTIME_NOW, UTIME_OMIT),
        outcome(utimens, "f", 1, 1),
        outcome(utimens, "f", UTIME_OMIT, UTIME_OMIT),
    ]
    return [*results, outcome(utimens, "r", UTIME_NOW, UTIME_NOW)]


def test_times_by_a_writer_who_is_no_owner(pair: Pair, as_root: None) -> None:
    for place in (pair.bare, pair.backing):
        for name, mode in (("f", 0o666), ("r", 0o644)):
            (place / name).touch()
            (place / name).chmod(mode)
            os.utime(place / name, ns=(1, 2))
    results = pair.same(times_by_a_writer, user=NOBODY)
    assert results == [None, ("now", "now", True), "EPERM", "EPERM", None, "EACCES"]


def clock_reading(of: str) -> dict[str, int]:
    info = os.stat(of)
    return {"m": info.st_mtime_ns, "c": info.st_ctime_ns}


def what_moves_times() -> Any:
    os.mkdir("d")
    put("d/f", b"data")
    put("d/g", b"data")
    fd = os.open("d/f", os.O_RDWR)
    seen = []
    for action in (
        lambda: os.pwrite(fd, b"x", 0),
        lambda: os.ftruncate(fd, 4),
        lambda: os.ftruncate(fd, 2),
        lambda: os.truncate("d/f", 2),
        lambda: os.chmod("d/f", 0o600),
        lambda: os.pread(fd, 1, 0),
        lambda: os.link("d/f", "d/h"),
        lambda: os.rename("d/g", "d/i"),
        lambda: os.unlink("d/h"),
        lambda: os.mkdir("d/j"),
        lambda: os.pwrite(fd, b"", 0),
        lambda: os.close(os.open("d/f", os.O_WRONLY | os.O_TRUNC)),
    ):
        for name in ("d/f", "d"):
            os.utime(name, ns=(1, 2))
        marks = clock_reading("d/f"), clock_reading("d")
        while time.clock_gettime_ns(CLOCK_REALTIME_COARSE) <= max(m["c"] for m in marks):
            os.sched_yield()  # until the clock that the kernel stamps with has moved
        action()
        now = clock_reading("d/f"), clock_reading("d")
        seen.append(
            [
                [a != b for a, b in zip(m.values(), n.values(), strict=True)]
                for m, n in zip(marks, now, strict=True)
            ]
        )
    return seen


def test_what_moves_times(pair: Pair) -> None:
    assert pair.same(what_moves_times)[0] == [[True, True], [False, False]]


def reading() -> Any:
    put("f", b"data")
    os.utime("f", ns=(1, 2))
    before = os.stat("f").st_atime_ns
    cached = os.open("f", os.O_RDONLY)
    os.posix_fadvise(cached, 0, 0, os.POSIX_FADV_WILLNEED)
    os.read(cached, 4)
    first = os.stat("f").st_atime_ns
    os.utime("f", ns=(1, 2))
    os.pread(cached, 4, 0)
    return before, first != before, os.stat("f").st_atime_ns != 1


def test_reading_from_the_cache_leaves_the_access_time(pair: Pair) -> None:
    # The kernel keeps no access times for FUSE; the source's move when pages are fetched.
    *_, moved = act(pair.traced, reading)
    assert not moved


def blocks() -> Any:
    put("f", b"x" * 100_000)
    fd = os.open("f", os.O_RDWR)
    os.fsync(fd)
    seen = [facts("f")]
    os.pwrite(fd, b"y", 10_000_000)
    os.fsync(fd)
    seen.append(facts("f"))
    os.ftruncate(fd, 4096)
    os.fsync(fd)
    return [*seen, facts(fd), facts("."), os.statvfs(fd).f_bsize]


def test_block_size_and_blocks(pair: Pair) -> None:
    first, second, *_ = pair.same(blocks)
    assert 0 < first["blocks"] < second["blocks"] < 10_000_000 // 512


def directories_links() -> Any:
    os.makedirs("a/b")
    os.makedirs("a/c")
    put("a/f")
    seen = [facts("a"), facts("a/b"), facts(".")]
    os.rmdir("a/b")
    os.rename("a/c", "c")
    return seen, facts("a"), facts("c"), facts("c/.."), stat.S_ISDIR(os.stat("c").st_mode)


def test_directories_count_their_own(pair: Pair) -> None:
    assert pair.same(directories_links)[1]["nlink"] == 2


@pytest.mark.parametrize("user", [None, NOBODY])
def test_attributes_after_each_kind_of_file(pair: Pair, user: int | None, as_root: None) -> None:
    pair.same(every_kind, user=user)


def every_kind() -> Any:
    put("f")
    os.mkdir("d")
    os.symlink("x", "s")
    os.mkfifo("p")
    os.link("f", "l")
    return [facts(name) for name in "fdspl"]
