"""The request loop, with a socket for the FUSE device and workers shaped like pyfuse3's."""

import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator

import pyfuse3
import pytest
import trio
import trio.testing

from tracefs.capture.loop import Loop


class Device:
    """A socket whose other side sends requests."""

    def __init__(self) -> None:
        self.kernel, self.served = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.fd = self.served.fileno()

    def request(self, word: bytes) -> None:
        self.kernel.send(word)

    def close(self) -> None:
        self.kernel.close()
        self.served.close()


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.close()


class Steps(trio.abc.Instrument):
    """Counts how often the scheduler ran a task."""

    count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        del task
        self.count += 1


def run(main: Callable[[], Awaitable[None]], loop: Loop, *more: trio.abc.Instrument) -> None:
    trio.run(main, instruments=[loop, *more])


class Workers:
    """Tasks that read one request each and handle it, taking turns as pyfuse3's do."""

    def __init__(
        self, loop: Loop, device: Device, handle: Callable[[bytes], Awaitable[None]]
    ) -> None:
        self.loop, self.device, self.handle = loop, device, handle
        self.ended = 0

    async def work(self) -> None:
        while True:
            try:
                async with self.loop.lock():
                    await self.loop.wait_readable(self.device.fd)
            except trio.ClosedResourceError:
                self.ended += 1
                return
            await self.handle(self.device.served.recv(64))


async def let_others_run() -> None:
    await trio.testing.wait_all_tasks_blocked()


def test_a_waiting_request_is_served_without_the_scheduler(device: Device) -> None:
    loop, steps = Loop(), Steps()
    seen: list[int] = []

    async def reader() -> None:
        async with loop.lock():
            await let_others_run()
            before = steps.count
            for _ in range(50):
                device.request(b"r")
                await loop.wait_readable(device.fd)
                device.served.recv(1)
            seen.append(steps.count - before)

    async def waiter() -> None:
        await trio.lowlevel.checkpoint()  # trio may start it first
        async with loop.lock():
            seen.append(-1)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader)
            nursery.start_soon(waiter)

    run(main, loop, steps)
    assert seen == [0, -1]


def test_a_reader_that_nobody_waits_behind_lets_new_tasks_start(device: Device) -> None:
    loop = Loop()
    started: list[str] = []

    async def starts() -> None:
        started.append("task")

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(starts)
            device.request(b"r")
            async with loop.lock():
                # Two: trio may run a task that yields before one that is new.
                await loop.wait_readable(device.fd)
                await loop.wait_readable(device.fd)
            assert started == ["task"]

    run(main, loop)


def test_the_wait_ends_when_a_request_arrives_later(device: Device) -> None:
    loop = Loop()
    waiting = threading.Event()

    def send() -> None:
        waiting.wait()
        device.request(b"late")

    async def main() -> None:
        waiting.set()
        await loop.wait_readable(device.fd)
        assert device.served.recv(64) == b"late"

    sender = threading.Thread(target=send)
    sender.start()
    run(main, loop)
    sender.join()


def test_a_control_descriptor_lets_another_task_work(device: Device) -> None:
    told, tell = os.pipe()
    loop = Loop(told)
    order: list[str] = []

    async def listener() -> None:
        await trio.lowlevel.wait_readable(told)
        os.read(told, 1)
        order.append("control")
        device.request(b"r")

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener)
            await let_others_run()
            os.write(tell, b"x")
            await loop.wait_readable(device.fd)
            order.append(device.served.recv(1).decode())

    run(main, loop)
    assert order == ["control", "r"]
    os.close(told)
    os.close(tell)


@pytest.mark.parametrize("early", [True, False], ids=["before the first wait", "later"])
def test_an_ignored_control_descriptor_costs_nothing(device: Device, early: bool) -> None:
    told, tell = os.pipe()
    os.close(tell)  # readable for ever
    loop, steps = Loop(told), Steps()

    async def main() -> None:
        if early:
            loop.ignore(told)
        device.request(b"r")
        await loop.wait_readable(device.fd)
        if not early:
            loop.ignore(told)
        before = steps.count
        await loop.wait_readable(device.fd)
        assert steps.count - before == 1, "the one that a lone reader always takes"

    run(main, loop, steps)
    os.close(told)


def test_stop_ends_the_next_wait_and_no_request_is_read(device: Device) -> None:
    loop = Loop()
    device.request(b"unread")

    async def main() -> None:
        loop.stop()
        with pytest.raises(trio.ClosedResourceError):
            await loop.wait_readable(device.fd)

    run(main, loop)
    assert loop.stopping
    assert device.served.recv(64) == b"unread"


def test_stop_by_a_task_that_control_woke_ends_the_wait_under_way(device: Device) -> None:
    told, tell = os.pipe()
    loop = Loop(told)

    async def listener() -> None:
        await trio.lowlevel.wait_readable(told)
        loop.stop()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener)
            await let_others_run()
            os.write(tell, b"x")
            with pytest.raises(trio.ClosedResourceError):
                await loop.wait_readable(device.fd)

    run(main, loop)
    os.close(told)
    os.close(tell)


def test_an_error_on_the_device_is_its_end() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)  # poll(2): POLLERR, as for an aborted FUSE connection
    loop = Loop()

    async def main() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await loop.wait_readable(write_end)

    run(main, loop)
    os.close(write_end)


def test_every_worker_ends_with_the_device(device: Device) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    loop = Loop()
    device.fd = write_end

    async def handle(_: bytes) -> None:
        raise AssertionError

    workers = Workers(loop, device, handle)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(workers.work)

    run(main, loop)
    assert workers.ended == 4, "each was handed the lock by the one before, as it exited"
    os.close(write_end)


