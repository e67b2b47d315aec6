"""Requests that a rule holds: how they are let go, and given up."""

import errno
import os
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import trio
import trio.testing

from tracefs.capture.held import Held
from tracefs.faults.model import Rule

ONE, OTHER = Rule(text="fsync:stuck", calls=("fsync",)), Rule(text="write:stuck", calls=("write",))
MS = 1_000_000


def played(play: Callable[[Held], Awaitable[None]]) -> None:
    """Run *play* by a clock that goes on when nothing else does."""

    async def main() -> None:
        await play(Held(nullcontext))

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def held_by(held: Held, nursery: trio.Nursery, *rules: Rule) -> list[int]:
    """Let requests be held; return what they will have ended with, in the order of their ends."""
    ended: list[int] = []

    async def request(rule: Rule) -> None:
        ended.append(await held.until_released(rule, 0))

    for rule in rules:
        nursery.start_soon(request, rule)
    await trio.testing.wait_all_tasks_blocked()
    return ended


def test_a_release_is_of_those_that_wait_now() -> None:
    async def play(held: Held) -> None:
        async with trio.open_nursery() as nursery:
            ended = await held_by(held, nursery, ONE, OTHER)
            await trio.sleep(3600)
            assert (len(held), ended) == (2, [])
            assert held.release() == 2
            assert held.release() == 0
            await trio.testing.wait_all_tasks_blocked()
            assert ended == [0, 0]
            later = await held_by(held, nursery, ONE)
            await trio.sleep(3600)
            assert later == []
            assert held.release() == 1
        assert later == [0]

    played(play)


def test_rules_that_go_let_go_what_they_hold() -> None:
    async def play(held: Held) -> None:
        async with trio.open_nursery() as nursery:
            ended = await held_by(held, nursery, ONE, OTHER)
            assert held.keep([OTHER]) == 1
            await trio.sleep(3600)
            assert ended == [0]
            assert held.keep([]) == 1

    played(play)


def test_the_mounts_end_lets_nothing_be_held() -> None:
    async def play(held: Held) -> None:
        async with trio.open_nursery() as nursery:
            ended = await held_by(held, nursery, ONE)
            nursery.start_soon(held.for_ns, 3600 * 1000 * MS, 0)
            await trio.testing.wait_all_tasks_blocked()
            held.end(aborted=False)
            held.end(aborted=True)
        assert ended == [errno.EIO]
        assert await held.until_released(ONE, 0) == errno.EIO
        await held.for_ns(1000 * MS, 0)
        assert trio.current_time() - began == 0

    began = 0.0

    async def timed(held: Held) -> None:
        nonlocal began
        began = trio.current_time()
        await play(held)

    played(timed)


def test_where_nobody_hears_the_answer_it_is_what_the_kernel_told() -> None:
    async def play(held: Held) -> None:
        held.end(aborted=True)
        assert await held.until_released(ONE, 0) == errno.ECONNABORTED

    played(play)


def test_a_delay_lasts_as_long_as_it_is_to() -> None:
    async def play(held: Held) -> None:
        for time_ns in (0, 1, 50 * MS, 100 * MS, 12_345 * MS):
            before = trio.current_time()
            await held.for_ns(time_ns, 0)
            assert abs(trio.current_time() - before - time_ns / 1e9) < 1e-6

    played(play)


def test_a_request_of_a_thread_that_lives_is_held() -> None:
    async def play(held: Held) -> None:
        with trio.move_on_after(3600) as scope:
            await held.until_released(ONE, os.getpid())
        assert scope.cancelled_caught
        assert len(held) == 0

    played(play)
