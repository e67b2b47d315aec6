"""Contents: holes, mappings, copies, and the limits of size and space."""

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import select
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mounted_support import NOBODY, Guard, Mount, Pair, act, facts, get, outcome, put

GIB = 1 << 30


def holes() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, b"at 1 MiB", 1 << 20)
    os.pwrite(fd, b"x" * 10, 5000)
    os.fsync(fd)
    before = facts(fd)
    os.ftruncate(fd, 3 << 20)
    return before["blocks"] < 200, os.fstat(fd).st_size, get("f").strip(b"\0")[:11]


def test_holes_stay_holes(pair: Pair) -> None:
    assert pair.same(holes) == (True, 3 << 20, b"x" * 10 + b"\0")


def seek_data() -> Any:
    put("f", b"x" * 4096)
    os.truncate("f", 1 << 20)
    fd = os.open("f", os.O_RDONLY)
    os.fsync(fd)
    return (
        os.lseek(fd, 0, os.SEEK_DATA),
        os.lseek(fd, 0, os.SEEK_HOLE),
        outcome(os.lseek, fd, 8192, os.SEEK_DATA),
        outcome(os.lseek, fd, 1 << 21, os.SEEK_DATA),
    )


def test_holes_are_not_found_by_seeking(pair: Pair) -> None:
    # pyfuse3 has no handler for LSEEK: the whole file counts as data (lseek(2)).
    traced, bare = pair.differ(seek_data)
    assert traced == (0, 1 << 20, 8192, "ENXIO")
    assert traced[3] == bare[3]


def far_away() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    ends = []
    for at in (2 * GIB - 2, 4 * GIB - 3, 4 * GIB + 5, 100 * GIB):
        os.pwrite(fd, b"edge!", at)
        ends.append((os.fstat(fd).st_size, os.pread(fd, 10, at - 2)))
    os.truncate("f", 5 * GIB)
    os.lseek(fd, -3, os.SEEK_END)
    return (
        ends,
        os.read(fd, 10),
        os.pread(fd, 5, 4 * GIB - 3),
        outcome(os.pwrite, fd, b"x", 1 << 62),
    )


def test_offsets_beyond_four_gib(pair: Pair) -> None:
    *_, too_far = pair.same(far_away)
    assert too_far == "EFBIG"


def size_limit() -> Any:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    return (
        os.pwrite(fd, b"x" * 8192, 5000),
        outcome(os.pwrite, fd, b"x", 10_000),
        outcome(os.ftruncate, fd, 10_001),
        os.fstat(fd).st_size,
    )


def test_the_file_size_limit(pair: Pair) -> None:
    assert pair.same(size_limit) == (5000, "EFBIG", "EFBIG", 10_000)


def mappings() -> Any:
    put("f", b"a" * 10_000)
    fd = os.open("f", os.O_RDWR)
    shared = mmap.mmap(fd, 10_000)
    private = mmap.mmap(fd, 10_000, flags=mmap.MAP_PRIVATE)
    shared[0:4] = b"SHAR"
    private[100:104] = b"PRIV"
    os.pwrite(fd, b"written", 200)
    seen = [shared[198:210], private[98:106], os.pread(fd, 8, 0), shared[9_998:]]
    shared.flush()
    shared[5000:5006] = b"unsync"
    shared.close()  # without msync
    os.close(fd)
    with open("f", "rb") as file:
        reading = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    return seen, reading[5000:5010], get("f")


def test_mappings(pair: Pair) -> None:
    seen, _, data = pair.same(mappings)
    assert seen[:3] == [b"aawrittenaaa", b"aaPRIVaa", b"SHARaaaa"]
    assert data[5000:5006] == b"unsync"
    assert (pair.backing / "f").read_bytes() == data


def mapping_after_close() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 8192)
    memory = mmap.mmap(fd, 8192)
    os.close(fd)
    os.unlink("f")
    memory[4096:4100] = b"late"
    memory.flush()
    return memory[4090:4102], os.listdir()


def test_a_mapping_outlives_descriptor_and_name(pair: Pair) -> None:
    assert pair.same(mapping_after_close)[1] == []


def beyond_the_end() -> Any:
    put("f", b"x" * 4097)
    if (child := os.fork()) == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        fd = os.open("f", os.O_RDWR)
        memory = mmap.mmap(fd, 4097)
        os.ftruncate(fd, 4096)
        print(memory[4096])
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status)


