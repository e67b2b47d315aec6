"""fsync and fdatasync that reach the disk without stalling other requests.

A sync in place stalls every other request for as long as the disk takes; one handed to a worker
thread costs two wake-ups more, 150 to 400 µs. So a sync stays in place only as long as the last
ones were quicker than that, as on tmpfs and on many solid-state disks.
"""

import os
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Final, TypeVar

import trio

from tracefs.capture.backing import errno_of
from tracefs.capture.loop import Loop

T = TypeVar("T")

_QUICK_NS: Final = 250_000
_PROOF: Final = 4
"""How many quick syncs in a row make the next one likely to be quick."""


class Syncer:
    """Decides where each sync runs."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._quick = 0

    async def sync(self, fd: int, *, datasync: bool) -> int:
        """Sync *fd* and return 0 or the error number."""
        call = os.fdatasync if datasync else os.fsync
        if self._quick >= _PROOF:
            return self._timed(call, fd)
        return await self.in_thread(self._timed, call, fd)

    async def in_thread(self, call: Callable[..., T], *args: Any) -> T:
        """Return what *call* returns, in a thread; other requests go on meanwhile."""
        with self._loop.through_trio():
            return await trio.to_thread.run_sync(call, *args)

    def _timed(self, call: Callable[[int], None], fd: int) -> int:
        start = monotonic_ns()
        try:
            call(fd)
        except OSError as error:
            return errno_of(error)
        finally:
            self._quick = self._quick + 1 if monotonic_ns() - start < _QUICK_NS else 0
        return 0
