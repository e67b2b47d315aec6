"""Requests that pyfuse3 has no handlers for: what is recorded, and where the kernel helps."""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mounted_support import Guard, Mount, Run, act, calls, journal, outcome, put

from tracefs import events

MIB = 1 << 20


def allocate(flags: int) -> None:
    fd = os.open("f", os.O_RDWR | os.O_CREAT | flags, 0o600)
    os.posix_fallocate(fd, 0, 3 * MIB)  # in a thread of the server
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.fallocate(fd, 1, ctypes.c_long(4096), ctypes.c_long(100)) == 0


@pytest.mark.parametrize("flags", [0, os.O_SYNC, os.O_DSYNC])
def test_allocations_are_recorded_and_synced_where_the_open_says_so(
    mounted: Mount, flags: int
) -> None:
    act(mounted.mountpoint, allocate, flags)
    mounted.end()
    first, second = journal(mounted.recording, events.Fallocate)
    assert (first.mode, first.offset, first.size, first.errno) == (0, 0, 3 * MIB, 0)
    assert (second.mode, second.offset, second.size) == (1, 4096, 100)
    assert (first.synced, second.synced) == (bool(flags), bool(flags))


def allocate_too_much(flags: int, mode: int) -> object:
    """Append, allocate more than there is, and append again through the same open."""
    fd = os.open("f", os.O_CREAT | os.O_APPEND | flags, 0o600)
    os.write(fd, b"x" * 100)
    os.fstat(fd)  # the kernel may trust what it has heard for a second
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate(fd, mode, ctypes.c_long(0), ctypes.c_long(64 * MIB))
    failed = ctypes.get_errno()
    appended = outcome(os.write, fd, b"y")
    info = os.fstat(fd)
    with open("f", "rb") as file:
        contents = file.read().rstrip(b"\0")
    os.unlink("f")
    # How much there is to get differs a little from one time to the next.
    return failed, info.st_size > MIB, info.st_blocks * 512 > MIB, appended, contents


@pytest.fixture
def small(tmp_path: Path, as_root: None) -> Iterator[Path]:
    """Two directories on a filesystem of 16 MiB that keeps what a failed fallocate got."""
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(16 * MIB)
    place = tmp_path / "place"
    place.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-m0", image], check=True, timeout=30)
    subprocess.run(["mount", "-o", "loop", image, place], check=True, timeout=30)
    for name in ("src", "bare"):
        (place / name).mkdir()
    yield place
    # A server that has said its last word may take a moment to close what it had open.
    subprocess.run(["umount", "--lazy", place], check=True, timeout=30)


@pytest.mark.parametrize("mode", [0, 1, 0x10])
@pytest.mark.parametrize("flags", [os.O_RDWR, os.O_WRONLY])
def test_the_end_of_a_file_is_known_after_an_allocation_that_failed_half_way(
    tmp_path: Path, small: Path, guard: Guard, flags: int, mode: int
) -> None:
    (tmp_path / "mnt").mkdir()
    mount = Mount(small / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    try:
        traced = act(mount.mountpoint, allocate_too_much, flags, mode)
    finally:
        mount.end()
    assert traced == act(small / "bare", allocate_too_much, flags, mode)


def copy(flags: int) -> int:
    put("from", b"x" * 10_000)
    target = os.open("to", os.O_WRONLY | os.O_CREAT | flags, 0o600)
    return os.copy_file_range(os.open("from", os.O_RDONLY), target, 20_000, 5000, 100)


def test_a_copy_is_one_line(mounted: Mount) -> None:
    assert act(mounted.mountpoint, copy, 0) == 5000
    mounted.end()
    (line,) = journal(mounted.recording, events.Copy)
    assert (line.offset, line.from_offset, line.result) == (100, 5000, 5000)
    assert line.ino != line.from_ino
    (call,) = [one for one in calls(mounted.recording, "write") if one.path == "to"]
    assert (call.call, call.length, call.result) == ("copy_file_range", 20_000, 5000)


@pytest.mark.parametrize("flag", [os.O_DSYNC, os.O_SYNC])
def test_the_sync_of_a_copy_is_not_lost(mounted: Mount, flag: int) -> None:
    assert act(mounted.mountpoint, copy, flag) == 5000
    mounted.end()
    assert not journal(mounted.recording, events.Copy)
    assert [line.datasync for line in journal(mounted.recording, events.Fsync)] == [
        flag == os.O_DSYNC
    ]


def test_a_copy_whose_contents_are_kept_is_made_of_writes(tmp_path: Path, guard: Guard) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "mnt").mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard, "--payload")
    assert act(mount.mountpoint, copy, 0) == 5000
    mount.end()
    assert not journal(mount.recording, events.Copy)
    written = journal(mount.recording, events.Write)
    assert sum(line.result for line in written if line.offset < 10_000) == 15_000
    assert all(line.payload is not None for line in written)


def test_requests_and_notices_are_one_call(traced_run: Callable[..., Run]) -> None:
    script = (
        "import ctypes, os\n"
        "fd = os.open('f', os.O_RDWR | os.O_CREAT); os.posix_fallocate(fd, 0, 5000)\n"
        "ctypes.CDLL(None).fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(0))\n"
        "to = os.open('g', os.O_RDWR | os.O_CREAT); os.copy_file_range(fd, to, 5000)\n"
    )
    run = traced_run(["python3", "-c", script], "--witness=full")
    shown = [
        (call.call, call.known_by, call.length, call.result)
        for call in calls(run.recording, "allocate", "write")
    ]
    assert shown == [
        ("fallocate", "seccomp", 5000, 0),
        ("fallocate", "seccomp", 0, None),
        ("copy_file_range", "seccomp", 5000, 5000),
    ]


def temporary() -> int:
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.pwrite(fd, b"x", 0)
    libc = ctypes.CDLL(None)
    assert libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, b"named", 0x400) == 0
    os.pwrite(fd, b"y", 1)
    return os.fstat(fd).st_ino


def test_a_temporary_file_gets_its_path_with_its_name(mounted: Mount) -> None:
    ino = act(mounted.mountpoint, temporary)
    mounted.end()
    assert [call.path for call in calls(mounted.recording, "write")] == [f"#{ino}", "named"]
    (opened,) = calls(mounted.recording, "open")
    assert (opened.created, "O_TMPFILE" in opened.flags) == (False, True)
