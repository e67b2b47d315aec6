"""Opening: each open has its own access mode, flags and position."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mounted_support import NOBODY, Pair, act, facts, get, outcome, put


def access_modes() -> Any:
    put("f", b"0123456789")
    reading = os.open("f", os.O_RDONLY)
    first = os.read(reading, 4)
    both = os.open("f", os.O_RDWR)
    writing = os.open("f", os.O_WRONLY)
    return [
        first,
        outcome(os.pwrite, reading, b"x", 0),
        os.pwrite(both, b"AB", 0),
        os.pwrite(writing, b"CD", 2),
        outcome(os.pread, writing, 1, 0),
        os.pread(both, 10, 0),
        os.read(reading, 10),
        outcome(os.ftruncate, reading, 1),
    ]


def test_each_open_has_its_own_access_mode(pair: Pair) -> None:
    _, read_only, _, _, write_only, *_ = pair.same(access_modes)
    assert (read_only, write_only) == ("EBADF", "EBADF")


def write_only_parts() -> Any:
    put("f", b"a" * 10000)
    os.chmod("f", 0o200)
    fd = os.open("f", os.O_WRONLY)
    os.pwrite(fd, b"b" * 100, 4090)
    os.pwrite(fd, b"c" * 10, 9995)
    os.close(fd)
    os.chmod("f", 0o600)
    return get("f")


@pytest.mark.parametrize("user", [None, NOBODY])
def test_parts_of_pages_through_a_descriptor_that_only_writes(
    pair: Pair, user: int | None, as_root: None
) -> None:
    assert len(pair.same(write_only_parts, user=user)) == 10005


def appending() -> Any:
    put("f", b"-")
    first = os.open("f", os.O_WRONLY | os.O_APPEND)
    second = os.open("f", os.O_RDWR | os.O_APPEND)
    other = os.open("f", os.O_RDWR)
    os.write(first, b"1")
    os.write(second, b"2")
    os.write(first, b"3")
    os.pwrite(other, b"=", 0)
    os.pwrite(second, b"end", 0)  # pwrite(2), BUGS: appends
    where = os.lseek(second, 0, os.SEEK_CUR)
    os.ftruncate(other, 2)
    os.write(first, b"last")
    return where, get("f")


def test_appending_from_two_descriptors(pair: Pair) -> None:
    assert pair.same(appending) == (3, b"=1last")


def elsewhere_than_at_the_end() -> Any:
    put("f", b"x" * 4096)
    fd = os.open("f", os.O_RDWR | os.O_APPEND)
    with mmap.mmap(fd, 4096) as memory:
        memory[0:6] = b"stored"
        memory.flush()
    fcntl.fcntl(fd, fcntl.F_SETFL, 0)
    os.pwrite(fd, b"written", 100)
    return get("f")


def test_an_appending_open_may_also_write_elsewhere(pair: Pair) -> None:
    data = pair.same(elsewhere_than_at_the_end)
    assert (len(data), data[:6], data[100:107]) == (4096, b"stored", b"written")


def append_in_turns(times: int) -> Any:
    children = []
    for name in b"ab":
        if (child := os.fork()) == 0:
            fd = os.open("f", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for _ in range(times):
                os.write(fd, bytes([name]) * 100)
            os._exit(0)
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    lines = get("f")
    whole = all(len(set(lines[at : at + 100])) == 1 for at in range(0, len(lines), 100))
    return statuses, len(lines), lines.count(b"a"), whole


def test_two_processes_append_without_loss(pair: Pair) -> None:
    assert pair.same(append_in_turns, 200) == ([0, 0], 40000, 20000, True)


def direct() -> Any:
    buffer = mmap.mmap(-1, 8192)
    buffer.write(b"d" * 8192)
    fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    written = os.pwritev(fd, [buffer], 4096)
    target = mmap.mmap(-1, 4096)
    read = os.preadv(fd, [target], 8192)
    return written, read, target[:] == b"d" * 4096, os.fstat(fd).st_size, get("f")[:4096]


def test_direct_opens(pair: Pair) -> None:
    assert pair.same(direct) == (8192, 4096, True, 12288, bytes(4096))


def unaligned_direct() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    return outcome(os.pwrite, fd, b"odd", 1)


def test_direct_opens_need_no_alignment(pair: Pair) -> None:
    assert act(pair.traced, unaligned_direct) == 3


def flags_of_descriptors() -> Any:
    seen: list[int | None] = []
    for flags in (os.O_APPEND, os.O_DIRECT, os.O_SYNC, os.O_DSYNC, os.O_NONBLOCK, os.O_NOATIME):
        fd = os.open("f", os.O_RDWR | os.O_CREAT | flags, 0o600)
        seen.append(fcntl.fcntl(fd, fcntl.F_GETFL))
        written = os.write(fd, b"x") if flags != os.O_DIRECT else None
        seen.append(written)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    os.write(fd, b"at the end")
    return seen, get("f")


def test_flags_stay_on_the_descriptor(pair: Pair) -> None:
    assert pair.same(flags_of_descriptors)[1] == b"xat the end"


def creation() -> Any:
    put("f", b"kept")
    kept = os.open("f", os.O_RDWR | os.O_CREAT, 0o777)
    modes = [facts("f")]
    results = [
        os.pread(kept, 10, 0),
        outcome(os.open, "f", os.O_CREAT | os.O_EXCL | os.O_RDWR),
        outcome(os.open, "none", os.O_RDWR),
        outcome(os.open, ".", os.O_RDWR),
        outcome(os.open, ".", os.O_RDONLY | os.O_CREAT),
        outcome(os.open, "f/x", os.O_CREAT | os.O_RDWR),
        outcome(os.open, "f", os.O_RDONLY | os.O_DIRECTORY),
    ]
    for mask, mode in [(0o022, 0o666), (0o077, 0o777), (0o777, 0o777), (0, 0o4777), (0, 0)]:
        os.umask(mask)
        name = f"{mask:o}-{mode:o}"
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        os.write(fd, b"whatever the mode")
        modes.append(facts(name))
        os.mkdir(f"d{name}", mode)
        modes.append(facts(f"d{name}"))
        os.mknod(f"n{name}", mode)
        modes.append(facts(f"n{name}"))
    return results, modes


@pytest.mark.parametrize("user", [None, NOBODY])
def test_creation_honours_mode_umask_and_flags(pair: Pair, user: int | None, as_root: None) -> None:
    results, _ = pair.same(creation, user=user)
    assert results[:4] == [b"kept", "EEXIST", "ENOENT", "EISDIR"]


def truncating() -> Any:
    put("f", b"x" * 5000)
    old = os.open("f", os.O_RDWR)
    before = os.pread(old, 3, 4095)
    os.close(os.open("f", os.O_WRONLY | os.O_TRUNC))
    emptied = os.fstat(old).st_size, os.pread(old, 10, 0)
    os.pwrite(old, b"y", 10)
    put("g", b"z" * 5000)
    os.close(os.open("g", os.O_RDWR | os.O_CREAT | os.O_TRUNC))
    put("h", b"h")
    os.close(os.open("h", os.O_RDONLY | os.O_TRUNC))
    return before, emptied, get("f"), facts("g"), facts("h")


def test_opening_may_truncate(pair: Pair) -> None:
    before, emptied, after, *_ = pair.same(truncating)
    assert (before, emptied, after) == (b"xxx", (0, b""), bytes(10) + b"y")


def no_mode_at_all() -> Any:
    put("f", b"secret")
    reading = os.open("f", os.O_RDONLY)
    os.chmod("f", 0)
    return (
        os.read(reading, 10),
        outcome(os.open, "f", os.O_RDONLY),
        outcome(os.open, "f", os.O_WRONLY),
        outcome(os.truncate, "f", 0),
        os.access("f", os.R_OK),
        os.access("f", os.F_OK),
    )


def test_mode_nought(pair: Pair, as_root: None) -> None:
    assert pair.same(no_mode_at_all, user=NOBODY)[1:4] == ("EACCES", "EACCES", "EACCES")


def path_only() -> Any:
    put("f", b"data")
    os.symlink("f", "s")
    fd = os.open("f", os.O_PATH)
    link = os.open("s", os.O_PATH | os.O_NOFOLLOW)
    return (
        outcome(os.read, fd, 1),
        facts(fd),
        facts(link),
        os.readlink("", dir_fd=link),
        os.read(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY), 4),
    )


def test_descriptors_that_only_name(pair: Pair) -> None:
    assert pair.same(path_only)[0] == "EBADF"


def link_descriptor(fd: int, name: bytes) -> int:
    """linkat(2) of a descriptor; os.link follows no link without a directory descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, name, 0x400)
    return ctypes.get_errno() if done else 0


