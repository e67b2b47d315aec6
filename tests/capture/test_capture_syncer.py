"""Where a sync runs, and that its error is the answer."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from tracefs.capture import _standby
from tracefs.capture import syncer as module
from tracefs.capture.loop import Loop
from tracefs.capture.syncer import Syncer


class Disk:
    """Stands for os.fsync and the thread that stands by.

    How long a sync seems to take is said, and where each was done is kept.
    """

    RUNNING = _standby.RUNNING
    BUSY = _standby.BUSY

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 0
        self.takes_ns = 0
        self.busy = False
        self.where: list[str] = []
        self.calls: list[str] = []
        self.then: Callable[[], object] = int
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._call(name))
        monkeypatch.setattr(module, "monotonic_ns", lambda: self.now_ns)

    def _call(self, name: str) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            self.now_ns += self.takes_ns
            self.calls.append(name)
            main = threading.current_thread() is threading.main_thread()
            self.where.append("main" if main else "thread")
            self.then()

        return sync

    def begin(self, _fd: int, datasync: bool, patience_ns: int, /) -> int:
        assert patience_ns == 250_000
        if self.busy:
            return self.BUSY
        self.calls.append("fdatasync" if datasync else "fsync")
        if self.takes_ns < patience_ns:
            self.where.append("standby")
            return 0
        self.where.append("standby, then thread")
        return self.RUNNING

    def end(self) -> int:
        assert threading.current_thread() is not threading.main_thread()
        return 0


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
    syncer = Syncer(loop, disk)

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


@pytest.mark.parametrize("slow", [False, True], ids=["by the standby", "in a thread"])
def test_the_error_number_is_the_answer(*, slow: bool, disk: Disk) -> None:
    # fsync(2): a descriptor that doesn't support it.
    read_end, write_end = os.pipe()
    loop = Loop()
    syncer = Syncer(loop) if not slow else Syncer(loop, disk)
    disk.busy = slow

    def fail() -> None:
        raise OSError(errno.EINVAL, "")

    disk.then = fail

    async def main() -> list[int]:
        return [await syncer.sync(write_end, datasync=False) for _ in range(3)]

    assert trio.run(main, instruments=[loop]) == [errno.EINVAL] * 3
    assert not slow or disk.where == ["thread"] * 3
    os.close(read_end)
    os.close(write_end)


def test_an_error_without_a_number_is_eio(disk: Disk) -> None:
    def fail() -> None:
        raise OSError

    disk.then = fail
    disk.busy = True
    assert syncs(0, 0, disk=disk) == [errno.EIO] * 2


@pytest.mark.parametrize("busy", [False, True])
def test_fsync_and_fdatasync_are_told_apart(*, busy: bool, disk: Disk) -> None:
    loop = Loop()
    disk.busy = busy

    async def main() -> None:
        syncer = Syncer(loop, disk)
        for datasync in (True, False) * 3:
            await syncer.sync(0, datasync=datasync)

    trio.run(main, instruments=[loop])
    assert disk.calls == ["fdatasync", "fsync"] * 3


def test_quick_syncs_cost_no_thread(disk: Disk) -> None:
    syncs(*[249_999] * 6, disk=disk)
    assert disk.where == ["standby"] * 6


def test_one_slow_sync_sends_the_next_four_to_a_thread(disk: Disk) -> None:
    slow = 250_000
    syncs(0, slow, 0, 0, 0, 0, 0, disk=disk)
    assert disk.where == ["standby", "standby, then thread", *["thread"] * 4, "standby"]


def test_slow_ones_in_between_keep_syncs_in_threads(disk: Disk) -> None:
    syncs(250_000, *[0, 0, 0, 250_000] * 3, disk=disk)
    assert disk.where == ["standby, then thread", *["thread"] * 12]


def test_while_one_is_slow_others_go_to_threads_until_it_has_ended(disk: Disk) -> None:
    disk.busy = True
    syncs(0, 0, disk=disk)
    disk.busy = False
    syncs(0, disk=disk)
    assert disk.where == ["thread", "thread", "standby"]


def test_without_a_thread_to_be_had_no_sync_is_lost(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")  # as threading.Thread.start does

    monkeypatch.setattr(trio.to_thread, "run_sync", none)
    disk.busy = True
    assert syncs(0, 0, disk=disk) == [0, 0]
    assert disk.where == ["main", "main"]


def test_slow_syncs_let_other_requests_proceed(disk: Disk) -> None:
    # The disk finishes once another task has said so; inline it never would.
    other_ran = threading.Event()
    disk.then = other_ran.wait
    disk.busy = True
    loop = Loop()
    answers: list[int] = []
    many = 60  # more than trio's own limit of threads
    syncer = Syncer(loop, disk)

    async def sync() -> None:
        answers.append(await syncer.sync(0, datasync=True))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(many):
                nursery.start_soon(sync)
            await trio.testing.wait_all_tasks_blocked()
            while len(disk.where) < many:
                await trio.lowlevel.checkpoint()
            other_ran.set()

    trio.run(main, instruments=[loop])
    assert answers == [0] * many


def test_a_sync_in_a_thread_lets_another_request_proceed(disk: Disk) -> None:
    other_ran = threading.Event()
    disk.then = other_ran.wait
    disk.busy = True
    loop = Loop()
    answers: list[int] = []

    async def first() -> None:
        async with loop.lock():
            pass
        answers.append(await Syncer(loop, disk).sync(0, datasync=True))

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
    assert disk.where == ["thread"]


def test_the_standby_gives_up_waiting_and_says_so_later(file: int) -> None:
    # On a disk a sync takes longer than nothing.
    os.write(file, b"x")
    answer = _standby.begin(file, True, 0)
    assert answer in {0, _standby.RUNNING}
    if answer == _standby.RUNNING:
        assert _standby.begin(file, True, 0) == _standby.BUSY
        assert _standby.end() == 0