def test_a_mapping_ends_with_the_file(pair: Pair) -> None:
    assert pair.same(beyond_the_end) == signal.SIGBUS


def shared_between_processes() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 4096)
    memory = mmap.mmap(fd, 4096)
    if (child := os.fork()) == 0:
        memory[0:5] = b"child"
        os._exit(0)
    os.waitpid(child, 0)
    return memory[0:5], os.pread(fd, 5, 0)


def test_a_mapping_is_shared_between_processes(pair: Pair) -> None:
    assert pair.same(shared_between_processes) == (b"child", b"child")


def copies() -> Any:
    put("from", bytes(range(256)) * 1000)
    source = os.open("from", os.O_RDONLY)
    target = os.open("to", os.O_RDWR | os.O_CREAT, 0o600)
    counts: list[int | str] = [os.copy_file_range(source, target, 100_000, 50, 7)]
    counts.append(os.sendfile(target, source, 1000, 5000))
    reading, writing = os.pipe()
    counts.append(os.splice(source, writing, 4000, 9000))
    counts.append(os.splice(reading, target, 4000, None, 200_000))
    counts.append(outcome(os.copy_file_range, source, source, 10, 0, 5))
    return counts, get("to")


def test_copies_made_by_the_kernel(pair: Pair) -> None:
    counts, _ = pair.same(copies)
    assert counts[1:4] == [5000, 4000, 4000]


def clone() -> Any:
    put("from", b"x" * 4096)
    source, target = os.open("from", os.O_RDONLY), os.open("to", os.O_WRONLY | os.O_CREAT)
    return outcome(fcntl.ioctl, target, 0x40049409, source)  # FICLONE


def test_cloning_is_refused(pair: Pair) -> None:
    assert act(pair.traced, clone) == "ENOTSUP"


