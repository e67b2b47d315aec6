"""Where files are closed that nobody can find any more."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from tracefs.capture import freeing
from tracefs.capture.backing import Backing, Caller

LARGE = 3 << 20


class Closing:
    """Which thread closes a descriptor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._closed: SimpleQueue[tuple[int, threading.Thread]] = SimpleQueue()
        self._close = os.close
        monkeypatch.setattr(os, "close", self._noted)

    def _noted(self, fd: int) -> None:
        self._close(fd)
        self._closed.put((fd, threading.current_thread()))

    def in_thread(self, wanted: int) -> bool:
        """Return whether another thread closed it, once it is closed."""
        while True:
            fd, thread = self._closed.get()
            if fd == wanted:
                return thread is not threading.current_thread()


@pytest.fixture
def closing(monkeypatch: pytest.MonkeyPatch) -> Closing:
    return Closing(monkeypatch)


@pytest.mark.parametrize(
    ("size", "named", "in_thread"),
    [(LARGE, False, True), (4096, False, False), (LARGE, True, False)],
    ids=["large", "small", "named"],
)
def test_only_the_end_of_a_large_file_goes_to_a_thread(
    size: int, *, named: bool, in_thread: bool, tmp_path: Path, closing: Closing
) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    fd = os.open(tmp_path / "f", os.O_PATH)
    if not named:
        os.unlink(tmp_path / "f")
    freeing.close(fd)
    assert closing.in_thread(fd) is in_thread


def test_without_a_thread_to_be_had_it_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closing: Closing
) -> None:
    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    (tmp_path / "f").write_bytes(b"x" * LARGE)
    fd = os.open(tmp_path / "f", os.O_PATH)
    os.unlink(tmp_path / "f")
    monkeypatch.setattr(threading.Thread, "start", none)
    freeing.close(fd)
    assert not closing.in_thread(fd)


@pytest.mark.parametrize(
    ("size", "to", "much"),
    [(LARGE, 0, True), (LARGE, LARGE - 4096, False), (LARGE, 2 * LARGE, False), (4096, 0, False)],
)
def test_what_frees_much(size: int, to: int, *, much: bool, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    assert freeing.frees_much(fd, to) is much
    os.close(fd)


def test_a_sparse_file_has_nothing_to_free(tmp_path: Path) -> None:
    with open(tmp_path / "f", "wb") as file:
        file.truncate(1 << 40)
        assert not freeing.frees_much(file.fileno(), 0)


def test_a_large_file_that_the_kernel_forgets_ends_in_a_thread(
    back: Callable[..., Backing], closing: Closing
) -> None:
    backing = back()
    root = backing.inodes.root
    fd, node, _ = backing.create(root, b"f", 0o644, os.O_WRONLY, Caller(os.getuid(), os.getgid()))
    os.write(fd, b"x" * LARGE)
    os.close(fd)
    pinned = node.fd
    backing.unlink(root, b"f")
    backing.inodes.forget(node.ino, node.lookups)
    assert closing.in_thread(pinned)
