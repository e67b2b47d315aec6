"""What can be asked of a mount that is being served, between two of its requests.

Each answer is given when it holds. Whoever asks waits for it, so what it was told by the mount
before is above the place in the journal, and what it does afterwards is below.
"""

import os
import select
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import monotonic_ns
from typing import Final, TypeAlias

import msgspec
import trio

from tracefs import events
from tracefs.capture.coverage import Coverage, End, Left
from tracefs.capture.header import header
from tracefs.capture.injection import Injection, is_scoped
from tracefs.capture.messages import (
    Asked,
    Begin,
    Begun,
    Config,
    Done,
    Finish,
    Inject,
    Let,
    Mark,
    Marked,
    Refused,
    Rules,
    Settle,
    Settled,
    Told,
)
from tracefs.capture.syncer import Syncer
from tracefs.errors import RecordingError
from tracefs.journal.writer import JournalWriter
from tracefs.pathtext import to_bytes

Rotate: TypeAlias = Callable[[Callable[[], JournalWriter]], Awaitable[JournalWriter]]

_DUE_NS: Final = 1_000_000
"""How long releases that are under way may put a new recording off, in nanoseconds."""


class Control:
    """The recordings of one mount, one after the other.

    Args:
        config: of the first recording; the others differ in what `Begin` says.
        block_size: ``f_bsize`` of the source.
        journal: where the lines go; it is the same for all recordings.
        injection: the faults that are made.
        shared: another process has the journal open, so that there can be no other.
        device: of FUSE.
        left: tells the opens of files that were not released.
        in_use: counts these, and those of directories.
        rotate: has what it is given begin another recording.
        unlock: lets others trace the directory.
        end_play: lets what failed syncs have lost go back.
    """

    def __init__(
        self,
        config: Config,
        block_size: int,
        journal: JournalWriter,
        injection: Injection,
        coverage: Coverage,
        syncer: Syncer,
        device: int,
        left: Callable[[], Sequence[Left]],
        in_use: Callable[[], int],
        rotate: Rotate,
        unlock: Callable[[], None],
        end_play: Callable[[], None],
        *,
        shared: bool,
    ) -> None:
        self._config = config
        self._block_size = block_size
        self._journal = journal
        self._coverage = coverage
        self._syncer = syncer
        self._device = device
        self._left = left
        self._in_use = in_use
        self._rotate = rotate
        self._unlock = unlock
        self._end_play = end_play
        self._shared = shared
        self.injection: Final = injection
        """The faults that are made; others than the owner may ask for them, too."""

    async def answer(self, asked: Asked | Finish) -> Told | Refused | Done | None:
        """Do it; None: the answer is the server's last word, which is to come."""
        match asked:
            case Begin():
                return await self._begin(asked)
            case Mark():
                return self._mark(asked)
            case Settle():
                return await self._settle(asked)
            case Inject() | Rules() | Let():
                return self.injection.answer(asked)
            case Finish():
                return self._finish(asked)

    async def _begin(self, asked: Begin) -> Begun | Refused:
        if self._shared:
            return Refused(number=asked.number, message="the seccomp witness has the journal, too")
        await self._take_what_is_due(_DUE_NS)
        config = msgspec.structs.replace(
            self._config,
            recording=asked.recording,
            bypassed_by=asked.bypassed_by,
            faults=self.injection.rules,
        )
        folder = Path(os.fsdecode(to_bytes(asked.recording)))
        try:
            ended = await self._rotate(
                lambda: self._journal.succeed(folder, header(config, self._block_size))
            )
        except RecordingError as error:
            return Refused(number=asked.number, message=str(error), repair=error.repair)
        self._config = config
        if is_scoped(config.faults):
            self.injection.note()  # of which the header doesn't tell it
        # Whole in any case, though the mount may end meanwhile; hashed while others are answered.
        with trio.CancelScope(shield=True):
            await self._syncer.in_thread(ended.close, monotonic_ns(), "rotated")
        return Begun(number=asked.number, events=ended.events, failed=ended.failed)

    def _mark(self, asked: Mark) -> Marked:
        now = monotonic_ns()
        self._journal.event(events.Mark(start_ns=now, end_ns=now, tid=asked.tid, text=asked.text))
        return Marked(number=asked.number)

    async def _settle(self, asked: Settle) -> Settled:
        await self._take_what_is_due(asked.patience_ms * 1_000_000)
        self._journal.settle()
        left = self._left()
        return Settled(
            number=asked.number,
            opens=len(left),
            closed=sum(one.closed for one in left),
            failed=self._journal.failed,
        )

    def _finish(self, asked: Finish) -> Done | None:
        if self._ready() & select.POLLERR:
            return None
        gap = self._coverage.gap(End.UNMOUNTED, ())
        if gap is not None:
            self._journal.stop(gap)
        self._end_play()
        self._journal.close(monotonic_ns(), "unmounted")
        self.injection.end()
        if asked.free:
            self._unlock()
        return Done(
            events=self._journal.events,
            failed=self._journal.failed,
            lingers=True,
            opens=self._in_use(),
        )

    async def _take_what_is_due(self, patience_ns: int) -> None:
        """Wait until no request waits in the kernel.

        A RELEASE is there when the close that caused it returns: it is sent in the background, but
        by the closing thread itself (fuse_file_put in fs/fuse/file.c).
        """
        end = monotonic_ns() + patience_ns
        with self._syncer.through_trio():
            while self._ready() & select.POLLIN and monotonic_ns() < end:
                await trio.lowlevel.checkpoint()

    def _ready(self) -> int:
        """Return what poll(2) says of the device: POLLERR once the connection has ended."""
        poller = select.poll()
        poller.register(self._device, select.POLLIN)
        return next((event for _, event in poller.poll(0)), 0)
