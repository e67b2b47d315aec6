"""Which descriptors lie on the traced mount: those of the test's own process."""

import ctypes
import os
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

import pytest

from tracefs.witness import files
from tracefs.witness.files import Files, TracedMount, is_regular
from tracefs.witness.threads import Fdinfo, Thread


@pytest.fixture
def thread() -> Iterator[Thread]:
    made = Thread(os.getpid())
    yield made
    made.close()


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    made = os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)
    os.ftruncate(made, 4096)
    yield made
    os.close(made)


def files_of(fd: int, info: Fdinfo, root: Path, *, same_mount: bool = True) -> Files:
    device = os.fstat(fd).st_dev
    number = info.mount if same_mount else -1
    mount = TracedMount(id=number or 0, device=(os.major(device), os.minor(device)), root=str(root))
    return Files(mount, os.fsencode(root))


@pytest.fixture
def traced(thread: Thread, fd: int, tmp_path: Path) -> Files:
    return files_of(fd, thread.fdinfo(fd), tmp_path)


def test_a_descriptor_of_the_mount(thread: Thread, fd: int, traced: Files) -> None:
    assert traced.holds(thread, fd, thread.fdinfo(fd))


def test_a_descriptor_of_a_copy_of_the_mount(thread: Thread, fd: int, tmp_path: Path) -> None:
    info = thread.fdinfo(fd)
    assert files_of(fd, info, tmp_path, same_mount=False).holds(thread, fd, info)


def test_a_descriptor_of_another_mount(thread: Thread, traced: Files) -> None:
    with open("/proc/self/maps", "rb") as other:
        assert not traced.holds(thread, other.fileno(), thread.fdinfo(other.fileno()))


def test_a_closed_descriptor_is_not_asked_about(thread: Thread, traced: Files) -> None:
    elsewhere = Fdinfo(0, 0, -1, 7)
    with pytest.raises(FileNotFoundError):
        traced.holds(thread, 999_999, elsewhere)


def test_what_is_open_in_a_range_with_both_ends(thread: Thread, fd: int, traced: Files) -> None:
    copy = os.dup(fd)
    assert traced.opened(thread, fd, fd) == [thread.fdinfo(fd)]
    assert traced.opened(thread, min(fd, copy), max(fd, copy)) == [thread.fdinfo(fd)] * 2
    os.close(copy)
    assert len(traced.opened(thread, 0, 0xFFFFFFFF)) == len(traced.opened(thread, 0, fd))
    assert traced.opened(thread, 999_999, 999_999) == []
    assert traced.held(thread, 999_999) is None


def test_the_flag_for_exec_is_among_a_descriptors_flags(
    thread: Thread, traced: Files, fd: int
) -> None:
    for inheritable in (True, False):
        os.set_inheritable(fd, inheritable)
        (info,) = traced.opened(thread, fd, fd)
        assert bool(info.flags & os.O_CLOEXEC) is not inheritable


def test_only_a_regular_file_has_content(thread: Thread, fd: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    others = [os.open(tmp_path / "p", os.O_RDWR), os.open(tmp_path, os.O_RDONLY)]
    for other in others:
        assert not is_regular(thread, other, thread.fdinfo(other))
        os.close(other)
    for position in (0, 7):
        os.lseek(fd, position, os.SEEK_SET)
        assert is_regular(thread, fd, thread.fdinfo(fd))


def test_what_is_mapped_at_an_address(thread: Thread, fd: int, traced: Files) -> None:
    with mmap(fd, 4096) as view, mmap(-1, 4096) as anonymous:
        for address, own in ((view, True), (anonymous, False)):
            at = ctypes.addressof(ctypes.c_char.from_buffer(address))
            assert traced.maps(thread, at) == traced.maps(thread, at + 4095) == own
    assert not traced.maps(thread, 0)


def test_a_name_is_the_first_of_a_descriptor_and_its_file(
    thread: Thread, fd: int, traced: Files, tmp_path: Path
) -> None:
    ino = os.fstat(fd).st_ino
    assert traced.name(thread, fd, ino) == "f"
    os.rename(tmp_path / "f", tmp_path / "g")
    copy = os.dup(fd)
    assert traced.name(thread, fd, ino) == "f"
    assert traced.name(thread, fd, ino + 1) == traced.name(thread, copy, ino) == "g"
    os.close(copy)


def test_names_do_not_grow_without_end(
    thread: Thread, fd: int, traced: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MAX_NAMES", 3)
    for ino in range(1, 9):
        assert traced.name(thread, fd, ino) == "f"
    assert len(traced._names) <= 3


def test_the_root_itself_is_a_dot(thread: Thread, traced: Files, tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY)
    assert traced.name(thread, root, 2) == "."
    os.close(root)


def test_what_has_no_name_here(thread: Thread, fd: int, traced: Files, tmp_path: Path) -> None:
    assert traced.name(thread, fd, None) is None
    assert traced.name(thread, 999_999, 1) is None
    outside = os.open("/dev/null", os.O_RDONLY)
    assert traced.name(thread, outside, 2) is None
    os.close(outside)
    os.unlink(tmp_path / "f")
    assert traced.name(thread, fd, 3) is None
