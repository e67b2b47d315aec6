"""Where a sync runs, and that its error is the answer."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from tracefs.capture import syncer as module
from tracefs.capture.loop import Loop
from tracefs.capture.syncer import Syncer


class Disk:
    """Stands for os.fsync: how long it seems to take is said, and which threads called is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 0
        self.takes_ns = 0
        self.threads: list[threading.Thread] = []
        self.calls: list[str] = []
        self.then: Callable[[], object] = int
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._call(name))
        monkeypatch.setattr(module, "monotonic_ns", lambda: self.now_ns)

    def _call(self, name: str) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            self.now_ns += self.takes_ns
            self.calls.append(name)
            self.threads.append(threading.current_thread())
            self.then()

        return sync

    @property
    def inline(self) -> list[bool]:
        return [thread is threading.main_thread() for thread in self.threads]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


def syncs(*takes_ns: int, disk: Disk) -> list[int]:
    """Sync once for each time that it is to take; the answers."""
    loop = Loop()
    syncer = Syncer(loop)

    async def main() -> list[int]:
        answers = []
        for takes in takes_ns:
            disk.takes_ns = takes
            answers.append(await syncer.sync(0, datasync=False))
        return answers

    return trio.run(main, instruments=[loop])


def test_a_real_sync_answers_zero(file: int) -> None:
    loop = Loop()

    async def main() -> list[int]:
        syncer = Syncer(loop)
        return [await syncer.sync(file, datasync=bool(n % 2)) for n in range(8)]

    assert trio.run(main, instruments=[loop]) == [0] * 8


@pytest.mark.parametrize("tries", [1, 12], ids=["in a thread", "until inline"])
def test_the_error_number_is_the_answer(tries: int) -> None:
    # fsync(2): a descriptor that doesn't support it. A bad one is quick, so it goes inline.
    read_end, write_end = os.pipe()
    loop = Loop()

    async def main() -> list[int]:
        syncer = Syncer(loop)
        return [await syncer.sync(write_end, datasync=False) for _ in range(tries)]

    assert trio.run(main, instruments=[loop]) == [errno.EINVAL] * tries
    os.close(read_end)
    os.close(write_end)


def test_an_error_without_a_number_is_eio(disk: Disk) -> None:
    def fail() -> None:
        raise OSError

    disk.then = fail
    assert syncs(0, 0, 0, 0, 0, disk=disk) == [errno.EIO] * 5
    assert disk.inline == [False] * 4 + [True]


def test_fsync_and_fdatasync_are_told_apart(disk: Disk) -> None:
    loop = Loop()

    async def main() -> None:
        syncer = Syncer(loop)
        for datasync in (True, False) * 3:
            await syncer.sync(0, datasync=datasync)

    trio.run(main, instruments=[loop])
    assert disk.calls == ["fdatasync", "fsync"] * 3


def test_syncs_move_inline_after_four_quick_ones(disk: Disk) -> None:
    syncs(*[249_999] * 6, disk=disk)
    assert disk.inline == [False, False, False, False, True, True]


def test_one_slow_sync_sends_the_next_four_to_a_thread(disk: Disk) -> None:
    slow = 250_000
    syncs(0, 0, 0, 0, slow, 0, 0, 0, 0, 0, disk=disk)
    assert disk.inline == [False] * 4 + [True] + [False] * 4 + [True]


def test_slow_ones_in_between_keep_syncs_in_threads(disk: Disk) -> None:
    syncs(*[0, 0, 0, 250_000] * 3, disk=disk)
    assert disk.inline == [False] * 12


def test_a_sync_in_a_thread_lets_another_request_proceed(disk: Disk) -> None:
    # The disk finishes once another task has said so; inline it never would.
    other_ran = threading.Event()
    disk.then = other_ran.wait
    loop = Loop()
    answers: list[int] = []

    async def first() -> None:
        async with loop.lock():
            pass
        answers.append(await Syncer(loop).sync(0, datasync=True))

    async def second() -> None:
        async with loop.lock():
            other_ran.set()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            async with loop.lock():
                nursery.start_soon(first)
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(second)
                await trio.testing.wait_all_tasks_blocked()
            # Both wait for the lock now; the first to get it hands it over as it goes to sync.
            with loop.through_trio():
                await trio.lowlevel.checkpoint()

    trio.run(main, instruments=[loop])
    assert answers == [0]
    assert disk.inline == [False]
