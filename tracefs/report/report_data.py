"""All calls of a trace as the report's page reads them: columns, tables, and what waits for syncs.

The page decodes what is written here; ``report_data.js`` is the other side of it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from msgspec import Struct

from tracefs.report.columns import LARGEST, Column, Packed, countable, pack
from tracefs.report.effects import Effect, Kind
from tracefs.report.ledger import Changed, Entry, Ledger, Owed
from tracefs.report.quote import printable
from tracefs.report.strace import error_name
from tracefs.trace.call import Call, TraceItem

TICK_NS: Final = 100
"""What times are counted in: finer ones would be most of the page."""
_MOST_CLOSES: Final = 1000
"""Closes with unsynced bytes that are listed one by one."""
_COLUMNS: Final = (
    "call", "thread", "file", "path", "fd", "offset", "length", "result", "start", "duration",
    "error", "more", "effect", "waiting",
)  # fmt: skip
_NUMBERS: Final[dict[Kind, int]] = {
    "write": 1, "synced write": 2, "sync": 3, "loses": 4, "cut": 5, "emptied": 6, "sync all": 7,
    "store": 8,
}  # fmt: skip
"""As ``report_data.js`` has them; 0: none. A new file has a new number, so that there is nothing
to tell of it, and a name less changes no page."""
_Key = TypeVar("_Key")


class Thread(Struct, frozen=True):
    """Who made a call; None: not known."""

    pid: int | None
    tid: int | None
    comm: str | None


class Tables(Struct, frozen=True, kw_only=True):
    """What numbers in columns stand for; every text is to be shown as it is."""

    calls: tuple[tuple[str, str], ...]
    """Name and family."""
    threads: tuple[Thread, ...]
    files: tuple[str, ...]
    """The name that each was last seen with."""
    paths: tuple[str, ...]
    errors: tuple[str, ...]
    """Names of error numbers; the first is success."""
    more: tuple[str, ...]
    """What else is known of a call; the first is nothing."""


class ReportData(Struct, frozen=True, kw_only=True):
    """What a page shows."""

    calls: int
    page_size: int
    timed: bool
    lasting: bool
    tables: Tables
    packed: Packed
    at_close: tuple[Owed, ...]
    closes: int
    """Closes of files with unsynced bytes, listed or not."""
    at_end: tuple[Owed, ...]
    elsewhere: tuple[Changed, ...]
    lower_bound: bool
    """There may be more unsynced bytes than are told."""
    unplaced: int
    """Writes of which the place is not known."""


class Collector:
    """Takes the items of a trace, then gives a `ReportData`.

    Args:
        start_ns: time that others are counted from.
        page_size: in bytes.
        timed: calls have times.
        lasting: it is known how long they took.
        locate: says where in its source a call was made.
    """

    def __init__(
        self,
        start_ns: int,
        page_size: int,
        *,
        timed: bool,
        lasting: bool = True,
        locate: Callable[[Call], str | None],
    ) -> None:
        self._page_size, self._timed, self._locate = page_size, timed, locate
        self._lasting = lasting
        self._columns = {name: Column() for name in _COLUMNS}
        self._ledger = Ledger(_MOST_CLOSES)
        self._calls: _Table[tuple[str, str]] = _Table()
        self._threads: _Table[int | None] = _Table()
        self._pids: dict[int | None, int] = {}
        self._comms: dict[int | None, str] = {}
        """By thread, as they were last seen."""
        self._paths: _Table[str | None] = _Table(None)
        self._errors: _Table[int] = _Table(0)
        self._more: _Table[str] = _Table("")
        self._count = 0
        self._before = start_ns // TICK_NS
        self._end: dict[int | None, int] = {}
        """By file: the byte behind the last that was written."""
        self._length: dict[int, int] = {}
        """By name of the call: the last length."""
        self._waiting: dict[int | None, int] = {}
        self._told = 0
        """Changes of other files that the page was told of."""

    def add_all(self, items: Iterable[TraceItem], told: Callable[[int], None]) -> None:
        """Take in *items*, in order; *told* hears how many calls there were so far."""
        for item in items:
            if isinstance(item, Call) and item.index >= 0:
                self._add(item)
                if not self._count & 4095:
                    told(self._count)

    def data(self) -> ReportData:
        """Return all of it."""
        ledger = self._ledger
        return ReportData(
            calls=self._count,
            page_size=self._page_size,
            timed=self._timed,
            lasting=self._lasting and self._timed,
            tables=Tables(
                calls=tuple(self._calls.keys),
                threads=tuple(
                    Thread(self._pids.get(tid), tid, _shown(self._comms.get(tid)))
                    for tid in self._threads.keys
                ),
                files=tuple(_name(path) for path in ledger.paths),
                paths=tuple(_name(path) for path in self._paths.keys),
                errors=tuple(error_name(number) if number else "" for number in self._errors.keys),
                more=tuple(printable(text) for text in self._more.keys),
            ),
            packed=pack(self._columns),
            at_close=tuple(ledger.at_close),
            closes=ledger.closes,
            at_end=tuple(ledger.at_end()),
            elsewhere=tuple(ledger.elsewhere),
            lower_bound=ledger.lower_bound,
            unplaced=ledger.unplaced,
        )

    def _add(self, call: Call) -> None:
        columns, entry = self._columns, self._ledger.take(call)
        self._put_thread(call)
        self._put_place(call, entry.file)
        self._put_times(call)
        columns["error"].put(self._errors.number(call.errno))
        source = self._locate(call) if call.stack else None
        columns["more"].put(self._more.number(", ".join(_said(call, source))))
        columns["effect"].put(number_of(entry.effect))
        self._put_waiting(entry)
        self._count += 1

    def _put_thread(self, call: Call) -> None:
        self._columns["thread"].put(self._threads.number(call.tid))
        if call.pid is not None:
            self._pids[call.tid] = call.pid
        if call.comm is not None:
            self._comms[call.tid] = call.comm

    def _put_place(self, call: Call, file: int | None) -> None:
        """Add its name, and the numbers that mostly are what was there before promises."""
        columns, name = self._columns, self._calls.number((call.call, call.family))
        offset, length, result = map(countable, (call.offset, call.length, call.result))
        columns["call"].put(name)
        columns["file"].put(0 if file is None else file + 1)
        columns["path"].put(self._paths.number(call.path))
        columns["fd"].put_known(call.fd)
        columns["offset"].put_known(offset, self._end.get(file, 0))
        columns["length"].put_known(length, self._length.get(name, 0))
        columns["result"].put_known(result, length or 0)
        if length is not None:
            self._length[name] = length
        if call.family == "write" and offset is not None:
            self._end[file] = offset + (result or 0)

    def _put_times(self, call: Call) -> None:
        # Down and up: nothing seems to have ended before something else began that had not.
        start, end = call.start_ns // TICK_NS, -(-call.end_ns // TICK_NS)
        self._columns["start"].put_signed(start - self._before)
        self._columns["duration"].put_signed(end - start)
        self._before = start

    def _put_waiting(self, entry: Entry) -> None:
        file, waiting = entry.file, entry.waiting
        self._columns["waiting"].put_signed(waiting - self._waiting.get(file, 0))
        for other in self._ledger.elsewhere[self._told :]:
            self._waiting[other.file] = other.bytes
        self._told = len(self._ledger.elsewhere)
        self._waiting[file] = waiting


def number_of(effect: Effect) -> int:
    """Return what the page is told of an effect on pages: nothing of what it can't count to."""
    # A forged journal may have any place.
    placed = 0 <= effect.start <= LARGEST and effect.stop - effect.start <= LARGEST
    return _NUMBERS.get(effect.kind, 0) if placed else 0


class _Table(Generic[_Key]):
    """Numbers for what comes again and again."""

    def __init__(self, *first: _Key) -> None:
        self.keys = list(first)
        self._numbers = {key: number for number, key in enumerate(first)}

    def number(self, key: _Key) -> int:
        """Return the number of *key*, a new one where it has none."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.keys)
            self.keys.append(key)
        return number


def _shown(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _name(path: str | None) -> str:
    return "?" if path is None else printable(path)


def _said(call: Call, source: str | None) -> Iterator[str]:
    """Yield what else is known of *call*, which was made at *source*."""
    if call.flags:
        yield "|".join(call.flags)
    if call.target is not None:
        yield f"to {call.target}"
    if call.synced_by is not None:
        yield call.synced_by
    if call.created:
        yield "created"
    if call.injected:
        yield from _injected(call)
    if call.note is not None:
        yield call.note
    if call.after_failed is not None:
        yield "proves nothing after a failed sync"
    if call.reason is not None:
        yield f"unknown: {call.reason}"
    if source is not None:
        yield f"at {source}"


def _injected(call: Call) -> Iterator[str]:
    faults = len(call.faults)
    if faults:
        yield "injected"
    if faults < len(call.injected):
        yield "delayed on purpose"