def temporary() -> Any:
    os.mkdir("d", 0o777)
    os.chmod("d", 0o2777)
    results: list[Any] = []
    for place, flags, mode in (
        (".", os.O_RDWR, 0o666), ("d", os.O_WRONLY, 0o6755), ("d", os.O_RDWR | os.O_EXCL, 0o600),
        (".", os.O_RDONLY, 0o600), ("missing", os.O_RDWR, 0o600),
    ):  # fmt: skip
        fd = outcome(os.open, place, os.O_TMPFILE | flags, mode)
        if isinstance(fd, str):
            results.append(fd)
            continue
        written = os.write(fd, b"nameless" * 1000)
        before = facts(fd)
        name = f"name{len(results)}".encode()
        linked = link_descriptor(fd, name)
        again = link_descriptor(fd, name + b"b")
        os.fchmod(fd, 0o640)
        os.close(os.dup(fd))
        named = None if linked else (get(name), facts(name))
        results.append((written, before, linked, again, named, facts(fd)))
        os.close(fd)
    return results, sorted(os.listdir()), os.listdir("d")


@pytest.mark.parametrize("user", [None, NOBODY])
def test_temporary_files(pair: Pair, user: int | None, as_root: None) -> None:
    results, names, _ = pair.same(temporary, user=user)
    assert names == ["d", "name0", "name0b", "name1", "name1b"]
    assert results[3:] == ["EINVAL", "ENOENT"]


