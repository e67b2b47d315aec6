"""Where a sync runs, and that its error is the answer."""

import errno
import os
import select
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from tracefs.capture import _standby
from tracefs.capture.inodes import Node
from tracefs.capture.loop import Loop
from tracefs.capture.syncer import Syncer

IN_PLACE = 250_000
"""How long a sync is waited for in place, in ns."""
SLOW = IN_PLACE


def a_file(number: int = 2, *, device: int = 1) -> Node:
    return Node(number, (device, number, stat.S_IFREG))


class Disk:
    """Stands for the threads that stand by; how long a sync is to take is said.

    Keeps what was begun, with the patience, and what was done by os.fsync and where.
    """

    NONE = _standby.NONE

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.takes_ns = 0
        self.error = 0
        self.memory = False
        self.has_threads = True
        self.begun: list[tuple[str, int]] = []
        self.calls: list[tuple[str, str]] = []
        self.asked = 0
        self.then: Callable[[], object] = int
        self.ended = os.eventfd(1)
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._call(name))

    def _call(self, name: str) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            main = threading.current_thread() is threading.main_thread()
            self.calls.append((name, "main" if main else "thread"))
            self.then()

        return sync

    def in_memory(self, _fd: int, /) -> bool:
        self.asked += 1
        return self.memory

    def begin(self, _fd: int, datasync: bool, patience_ns: int, /) -> int:
        if not self.has_threads:
            return self.NONE
        self.begun.append(("fdatasync" if datasync else "fsync", patience_ns))
        return self.error if self.takes_ns < patience_ns else self.NONE - 3

    def event(self, answer: int, /) -> int:
        assert answer == self.NONE - 3
        return self.ended

    def end(self, answer: int, /) -> tuple[int, int]:
        assert answer == self.NONE - 3
        return self.error, self.takes_ns

    @property
    def patience(self) -> list[int]:
        return [patience for _, patience in self.begun]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk(monkeypatch)
    yield disk
    os.close(disk.ended)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


def syncs(disk: Disk, *wanted: tuple[Node, int]) -> list[int]:
    """Sync each file, which is to take so long; the answers."""
    loop = Loop()
    syncer = Syncer(loop, disk)

    async def main() -> list[int]:
        answers = []
        for node, disk.takes_ns in wanted:
            answers.append(await syncer.sync(node, 0, datasync=False))
        return answers

    return trio.run(main, instruments=[loop])


def of_one_file(disk: Disk, *takes_ns: int) -> list[int]:
    node = a_file()
    return syncs(disk, *((node, takes) for takes in takes_ns))


def test_a_real_sync_answers_zero(file: int) -> None:
    loop = Loop()

    async def main() -> list[int]:
        syncer, node = Syncer(loop), a_file()
        return [await syncer.sync(node, file, datasync=bool(n % 2)) for n in range(8)]

    assert trio.run(main, instruments=[loop]) == [0] * 8


@pytest.mark.parametrize("quick_syncs", [0, 4, 5], ids=["not waited for", "in place", "in memory"])
def test_the_error_number_is_the_answer(quick_syncs: int) -> None:
    # fsync(2): a descriptor that doesn't support it.
    read_end, write_end = os.pipe()
    loop = Loop()
    node = a_file()

    async def main() -> list[int]:
        syncer = Syncer(loop)
        answers = []
        for _ in range(3):
            node.quick_syncs = quick_syncs
            answers.append(await syncer.sync(node, write_end, datasync=False))
        return answers

    assert trio.run(main, instruments=[loop]) == [errno.EINVAL] * 3
    os.close(read_end)
    os.close(write_end)


@pytest.mark.parametrize("takes_ns", [0, SLOW])
def test_an_error_of_the_standby_is_the_answer(takes_ns: int, disk: Disk) -> None:
    disk.error = errno.EIO
    assert of_one_file(disk, takes_ns, takes_ns) == [errno.EIO] * 2


def test_an_error_without_a_number_is_eio(disk: Disk) -> None:
    def fail() -> None:
        raise OSError

    disk.then = fail
    disk.has_threads = False
    assert of_one_file(disk, 0, 0) == [errno.EIO] * 2


@pytest.mark.parametrize("has_threads", [False, True])
def test_fsync_and_fdatasync_are_told_apart(*, has_threads: bool, disk: Disk) -> None:
    loop = Loop()
    disk.has_threads = has_threads

    async def main() -> None:
        syncer, node = Syncer(loop, disk), a_file()
        for datasync in (True, False) * 3:
            await syncer.sync(node, 0, datasync=datasync)

    trio.run(main, instruments=[loop])
    done = disk.begun if has_threads else disk.calls
    assert [name for name, _ in done] == ["fdatasync", "fsync"] * 3


def test_quick_syncs_are_waited_for_in_place(disk: Disk) -> None:
    of_one_file(disk, *[SLOW - 1] * 6)
    assert disk.patience == [IN_PLACE] * 6


def test_after_a_slow_sync_four_quick_ones_are_to_be_seen(disk: Disk) -> None:
    of_one_file(disk, 0, SLOW, 0, 0, 0, 0, 0)
    assert disk.patience == [IN_PLACE, IN_PLACE, 0, 0, 0, 0, IN_PLACE]


