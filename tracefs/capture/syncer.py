"""fsync and fdatasync that reach the disk without stalling other requests.

Where syncs have been quick, one is handed to the thread that stands by (``_standby.c``) and waited
for in place, which costs 5 µs; in memory it is done at once. After 250 µs the wait goes on through
trio, and other requests are served. A worker thread of trio's costs 150 to 400 µs, but stalls
nobody at all: so it has the syncs where the last ones were slow.
"""

import math
import os
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Final, Protocol, TypeVar

import trio

from tracefs.capture import _standby
from tracefs.capture.backing import errno_of
from tracefs.capture.loop import Loop

T = TypeVar("T")

_QUICK_NS: Final = 250_000
"""How long all requests may be stalled by one sync."""
_PROOF: Final = 4
"""How many quick syncs in a row make the next one likely to be quick."""


class Standby(Protocol):
    """What ``_standby.c`` offers."""

    @property
    def RUNNING(self) -> int:  # noqa: N802  # as in C
        """Answer of *begin*: the sync goes on."""

    @property
    def BUSY(self) -> int:  # noqa: N802
        """Answer of *begin*: nothing was done."""

    def begin(self, fd: int, datasync: bool, patience_ns: int, /) -> int:
        """Sync *fd* and return 0 or the error number, if it takes no longer than *patience_ns*."""

    def end(self) -> int:
        """Return 0 or the error number of the sync that was running, once it has ended."""


class Syncer:
    """Decides where each sync runs."""

    def __init__(self, loop: Loop, standby: Standby = _standby) -> None:
        self._loop = loop
        self._standby = standby
        self._quick = _PROOF
        # Any number may be slow at once: trio's own limit would let some hold up the others.
        self._threads = trio.CapacityLimiter(math.inf)

    async def sync(self, fd: int, *, datasync: bool) -> int:
        """Sync *fd* and return 0 or the error number."""
        if self._quick >= _PROOF:
            answer = self._standby.begin(fd, datasync, _QUICK_NS)
            if answer >= 0:
                return answer
            if answer == self._standby.RUNNING:
                self._quick = 0
                return await self.in_thread(self._standby.end)
        return await self.in_thread(self._timed, os.fdatasync if datasync else os.fsync, fd)

    async def in_thread(self, call: Callable[..., T], *args: Any) -> T:
        """Return what *call* returns, in a thread; other requests go on meanwhile."""
        with self._loop.through_trio():
            try:
                return await trio.to_thread.run_sync(
                    call, *args, limiter=self._threads, abandon_on_cancel=True
                )
            except RuntimeError:
                # No thread is to be had (pthread_create(3)): all wait, and nothing is lost.
                return call(*args)

    def _timed(self, call: Callable[[int], None], fd: int) -> int:
        start = monotonic_ns()
        try:
            call(fd)
        except OSError as error:
            return errno_of(error)
        finally:
            self._quick = self._quick + 1 if monotonic_ns() - start < _QUICK_NS else 0
        return 0