def nameless_memory() -> Any:
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.ftruncate(fd, 8192)
    with mmap.mmap(fd, 8192) as memory:
        memory[5000:5005] = b"store"
    os.fsync(fd)
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    return os.pread(again, 5, 5000), os.fstat(again).st_nlink


def test_a_temporary_file_is_a_file(pair: Pair) -> None:
    assert pair.same(nameless_memory) == (b"store", 0)


def offset_forms() -> Any:
    put("f", bytes(range(100)))
    fd = os.open("f", os.O_RDWR)
    duplicate = os.dup(fd)
    results = [
        os.lseek(fd, 10, os.SEEK_SET),
        os.read(duplicate, 2),
        os.lseek(fd, -5, os.SEEK_END),
        os.read(fd, 100),
        os.lseek(fd, 1000, os.SEEK_CUR),
        os.read(fd, 1),
        outcome(os.lseek, fd, -1, os.SEEK_SET),
        outcome(os.lseek, fd, 200, os.SEEK_DATA),
        os.preadv(fd, [bytearray(10), bytearray(20)], 90),
        os.pwritev(fd, [b"ab", b"", b"cd"], 2),
        outcome(os.pread, fd, 10, 1 << 62),
        os.write(fd, b""),
        os.fstat(fd).st_size,
    ]
    return results, get("f")


def test_positions(pair: Pair) -> None:
    results, _ = pair.same(offset_forms)
    assert results[:4] == [10, b"\x0a\x0b", 95, bytes(range(95, 100))]


def both_creating() -> Any:
    def remove() -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink("f")

    start, end = threading.Barrier(2, action=remove), threading.Barrier(2)

    def create_and_look() -> set[str]:
        seen = set()
        for _ in range(1000):
            start.wait()
            fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
            end.wait()
            seen.add(os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
            os.close(fd)
        return seen

    with ThreadPoolExecutor(2) as pool:
        return [ran.result() for ran in [pool.submit(create_and_look) for _ in range(2)]]


def test_a_file_that_two_create_at_once_has_its_name(pair: Pair) -> None:
    assert pair.same(both_creating) == [{"f"}, {"f"}]