def test_a_request_that_waits_for_a_thread_holds_up_no_other(device: Device) -> None:
    told, tell = os.pipe()
    loop = Loop()
    handled: list[bytes] = []

    async def handle(word: bytes) -> None:
        if word == b"slow":
            with loop.through_trio():
                await trio.to_thread.run_sync(os.read, told, 1)
        elif word == b"quick":
            os.write(tell, b"x")
        handled.append(word)
        if word == b"slow":
            # Nothing had arrived since: it came back while another task waited for the device.
            device.request(b"last")
        if word == b"last":
            loop.stop()

    workers = Workers(loop, device, handle)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(workers.work)
            device.request(b"slow")
            device.request(b"quick")

    run(main, loop)
    assert handled == [b"quick", b"slow", b"last"]
    os.close(told)
    os.close(tell)


def test_workers_take_turns_only_when_one_has_to_wait(device: Device) -> None:
    loop = Loop()
    by: list[str | None] = []

    async def handle(word: bytes) -> None:
        by.append(trio.lowlevel.current_task().name)
        if word == b"wait":
            with loop.through_trio():
                await let_others_run()
        if word == b"stop":
            loop.stop()

    workers = Workers(loop, device, handle)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            async with loop.lock():
                nursery.start_soon(workers.work, name="one")
                nursery.start_soon(workers.work, name="other")
                await let_others_run()
            with loop.through_trio():
                await trio.lowlevel.checkpoint()

    for word in (b"a", b"b", b"wait", b"c", b"stop"):
        device.request(word)
    run(main, loop)
    assert [by[0]] * 3 == by[:3]
    assert by[3] != by[0]


def test_one_task_at_a_time_holds_the_lock() -> None:
    loop = Loop()
    inside = 0

    async def task() -> None:
        nonlocal inside
        for _ in range(20):
            async with loop.lock():
                inside += 1
                await trio.lowlevel.checkpoint()
                assert inside == 1
                inside -= 1
            with loop.through_trio():
                await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(task)

    run(main, loop)


def test_a_cancelled_waiter_is_forgotten() -> None:
    loop = Loop()
    lock = loop.lock()

    waiting: list[bool] = []

    async def waiter() -> None:
        async with lock:
            raise AssertionError

    async def main() -> None:
        async with trio.open_nursery() as nursery, lock:
            nursery.start_soon(waiter)
            await let_others_run()
            waiting.append(bool(lock.waiters))
            nursery.cancel_scope.cancel()
        waiting.append(bool(lock.waiters))
        async with lock:
            pass

    run(main, loop)
    assert waiting == [True, False]


def test_an_exception_while_holding_frees_the_lock() -> None:
    loop = Loop()

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with loop.lock():
                raise ZeroDivisionError
        async with loop.lock():
            pass

    run(main, loop)


def test_pyfuse3_finds_the_lock_and_the_wait_and_trio_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pyfuse3, "trio", trio)
    loop = Loop()
    loop.install()
    shim = pyfuse3.trio  # type: ignore[attr-defined]  # where pyfuse3 looks
    assert shim.Lock() is loop.lock()
    assert shim.lowlevel.wait_readable == loop.wait_readable
    assert shim.lowlevel.current_task is trio.lowlevel.current_task
    assert shim.open_nursery is trio.open_nursery


class Counted:
    """A device whose requests are counted as they are read."""

    def __init__(self, device: Device) -> None:
        self.device, self.count, self.empty = device, 0, 0

    def read(self) -> None:
        try:
            self.device.served.recv(64, socket.MSG_DONTWAIT)
            self.count += 1
        except BlockingIOError:
            self.empty += 1  # EINTR to pyfuse3, which waits once more


def test_a_request_is_read_unasked_after_another(device: Device) -> None:
    counted = Counted(device)
    loop = Loop(received=lambda: counted.count)

    async def main() -> None:
        device.request(b"first")
        await loop.wait_readable(device.fd)
        counted.read()
        await loop.wait_readable(device.fd)  # there is none, and nobody asks
        counted.read()
        device.request(b"second")
        await loop.wait_readable(device.fd)
        counted.read()

    run(main, loop)
    assert (counted.count, counted.empty) == (2, 1)


def test_others_get_their_turn_in_a_flood_of_requests(device: Device) -> None:
    control, theirs = socket.socketpair()
    counted = Counted(device)
    loop = Loop(control.fileno(), received=lambda: counted.count)
    heard: list[int] = []

    async def flood() -> None:
        while True:
            device.request(b"r")
            await loop.wait_readable(device.fd)
            counted.read()

    async def listen() -> None:
        await trio.lowlevel.wait_readable(control)
        heard.append(counted.count)
        loop.stop()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await let_others_run()
            theirs.send(b"stop")
            with pytest.raises(trio.ClosedResourceError):
                await flood()

    run(main, loop)
    assert heard[0] <= 40
    for end in (control, theirs):
        end.close()


def test_requests_that_wait_for_a_disk_are_given_up_where_a_read_finds_the_end(
    device: Device,
) -> None:
    loop = Loop(received=lambda: -1)

    async def reader() -> None:
        await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader)
            with loop.requests:
                await trio.sleep_forever()

    run(main, loop)
    assert loop.requests.cancelled_caught


@pytest.mark.parametrize("cut", [True, False])
def test_who_is_told_to_end_says_whether_the_connection_was_cut_before(
    device: Device, cut: bool
) -> None:
    loop = Loop()
    told: list[bool] = []
    loop.at_end = told.append

    async def main() -> None:
        device.request(b"r")
        async with loop.lock():
            await loop.wait_readable(device.fd)
        device.served.recv(1)
        if cut:
            device.served.send(b"never read")  # so that the other side's end is an error (unix(7))
            device.kernel.close()
        loop.stop()

    run(main, loop)
    assert told == [cut]
