"""Counts, sync times, rewritten pages and unsynced bytes of a trace: one pass, bounded memory."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from tracefs.findings import TraceSummary
from tracefs.report.durability import Durability
from tracefs.report.effects import Effect
from tracefs.report.histogram import Histogram
from tracefs.report.rewrites import PageWrites, Rewrites
from tracefs.report.unsynced import Waiting
from tracefs.trace.call import Call, TraceItem


class CallCount(Struct, frozen=True, kw_only=True):
    """How often a system call was made."""

    call: str
    count: int
    failed: int


class Bucket(Struct, frozen=True, kw_only=True):
    """Calls that took less than so long, and not less than half of it."""

    below_ns: int
    """A power of two."""
    count: int


class Latency(Struct, frozen=True, kw_only=True):
    """How long calls of one name took; percentiles are rounded up by at most 1/32."""

    call: str
    count: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    max_ns: int
    buckets: tuple[Bucket, ...] = ()
    """From the quickest to the slowest, none left out between."""


class UnsyncedClose(Struct, frozen=True, kw_only=True):
    """A close of a file that had unsynced bytes."""

    call: int
    """Index of the close."""
    path: str
    bytes: int


class UnsyncedReport(Struct, frozen=True, kw_only=True):
    """Bytes written that no later sync covered."""

    closes: int
    """Closes in all."""
    closes_with_unsynced: int
    at_close: tuple[UnsyncedClose, ...]
    """The first of them, in order; see *closes_with_unsynced* for how many there are."""
    bytes_at_end: int
    files_at_end: int
    at_end: tuple[Waiting, ...]
    """The files with most unsynced bytes, most first."""
    not_followed: int
    """Writes beyond the limit of what is followed; above 0, all bytes here are lower bounds."""
    uncertain_syncs: int
    """Syncs beside so many concurrent writes that what they covered is assumed."""


class StatsReport(Struct, frozen=True, kw_only=True):
    """The answer of ``tracefs stats``."""

    calls: tuple[CallCount, ...]
    bytes_written: int
    unplaced_writes: int
    """Writes whose file, offset or extent is not known: in no figure about pages or syncs."""
    syncs: tuple[Latency, ...] | None
    """None: how long calls took is not known."""
    rewrites: Rewrites
    unsynced: UnsyncedReport
    trace: TraceSummary


class Stats:
    """Takes in the items of a trace, then reports.

    Args:
        page_size: in bytes.
        top: rows kept of each list.
        lasting: it is known how long calls took.
    """

    def __init__(self, page_size: int, top: int, *, lasting: bool = True) -> None:
        self._top, self._lasting = top, lasting
        self._calls: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._bytes = 0
        self._unplaced = 0
        self._syncs: dict[str, Histogram] = {}
        self._pages = PageWrites(page_size, top)
        self._durability = Durability()
        self._closes = 0
        self._closes_with_unsynced = 0
        self._at_close: list[UnsyncedClose] = []

    def add_all(self, items: Iterable[TraceItem]) -> None:
        """Take in *items*, in order."""
        for item in items:
            if isinstance(item, Call):
                self.add(item)

    def add(self, call: Call) -> None:
        """Take in *call*; one that did nothing counts as a call and changes nothing else."""
        self._calls[call.call] += 1
        if call.errno:
            self._failed[call.call] += 1
        effect = self._durability.take(call)
        if not call.done:
            return
        match call.family:
            case "open" if effect.kind == "made" and call.ino is not None:
                self._pages.forget(call.ino)
            case "write":
                self._wrote(call, effect)
            case "sync" | "syncdir":
                self._synced(call)
            case "close":
                self._closed(call)

    def report(self, trace: TraceSummary) -> StatsReport:
        """Return the figures; *trace* says what they rest on."""
        return StatsReport(
            calls=tuple(
                CallCount(call=name, count=count, failed=self._failed[name])
                for name, count in sorted(self._calls.items(), key=lambda c: (-c[1], c[0]))
            ),
            bytes_written=self._bytes,
            unplaced_writes=self._unplaced,
            syncs=(
                tuple(_latency(name, times) for name, times in sorted(self._syncs.items()))
                if self._lasting
                else None
            ),
            rewrites=self._pages.result(),
            unsynced=self._unsynced_report(),
            trace=trace,
        )

    def _wrote(self, call: Call, effect: Effect) -> None:
        self._bytes += call.result or 0
        if effect.kind == "unplaced":
            self._unplaced += 1
        elif call.ino is not None and effect.kind != "none":
            self._pages.add(call.ino, call.path or "?", effect.start, effect.stop - effect.start)

    def _synced(self, call: Call) -> None:
        self._syncs.setdefault(call.call, Histogram()).add(call.end_ns - call.start_ns)

    def _closed(self, call: Call) -> None:
        self._closes += 1
        waiting = 0 if call.ino is None else self._durability.unsynced.waiting(call.ino)
        if not waiting:
            return
        self._closes_with_unsynced += 1
        if len(self._at_close) < self._top:
            close = UnsyncedClose(call=call.index, path=call.path or "?", bytes=waiting)
            self._at_close.append(close)

    def _unsynced_report(self) -> UnsyncedReport:
        waiting = sorted(self._durability.unsynced.all_waiting(), key=lambda w: (-w.bytes, w.path))
        return UnsyncedReport(
            closes=self._closes,
            closes_with_unsynced=self._closes_with_unsynced,
            at_close=tuple(self._at_close),
            bytes_at_end=sum(file.bytes for file in waiting),
            files_at_end=len(waiting),
            at_end=tuple(waiting[: self._top]),
            not_followed=self._durability.unsynced.not_followed,
            uncertain_syncs=self._durability.unsynced.uncertain,
        )


def _latency(name: str, times: Histogram) -> Latency:
    return Latency(
        call=name,
        count=times.count,
        p50_ns=times.percentile(50),
        p90_ns=times.percentile(90),
        p99_ns=times.percentile(99),
        max_ns=times.maximum,
        buckets=tuple(Bucket(below_ns=below, count=count) for below, count in times.doublings()),
    )
