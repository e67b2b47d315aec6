"""glibc's emulation of posix_fallocate(3), which a filesystem without fallocate gets.

``sysdeps/posix/posix_fallocate64.c`` calls fstatfs, then pwrite64 of one zero byte in each block of
min(f_bsize, 4096) bytes, in ascending order, passing over blocks that hold data already. The bytes
come from one constant, so the address of the buffer is the same in all of them.

The pattern alone decides. A program that asks for fstatfs itself and then writes a single zero
byte makes the same requests, and is labelled too: its arguments don't tell them apart.
"""

from collections.abc import Container
from typing import Final

from tracefs.events import AnyEvent, Fallen, Faults, Notice, Query, Read, Statfs, Write

NOTE: Final = (
    "glibc's posix_fallocate: where there is no fallocate it writes a zero byte to each block"
)

_MAX_THREADS: Final = 1024
_UNBLOCKED: Final = 512
"""What glibc takes where f_bsize is 0."""
_MAX_STEP: Final = 4096


class Emulation:
    """Follows each thread that has called fstatfs."""

    __slots__ = ("_numbers", "_step", "runs")

    def __init__(self, block_size: int, numbers: Container[int]) -> None:
        self._numbers = numbers
        """Of pwrite64."""
        self._step = min(block_size, _MAX_STEP) if block_size > 0 else _UNBLOCKED
        self.runs: dict[int, Write | None] = {}
        """The last write of each thread's sequence; None: fstatfs alone so far."""

    def start(self, event: Statfs) -> None:
        """Expect a sequence of this thread."""
        self.runs.pop(event.tid, None)
        self.runs[event.tid] = None
        if len(self.runs) > _MAX_THREADS:
            del self.runs[next(iter(self.runs))]

    def pass_by(self, event: AnyEvent) -> None:
        """End the thread's sequence unless *event* can lie within one."""
        if isinstance(event, Read | Query | Faults | Fallen):
            return
        if isinstance(event, Notice):
            lies_within = event.seen.nr in self._numbers
        else:
            lies_within = self._is_zero_byte(event)
        if not lies_within:
            self.runs.pop(event.tid, None)

    def note(self, event: Write) -> str | None:
        """Return the label of a pwrite64 of one zero byte; None: not of a sequence."""
        if event.tid not in self.runs:
            return None
        last = self.runs[event.tid]
        if last is not None and not self._follows(last, event):
            del self.runs[event.tid]
            return None
        self.runs[event.tid] = event
        return NOTE

    def _is_zero_byte(self, event: AnyEvent) -> bool:
        return (
            isinstance(event, Write)
            and event.zero
            and event.seen is not None
            and event.seen.nr in self._numbers
        )

    def _follows(self, last: Write, event: Write) -> bool:
        gap = event.offset - last.offset
        return (
            gap > 0
            and gap % self._step == 0
            and event.fh == last.fh
            and last.seen is not None
            and event.seen is not None
            and event.seen.args[:2] == last.seen.args[:2]
        )
