"""Events in journal order become calls, in one pass."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

from tracefs.events import (
    AnyEvent,
    Copy,
    Create,
    Event,
    Fallen,
    Fallocate,
    Faults,
    Flush,
    Fsync,
    Fsyncdir,
    Header,
    Ioctl,
    Link,
    Lost,
    Mark,
    Mkdir,
    Mknod,
    Notice,
    Open,
    Query,
    Read,
    Release,
    Removexattr,
    Rename,
    Rmdir,
    Setattr,
    Setxattr,
    Statfs,
    Symlink,
    Unlink,
    Withdrawn,
    Write,
)
from tracefs.trace.call import Marked, Released, TraceItem
from tracefs.trace.fallocate import Emulation
from tracefs.trace.handles import Handles
from tracefs.trace.naming import Namer
from tracefs.trace.notices import NOTIFYING, SEVERAL, Notices
from tracefs.trace.output import Output
from tracefs.trace.requests import Requests
from tracefs.trace.retried import CHANGING
from tracefs.trace.writes import Writes

_ASKING: Final = (Write, Fsync)


def join(header: Header, events: Iterable[AnyEvent], *, reads: bool = False) -> Iterator[TraceItem]:
    """Yield the calls behind *events*, each as soon as it is complete.

    Args:
        header: of the journal that the events come from.
        events: in journal order.
        reads: also yield READs, which fetch pages and are no calls: family read, index -1.

    Never raises for any sequence of well-formed events. Memory is bounded by the open files and
    the threads that are inside a call.
    """
    return calls_only(Joiner(header, reads=reads).run(events))


def calls_only(items: Iterator[TraceItem | Marked]) -> Iterator[TraceItem]:
    """Return *items*, as a run without marks yields them."""
    return cast("Iterator[TraceItem]", items)


class Joiner:
    """One pass over one recording."""

    def __init__(self, header: Header, *, reads: bool = False) -> None:
        self.output = Output()
        """Holds the counts."""
        self.exhausted = False
        """All events were joined, and what they tell was yielded."""
        self._handles = Handles()
        namer = Namer(header)
        pwrite = namer.numbers(frozenset({"pwrite64"}))
        self._emulation = Emulation(header.block_size, pwrite)
        self._writes = Writes(header, namer, self._handles, self._emulation, self.output)
        self.notices = Notices(header, namer, self._handles, self.output)
        self._requests = Requests(
            namer, self._handles, self.notices, self.output, self._sync_failed
        )
        self._notified = header.witness in NOTIFYING
        self._watches_changes = False
        self._handlers = self._dispatch(reads=reads)

    def _dispatch(self, *, reads: bool) -> dict[type[Event], Callable[[Any], None]]:
        requests = self._requests
        return {
            Write: self._writes.write,
            Copy: requests.copy,
            Fallocate: requests.fallocate,
            Fsync: requests.fsync,
            Open: requests.open,
            Create: requests.open,
            Flush: requests.flush,
            Release: self._release,
            Fsyncdir: requests.fsyncdir,
            Setattr: requests.setattr,
            Rename: requests.rename,
            Unlink: requests.unlink,
            Rmdir: requests.rmdir,
            Link: requests.link,
            Symlink: requests.symlink,
            Mkdir: requests.mkdir,
            Mknod: requests.mknod,
            Setxattr: requests.setxattr,
            Removexattr: requests.removexattr,
            Ioctl: requests.ioctl,
            Read: requests.read if reads else _ignore,
            Statfs: self._emulation.start,
            Query: _ignore,
            Notice: self.notices.notice,
            Lost: _ignore,
            Withdrawn: _ignore,
            Mark: _ignore,
            Faults: _ignore,
            Fallen: self.output.fallen.append,
        }

    def run(
        self, events: Iterable[AnyEvent], *, marks: bool = False
    ) -> Iterator[TraceItem | Marked]:
        """Yield what *events* tell, *marks* too where they are wanted; to be called once."""
        if marks:
            self._handlers[Mark] = self._mark
        handlers, items, take = self._handlers, self.output.items, self._take
        pending, pending_on = self._writes.pending, self._writes.pending_on
        goes_on = self._writes.goes_on
        runs, notified, notices = self._emulation.runs, self._notified, self.notices
        announced, own = (notices.announced, notices.own) if notified else ({}, set())
        users, seeking = notices.users, notices.seeking
        event: Any
        for event in events:
            kind = type(event)
            if (
                # Most events: no notice concerns them, and none of posix_fallocate's sequences.
                (kind is Write or kind is Fsync)
                and (tid := event.tid) not in runs
                and tid not in announced
                and (ino := event.ino) not in seeking
                and (not notified or (user := users.get(ino)) == tid or user == SEVERAL)
            ):
                if not (tid in pending or ino in pending_on) or not goes_on(event):
                    handlers[kind](event)
            else:
                take(event)
            if items:
                if announced or own:
                    notices.after()  # and what *event* completes, too
                if len(items) == 1:
                    yield items.pop()
                else:
                    yield from items
                    items.clear()
        self._writes.end()
        notices.after()
        notices.end()
        yield from items
        items.clear()
        self.exhausted = True

    def _take(self, event: AnyEvent) -> None:
        """Take an event; it may complete or continue what is under way."""
        writes, notified, notices = self._writes, self._notified, self.notices
        tid = event.tid
        if notified and tid in notices.announced and isinstance(event, _ASKING):
            event = notices.supplied(event)
        if tid in self._emulation.runs:
            self._emulation.pass_by(event)
        absorbed = writes.goes_on(event)
        if notified:
            if self.output.items:
                notices.complete()  # what was just completed has its notice still
            notices.before(event)
        if not absorbed:
            self._handlers[type(event)](event)

    def _release(self, event: Release) -> None:
        self._writes.released(event)
        self._handles.released(event.fh)
        self.output.items.append(Released(handle=event.fh, ino=event.ino, end_ns=event.end_ns))

    def _sync_failed(self, ino: int, call: int) -> None:
        """Note it, and from the first on what is written after one; most traces have none."""
        failed = self._requests.failed_syncs
        failed.failed(ino, call)
        if not self._watches_changes:
            self._watches_changes = True
            for kind in CHANGING:
                self._handlers[kind] = _after(failed.take, self._handlers[kind])

    def _mark(self, event: Mark) -> None:
        marked = Marked(text=event.text, at_ns=event.start_ns, tid=event.tid or None)
        self.output.items.append(marked)


def _after(first: Callable[[Any], None], then: Callable[[Any], None]) -> Callable[[Any], None]:
    def both(event: Any) -> None:
        first(event)
        then(event)

    return both


def _ignore(event: Event) -> None:
    """Take no notice: a request that only asks is no call on data."""
