"""One write call that is not complete yet."""

import math

from tracefs.events import Fsync, Injected, Sighting, Write
from tracefs.trace.claims import Claim
from tracefs.trace.handles import Handle


class Pending:
    """A write call of which a fragment was seen, until nothing more of it can come.

    The kernel makes the fragments one after the other, in order. Only an O_DIRECT write inside the
    file has all of them under way at once (``async_dio`` in fs/fuse/file.c): there a failure does
    not end the sequence, and the call fails as a whole.
    """

    __slots__ = (
        "claim", "direct", "done", "doubt", "end_ns", "errno", "first", "fragments", "handle",
        "injected", "next", "over", "seen", "stop", "sync_flag", "synced",
    )  # fmt: skip

    def __init__(
        self,
        first: Write,
        seen: Sighting,
        claim: Claim,
        handle: Handle | None,
        sync_flag: str | None,
        *,
        direct: bool,
    ) -> None:
        self.first = first
        self.seen = seen
        self.claim = claim
        self.handle = handle
        self.sync_flag = sync_flag
        """Flag for which an FSYNC is to follow."""
        self.direct = direct
        self.next = first.offset
        """Offset of the next fragment."""
        limit = claim.limit
        self.stop = math.inf if limit is None else first.offset + limit
        """Offset behind the last byte that it can write; infinite where that is not known."""
        self.done = 0
        """Bytes written."""
        self.fragments = 0
        self.errno = 0
        self.over = False
        """No further fragment can come."""
        self.synced = False
        """The implied sync came, and succeeded, after the last fragment."""
        self.doubt: str | None = None
        """Why it is not known what the program was told."""
        self.end_ns = first.end_ns
        self.injected: tuple[Injected, ...] = ()
        """Of all its requests."""
        self.add(first)

    def takes(self, event: Write) -> bool:
        """Tell whether *event* is the next fragment of this call."""
        seen = event.seen
        return seen is not None and self._is_next(event) and self._same_call(seen)

    def may_take(self, event: Write) -> bool:
        """Tell whether *event*, whose caller was not seen, could be the next fragment."""
        return (event.seen is None or event.seen.nr < 0) and self._is_next(event)

    def add(self, event: Write) -> None:
        """Count a fragment in."""
        self.fragments += 1
        self.end_ns = event.end_ns
        if event.injected:
            self.injected += event.injected
        self.next += event.size
        self.synced = False
        failed = event.errno != 0 or event.result < event.size
        if not self.errno and not event.errno:
            self.done += event.result
        if failed and self.direct and self.done:
            self.doubt = (
                "a part of this O_DIRECT write failed: what the call returned is not visible"
            )
        if event.errno and not self.errno:
            self.errno = event.errno
        self.over = self.next >= self.stop or (failed and not self.direct)

    def causes(self, event: Fsync) -> bool:
        """Tell whether *event* is the sync that this call's flag implies."""
        seen = event.seen
        return (
            self.sync_flag is not None
            and self.done > 0
            and seen is not None
            and event.fh == self.first.fh
            and seen.nr == self.seen.nr
            and seen.args == self.seen.args
        )

    def sync(self, event: Fsync) -> None:
        """Count the implied sync in; the call fails with it (``generic_write_sync``)."""
        self.end_ns = event.end_ns
        self.synced = event.errno == 0
        if event.injected:
            self.injected += event.injected
        if not event.errno:
            self.over = self.over or not self.claim.splices
            return
        self.over = True
        if self.claim.splices and self.fragments > 1:
            self.doubt = "an implied sync failed: what the call returned is not visible"
        else:
            self.errno, self.done = event.errno, 0

    @property
    def waits_for_sync(self) -> bool:
        """An implied sync is still to come."""
        return self.sync_flag is not None and not self.synced and self.done > 0 and not self.doubt

    def _is_next(self, event: Write) -> bool:
        return (
            not self.over
            and event.fh == self.first.fh
            and event.offset == self.next
            and self.next + event.size <= self.stop
        )

    def _same_call(self, seen: Sighting) -> bool:
        mine = self.seen
        return (
            seen.nr == mine.nr
            and seen.args == mine.args
            and (seen.position == mine.position or None in {seen.position, mine.position})
        )
