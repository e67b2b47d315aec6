"""A recording, read for what a crash may leave of it."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tracefs import events
from tracefs.crashes import Blind
from tracefs.errors import RecordingError
from tracefs.events import AnyEvent, Header
from tracefs.findings import TraceSummary
from tracefs.journal.payload import PayloadReader
from tracefs.journal.reader import JournalReader
from tracefs.journal.start import StartTree
from tracefs.persistence.building import build
from tracefs.report.strace import spelled
from tracefs.source.resolver import Resolver as Sources
from tracefs.source.site import call_site
from tracefs.trace import Call, Trace

if TYPE_CHECKING:
    from tracefs.persistence.history import History

_SMALL: dict[str, tuple[str, str | None]] = {
    "sync_file_range": (
        "it promises nothing about metadata, and counts as no sync",
        "what it wrote may be lost in every state, as if it had not been called",
    ),
}
"""Calls that are no syncs: why not, and why that loses no state."""


class Bytes:
    """The bytes of a recording: `tracefs.persistence.pages.Recorded`."""

    def __init__(self, payload: PayloadReader, start: StartTree) -> None:
        self._payload, self._start = payload, start

    def payload(self, offset: int, size: int) -> bytes:
        """Return bytes that were written; RecordingError: they aren't there."""
        return self._payload.read(offset, size)

    def base(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a starting file; RecordingError: they can't be had any more."""
        return self._start.read(ino, offset, size)


class Recorded:
    """What a recording with its bytes tells; also a context manager."""

    def __init__(self, folder: Path, start: StartTree, payload: PayloadReader) -> None:
        """See `open`."""
        self.folder = folder
        self.start = start
        self._payload = payload
        self.bytes = Bytes(payload, start)
        self.header, self.calls, self.summary = _calls(folder)
        self._sources = Sources(self.header.started)
        finder = _Finder(self.calls)
        whole = [call for call in self.calls if call.family == "syncfs" and not call.errno]
        with JournalReader(folder) as journal:
            history = build(start.entries, journal.events(), finder.index, map(_Whole, whole))
        self.history: History = history
        self.blind = (
            *history.blind, *_missing(start), *_unheard(self.header), *_ranges(self.calls),
        )  # fmt: skip

    @classmethod
    def open(cls, folder: Path, source: Path | None = None) -> Self:
        """Read the recording in *folder*; *source* is where its directory is now.

        Raises:
            RecordingError: it can't be read, or has no bytes.
        """
        start = StartTree.open(folder, source)
        return cls(folder, start, PayloadReader(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._payload.close()
        self.start.close()

    def shown(self, call: int | None) -> str:
        """Return the call with its arguments."""
        return "a call that is not known" if call is None else spelled(self.calls[call])

    def place(self, call: int | None) -> str | None:
        """Return ``file:line`` of the call, or its place in a module; None: not known."""
        if call is None or not self.calls[call].stack:
            return None
        site = call_site(self._sources.resolve(self.calls[call].stack))
        if site is None or site.file is None or site.line is None:
            return None if site is None else str(site)
        return f"{site.file}:{site.line}"


class _Whole:
    """A call of sync(2) or syncfs(2)."""

    def __init__(self, call: Call) -> None:
        self.call = call.index
        self.start_ns = call.start_ns
        self.tid = call.tid or 0


class _Finder:
    """Calls by the requests that they made."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._by_thread: dict[int, list[Call]] = defaultdict(list)
        self._by_file: dict[int, list[Call]] = defaultdict(list)
        for call in calls:
            if call.tid is not None:
                self._by_thread[call.tid].append(call)
            elif call.ino is not None:
                self._by_file[call.ino].append(call)
        for found in (*self._by_thread.values(), *self._by_file.values()):
            found.sort(key=_begin)

    def index(self, event: AnyEvent) -> int | None:
        """Return the index of the call; None: not known."""
        if isinstance(event, events.Mark):
            return None
        found = self._by_thread.get(event.tid) if event.tid else None
        if found is None:
            found = self._by_file.get(getattr(event, "ino", 0), [])
        at = bisect_right(found, event.start_ns, key=_begin) - 1
        while at >= 0 and found[at].end_ns < event.end_ns and found[at].start_ns == event.start_ns:
            at -= 1
        if at < 0 or found[at].end_ns < event.end_ns:
            return None
        return found[at].index


def _begin(call: Call) -> int:
    return call.start_ns


def _calls(folder: Path) -> tuple[Header, list[Call], TraceSummary]:
    with JournalReader(folder) as journal:
        trace = Trace(journal)
        calls = [item for item in trace.items() if isinstance(item, Call)]
        if any(call.index != place for place, call in enumerate(calls)):
            raise RecordingError("the calls of this recording are not numbered one by one")
        return journal.header, calls, trace.summary()


def _missing(start: StartTree) -> list[Blind]:
    """Return what of the starting tree is not known."""
    return [
        Blind(kind="starting tree", path=entry.path, count=1, reason=entry.missing)
        for entry in start.entries
        if entry.missing is not None
    ]


def _unheard(header: Header) -> list[Blind]:
    """Return what the recording's witness could not tell of."""
    if {"sync", "syncfs"} <= set(header.notified):
        return []
    return [
        Blind(
            kind="sync, syncfs",
            path=None,
            count=0,
            reason=f"the witness {header.witness} hears of neither",
            harmless="a sync that was not heard of makes more states, not fewer",
        )
    ]


def _ranges(calls: Iterable[Call]) -> list[Blind]:
    count = sum(call.family == "range" for call in calls)
    reason, harmless = _SMALL["sync_file_range"]
    if not count:
        return []
    return [Blind(kind="sync_file_range", path=None, count=count, reason=reason, harmless=harmless)]