def test_slow_ones_in_between_keep_a_file_from_stalling_others(disk: Disk) -> None:
    of_one_file(disk, SLOW, *[0, 0, 0, SLOW] * 3)
    assert disk.patience == [IN_PLACE, *[0] * 12]


def test_a_slow_file_and_a_quick_one_leave_each_other_alone(disk: Disk) -> None:
    slow, quick = a_file(2), a_file(3)
    syncs(disk, (quick, 0), (slow, SLOW), *[(quick, 0), (slow, SLOW)] * 5)
    assert disk.patience == [IN_PLACE, IN_PLACE, *[IN_PLACE, 0] * 5]


def test_a_new_file_is_expected_to_be_as_its_device_was(disk: Disk) -> None:
    fresh = [a_file(number) for number in range(2, 6)]
    other = a_file(9, device=2)
    syncs(disk, (fresh[0], SLOW), (fresh[1], SLOW), (other, 0), (fresh[2], 0), (fresh[3], 0))
    assert disk.patience == [IN_PLACE, 0, IN_PLACE, 0, IN_PLACE]


def test_what_devices_did_is_kept_of_a_few(disk: Disk) -> None:
    loop = Loop()
    syncer = Syncer(loop, disk)

    async def main() -> None:
        for device in range(1000):
            await syncer.sync(a_file(device=device), 0, datasync=False)

    trio.run(main, instruments=[loop])
    assert len(syncer._devices) <= 64


def test_in_memory_a_sync_is_done_in_place(disk: Disk) -> None:
    disk.memory = True
    of_one_file(disk, 0, 0, 0)
    assert (disk.calls, disk.begun, disk.asked) == ([("fsync", "main")] * 3, [], 1)


def test_without_a_thread_to_stand_by_python_has_one(disk: Disk) -> None:
    disk.has_threads = False
    assert of_one_file(disk, 0, 0) == [0, 0]
    assert disk.calls == [("fsync", "thread")] * 2


def test_without_a_thread_to_be_had_no_sync_is_lost(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")  # as threading.Thread.start does

    monkeypatch.setattr(trio.to_thread, "run_sync", none)
    disk.has_threads = False
    assert of_one_file(disk, 0, 0) == [0, 0]
    assert disk.calls == [("fsync", "main")] * 2


@pytest.mark.parametrize("fails", [False, True])
def test_the_end_of_a_sync_is_waited_for_however_it_is_told(
    *, fails: bool, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trio wakes for nothing, or the kernel has no memory to wake it."""
    early = [BlockingIOError(errno.EAGAIN, "it hasn't ended")] * 3

    async def wait(fd: int) -> None:
        assert fd == disk.ended
        if fails:
            raise OSError(errno.ENOMEM, "epoll_ctl")

    def end(answer: int, /) -> tuple[int, int]:
        if early:
            raise early.pop()
        return errno.EIO, SLOW

    monkeypatch.setattr(trio.lowlevel, "wait_readable", wait)
    monkeypatch.setattr(disk, "end", end)
    assert of_one_file(disk, SLOW) == [errno.EIO]
    assert not early


def test_calls_in_threads_let_other_requests_proceed() -> None:
    # Each comes to its end once another task has said so; inline none ever would.
    other_ran = threading.Event()
    loop = Loop()
    answers: list[bool] = []
    begun: list[None] = []
    many = 60  # more than trio's own limit of threads
    syncer = Syncer(loop)

    def call() -> bool:
        begun.append(None)
        return other_ran.wait()

    async def wait() -> None:
        answers.append(await syncer.in_thread(call))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(many):
                nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            while len(begun) < many:
                await trio.lowlevel.checkpoint()
            other_ran.set()

    trio.run(main, instruments=[loop])
    assert answers == [True] * many


@pytest.mark.parametrize("has_threads", [False, True], ids=["in a thread", "by the standby"])
def test_a_sync_that_is_not_waited_for_lets_another_request_proceed(
    *, has_threads: bool, disk: Disk
) -> None:
    other_ran = threading.Event()
    disk.then = other_ran.wait
    disk.has_threads = has_threads
    disk.takes_ns = SLOW
    os.eventfd_read(disk.ended)
    loop = Loop()
    answers: list[int] = []

    async def first() -> None:
        async with loop.lock():
            pass
        answers.append(await Syncer(loop, disk).sync(a_file(), 0, datasync=True))

    async def second() -> None:
        async with loop.lock():
            other_ran.set()
            os.eventfd_write(disk.ended, 1)

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


def test_syncs_that_go_on_have_a_thread_each_and_few_are_kept(file: int) -> None:
    threads = len(os.listdir("/proc/self/task"))
    os.write(file, b"x")
    answers = [_standby.begin(file, bool(n % 2), 0) for n in range(20)]
    assert not any(answer > 0 for answer in answers)
    going_on = [answer for answer in answers if answer < 0]
    assert all(answer <= _standby.RUNNING for answer in going_on)
    assert len(set(going_on)) == len(going_on)
    for answer in going_on:
        assert select.select([_standby.event(answer)], [], [])[0]
        failed, took_ns = _standby.end(answer)
        assert (failed, took_ns >= 0) == (0, True)
    while len(os.listdir("/proc/self/task")) > threads + 4:
        os.sched_yield()
    for answer in (_standby.RUNNING, _standby.RUNNING - 100, 0, 7):
        with pytest.raises(ValueError, match="no sync is running there"):
            _standby.end(answer)
