"""fsync and fdatasync that reach the disk without stalling other requests.

A sync is handed to a thread that stands by (``_standby.c``). Of a file whose syncs have been quick
it is waited for in place, which costs 5 µs, for 250 µs at most; of one whose syncs have been slow
it is not, so that nobody is stalled. In memory, where it does nothing, it is done in place.
"""

import math
import os
import select
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

import trio

from tracefs.capture import _standby
from tracefs.capture.backing import errno_of
from tracefs.capture.inodes import SYNC_UNKNOWN, Node
from tracefs.capture.loop import Loop

T = TypeVar("T")

_QUICK_NS: Final = 250_000
"""How long all requests may be stalled by one sync."""
_PROOF: Final = 4
"""How many quick syncs in a row make the next one of that file likely to be quick."""
_IN_MEMORY: Final = _PROOF + 1
"""Of a file whose syncs do nothing."""
_MOST_DEVICES: Final = 64


class Standby(Protocol):
    """What ``_standby.c`` offers."""

    @property
    def NONE(self) -> int:  # noqa: N802  # as in C
        """Answer of *begin*: nothing was done."""

    def begin(self, fd: int, datasync: bool, patience_ns: int, /) -> int:
        """Sync *fd* and return 0 or the error number, if it takes no longer than *patience_ns*.

        Else an answer below *NONE*, for *event* and *end*.
        """

    def event(self, answer: int, /) -> int:
        """Return a descriptor that is readable once the sync has ended."""

    def end(self, answer: int, /) -> tuple[int, int]:
        """Return 0 or the error number of a sync that has ended, and how many ns it took."""

    def in_memory(self, fd: int, /) -> bool:
        """Return whether a sync does nothing there."""


class Syncer:
    """Decides where each sync runs."""

    def __init__(self, loop: Loop, standby: Standby = _standby) -> None:
        self.through_trio: Final = loop.through_trio
        """To be entered by who waits for anything else of trio's."""
        self._standby = standby
        self._devices: dict[int, bool] = {}
        """Device -> whether the last sync there was quick."""
        # Any number may be slow at once: trio's own limit would let some hold up the others.
        self._threads = trio.CapacityLimiter(math.inf)

    def in_memory(self, node: Node, fd: int) -> bool:
        """Return whether a sync of *fd*, an open of *node*, does nothing."""
        if node.quick_syncs == SYNC_UNKNOWN:
            node.quick_syncs = self._guess(node, fd)
        return node.quick_syncs == _IN_MEMORY

    async def sync(self, node: Node, fd: int, *, datasync: bool) -> int:
        """Sync *fd*, an open of *node*, and return 0 or the error number."""
        if self.in_memory(node, fd):
            return _synced(fd, datasync)
        quick = node.quick_syncs
        answer = self._standby.begin(fd, datasync, _QUICK_NS if quick == _PROOF else 0)
        if answer >= 0:
            self._learn(node, quick=True)
            return answer
        if answer == self._standby.NONE:
            return await self.in_thread(_synced, fd, datasync)
        failed, took_ns = await self._ended(answer)
        self._learn(node, quick=took_ns < _QUICK_NS)
        return failed

    async def in_thread(self, call: Callable[..., T], *args: Any) -> T:
        """Return what *call* returns, in a thread; other requests go on meanwhile."""
        with self.through_trio():
            try:
                return await trio.to_thread.run_sync(
                    call, *args, limiter=self._threads, abandon_on_cancel=True
                )
            except RuntimeError:
                # No thread is to be had (pthread_create(3)): all wait, and nothing is lost.
                return call(*args)

    async def _ended(self, answer: int) -> tuple[int, int]:
        """Return error number and duration of a sync that goes on, once it has ended."""
        event = self._standby.event(answer)
        while True:
            try:
                with self.through_trio():
                    await trio.lowlevel.wait_readable(event)
            except OSError:
                # epoll_ctl(2) has no memory; the sync goes on all the same.
                await self.in_thread(_await_readable, event)
            try:
                return self._standby.end(answer)
            except BlockingIOError:
                continue

    def _guess(self, node: Node, fd: int) -> int:
        """Return what to expect of a file that was never synced: what its device did last."""
        if self._standby.in_memory(fd):
            return _IN_MEMORY
        return _PROOF if self._devices.get(node.key[0], True) else 0

    def _learn(self, node: Node, *, quick: bool) -> None:
        node.quick_syncs = min(node.quick_syncs + 1, _PROOF) if quick else 0
        if len(self._devices) >= _MOST_DEVICES:
            self._devices.clear()
        self._devices[node.key[0]] = quick


def _await_readable(fd: int) -> None:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    poller.poll()


def _synced(fd: int, datasync: bool) -> int:
    try:
        (os.fdatasync if datasync else os.fsync)(fd)
    except OSError as error:
        return errno_of(error)
    return 0