def preallocation() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, b"kept", 4000)
    os.posix_fallocate(fd, 0, 100_000)
    libc = ctypes.CDLL(None, use_errno=True)
    os.pwrite(fd, b"zeroed", 20_000)
    os.pwrite(fd, b"punched" * 2000, 40_000)
    results: list[Any] = [os.fstat(fd).st_size]
    for mode, offset, length in (
        (1, 90_000, 50_000),  # FALLOC_FL_KEEP_SIZE
        (3, 40_960, 8192),  # and FALLOC_FL_PUNCH_HOLE
        (0x10, 20_000, 3),  # FALLOC_FL_ZERO_RANGE
        (0x11, 99_000, 9000),
        (0, 100_000, 2 << 20),
        (0, 0, 0),
        (0, 0, 2**62),
        (2, 0, 4096),
    ):
        done = libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length))
        why = errno.errorcode[ctypes.get_errno()] if done else ""
        # In megabytes: what the filesystem needs for itself depends on where it finds room.
        results.append((done, why, os.fstat(fd).st_size, facts(fd)["blocks"] // 2048))
    reading = os.open("f", os.O_RDONLY)
    refused = outcome(os.posix_fallocate, reading, 0, 10)
    return results, refused, get("f")


def test_preallocation(pair: Pair) -> None:
    results, refused, _ = pair.same(preallocation)
    assert [done for done, *_ in results[1:6]] == [0] * 5
    assert refused == "EBADF"


def waiting() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    poller = select.poll()
    poller.register(fd, select.POLLIN | select.POLLOUT | select.POLLPRI)
    events = [event for _, event in poller.poll(0)]
    ready = [len(part) for part in select.select([fd], [fd], [fd], 0)]
    return events, ready, outcome(fcntl.ioctl, fd, 0x5401, bytes(64))


def test_waiting_for_a_file(pair: Pair) -> None:
    assert pair.same(waiting) == ([select.POLLIN | select.POLLOUT], [1, 1, 0], "ENOTTY")


def epoll() -> Any:
    put("f")
    return outcome(select.epoll().register, os.open("f", os.O_RDONLY))


def test_epoll_takes_a_file(pair: Pair) -> None:
    # Every FUSE file has a poll method (fs/fuse/file.c), so epoll_ctl(2) has no cause for EPERM.
    assert pair.differ(epoll) == (None, "EPERM")


GETFLAGS, SETFLAGS, NODUMP, IMMUTABLE = 0x80086601, 0x40086602, 0x40, 0x10


def set_flags(fd: int, flags: int) -> Any:
    return outcome(fcntl.ioctl, fd, SETFLAGS, flags.to_bytes(8, "little"))


def inode_flags() -> Any:
    os.mkdir("d")
    results: list[Any] = []
    for name in ("f", "d"):
        if name == "f":
            put(name)
        fd = os.open(name, os.O_RDONLY)
        results += [
            outcome(fcntl.ioctl, fd, GETFLAGS, bytes(8)),
            set_flags(fd, NODUMP),
            outcome(fcntl.ioctl, fd, GETFLAGS, bytes(8)),
            set_flags(fd, IMMUTABLE),
            outcome(os.open, name + "/x" if name == "d" else name, os.O_WRONLY | os.O_CREAT),
            outcome(os.unlink, "f"),
            set_flags(fd, 0),
            outcome(fcntl.ioctl, fd, 0x801C581F, bytes(28)),  # FS_IOC_FSGETXATTR
        ]
    return results


@pytest.mark.parametrize("user", [None, NOBODY])
def test_inode_flags(pair: Pair, user: int | None, as_root: None) -> None:
    pair.same(inode_flags, user=user)


def other_commands() -> Any:
    put("f")
    return outcome(fcntl.ioctl, os.open("f", os.O_RDONLY), 0x80087601, bytes(8))


def test_other_ioctls_are_not_passed_on(pair: Pair) -> None:
    # A server that is root would do for anybody what only root may (tracefs/capture/fileattr.py).
    assert act(pair.traced, other_commands) == "ENOTTY"


def advice() -> Any:
    put("f", b"x" * 100_000)
    fd = os.open("f", os.O_RDWR)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    first = os.pread(fd, 10, 50_000)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return first, len(os.read(fd, 200_000)), len(os.preadv(fd, [bytearray(1)] * 3, 0).__repr__())


def test_reading_after_the_cache_was_dropped(pair: Pair) -> None:
    assert pair.same(advice)[:2] == (b"x" * 10, 100_000)


def test_a_change_past_the_mount_is_seen_by_the_next_open(pair: Pair) -> None:
    (pair.backing / "f").write_bytes(b"before")
    assert act(pair.traced, get, "f") == b"before"
    before = os.stat(pair.backing / "f")
    (pair.backing / "f").write_bytes(b"AFTER.")
    # The kernel drops its pages where size or time has changed; here neither shows.
    os.utime(pair.backing / "f", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert act(pair.traced, get, "f") == b"AFTER."


def big_writes() -> Any:
    data = os.urandom(1 << 16) * 50 + b"odd"
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    written = os.pwrite(fd, data, 12_345)
    direct = os.pread(fd, len(data) + 10, 12_345)
    vector = os.pwritev(fd, [data[:100_000]] * 20, 1)
    return written, direct == data, vector, os.fstat(fd).st_size


def test_writes_of_megabytes(pair: Pair) -> None:
    assert pair.same(big_writes)[:2] == ((50 << 16) + 3, True)


def fill_up(most: int) -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    written: list[int | str] = []
    while isinstance(got := outcome(os.write, fd, b"x" * 300_000), int) and len(written) < most:
        written.append(got)
    size = os.fstat(fd).st_size
    others = outcome(os.pwrite, fd, b"y" * 4096, 50 << 20), outcome(os.fsync, fd)
    whole = get("f") == b"x" * size
    os.ftruncate(fd, 4096)
    again = outcome(os.pwrite, fd, b"z" * 4096, 4096)
    return written, got, size, others, whole, again


@pytest.fixture
def small(tmp_path: Path, as_root: None) -> Any:
    """A source that holds a megabyte, and an equal directory."""
    for name in ("src", "bare"):
        (tmp_path / name).mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=30)
    yield tmp_path
    for name in ("src", "bare"):
        subprocess.run(["umount", str(tmp_path / name)], check=True, timeout=30)


def test_a_full_disk(small: Path, guard: Guard) -> None:
    (small / "mnt").mkdir()
    mount = Mount(small / "src", small / "mnt", small / "rec", guard)
    try:
        written, error, size, others, whole, again = act(small / "mnt", fill_up, 10)
        assert (error, others, whole, again) == ("ENOSPC", ("ENOSPC", None), True, 4096)
        assert sum(written) == size == 1 << 20
    finally:
        mount.end()
    assert act(small / "bare", fill_up, 10)[1:] == (error, size, others, whole, again)
