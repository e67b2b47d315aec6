"""The pages of one file, as they are after some call: written how often, synced or not."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from tracefs.ranges import Ranges
from tracefs.report.durability import Durability
from tracefs.report.frame import plural
from tracefs.report.page_counts import PageCounts
from tracefs.report.quote import printable
from tracefs.trace.call import Call, TraceItem

PAGE_LIMIT: Final = 1 << 20
"""Pages that are followed at once, over all files."""
_ROW: Final = 64
"""Pages in a line."""
_MOST_TIMES: Final = 9
_NAMING: Final = frozenset({"open", "link"})
"""Families of calls by which a file has the name that they are of."""


Paint = Callable[[str, str], str]
"""Colours a text: `tracefs.report.style.Style.paint`."""


class PageState(StrEnum):
    """What a page is; the value is its sign."""

    NEVER = "."
    """Not written, or cut off since."""
    SYNCED = "#"
    DIRTY = "!"
    """Bytes of it wait for a sync."""
    LOST = "x"
    """A sync failed to write bytes of it, and they were not written again."""


_COLOURS: Final = {
    PageState.NEVER: "dim", PageState.SYNCED: "green", PageState.DIRTY: "yellow",
    PageState.LOST: "red",
}  # fmt: skip
_WORDS: Final = {
    PageState.SYNCED: "synced", PageState.DIRTY: "not synced",
    PageState.LOST: "lost to a failed sync", PageState.NEVER: "never written, or cut off",
}  # fmt: skip


class PageMap(Struct, frozen=True, kw_only=True):
    """One file at a moment."""

    path: str
    page_size: int
    states: dict[int, PageState]
    """Those that were written, by number."""
    times: Mapping[int, int]
    """How often each was written."""
    after: int | None
    """Index of the last call; None: none of the file's."""
    not_followed: int
    """Page writes beyond the limit."""
    unplaced: int
    """Writes of which the place is not known."""
    unsynced_not_followed: int = 0
    """Writes of any file, not synced, whose bytes were beyond the limit of what is followed; above
    0, a page that seems to be synced may not be."""


class PageMapper:
    """Follows all files of a trace: which one has a name in the end is known only then.

    Args:
        path: the file's name at the end, path text.
        page_size: in bytes.
        until: index of the last call that counts; None: all do.
    """

    def __init__(self, path: str, page_size: int, until: int | None = None) -> None:
        self._path, self._page_size = path, page_size
        self._until = sys.maxsize if until is None else until
        self._durability = Durability()
        self._ino: int | None = None
        """Of the file that had the name last."""
        self._named: dict[str, int] = {}
        """Every name, and the inode number of the file that had it last."""
        self._times = PageCounts(page_size, PAGE_LIMIT)
        self._after: dict[int, int] = {}
        self._unplaced: Counter[int] = Counter()
        self.first: int | None = None
        """Index of the first call about a file of that name, also after *until*; None: none was."""
        self.written: Counter[str] = Counter()
        """Every name that was written to, with how often."""

    def add_all(self, items: Iterable[TraceItem]) -> None:
        """Take in *items*, in order."""
        for item in items:
            if not isinstance(item, Call) or item.index < 0:
                continue
            if self.first is None and self._names(item):
                self.first = item.index
            if item.index <= self._until:
                self._add(item)

    def map(self) -> PageMap | None:
        """Return the file as it is then; None: no call was about it."""
        if self._ino is None:
            return None
        dirty, lost = self._durability.unsynced.ranges(self._ino)
        times = self._times.of(self._ino)
        return PageMap(
            path=self._path,
            page_size=self._page_size,
            states={page: self._state(page, dirty, lost) for page in times},
            times=dict(times),
            after=self._after.get(self._ino),
            not_followed=self._times.not_followed,
            unplaced=self._unplaced[self._ino],
            unsynced_not_followed=self._durability.unsynced.not_followed,
        )

    def _add(self, call: Call) -> None:
        effect, ino = self._durability.take(call), call.ino
        if ino is None:
            return
        self._name(call, ino)
        if not call.done:
            return
        self._after[ino] = call.index
        match effect.kind:
            case "made":
                self._times.forget(ino)
                self._unplaced.pop(ino, None)
            case "cut" | "emptied":
                self._times.cut(ino, effect.start)
            case "unplaced":
                self.written[call.path or "?"] += 1
                self._unplaced[ino] += 1
            case "write" | "store" | "synced write":
                self.written[call.path or "?"] += 1
                self._times.add(ino, effect.start, effect.stop - effect.start)

    def _name(self, call: Call, ino: int) -> None:
        """Note which file has which name by *call*, one of file *ino*."""
        if call.family == "rename" and call.done:
            if call.target is not None and call.path is not None:
                self._renamed(call.path, call.target, ino, call.flags)
        elif call.path is not None and (call.done or call.family != "link"):
            if call.done and call.family in _NAMING:
                self._named[call.path] = ino
            # A descriptor keeps the name of a file that has it no longer: it was deleted.
            self._named.setdefault(call.path, ino)
        self._ino = self._named.get(self._path, self._ino)

    def _renamed(self, before: str, after: str, ino: int, flags: tuple[str, ...]) -> None:
        other = self._named.pop(after, None)
        self._named[after] = ino
        if self._named.get(before) == ino:
            del self._named[before]
        if "RENAME_EXCHANGE" in flags and other is not None:
            self._named[before] = other
        if self._path.startswith((f"{before}/", f"{after}/")):
            # The whole directory has another name.
            self._named.pop(self._path, None)

    def _names(self, call: Call) -> bool:
        """Tell whether a file that is known has the name after *call*."""
        name = call.target if call.family == "rename" and call.done else call.path
        return call.ino is not None and name == self._path

    def _state(self, page: int, dirty: Ranges, lost: Ranges) -> PageState:
        start, stop = page * self._page_size, (page + 1) * self._page_size
        if _touches(lost, start, stop):
            return PageState.LOST
        return PageState.DIRTY if _touches(dirty, start, stop) else PageState.SYNCED


def _touches(ranges: Ranges, start: int, stop: int) -> bool:
    missing = sum(high - low for low, high in ranges.gaps(start, stop))
    return missing < stop - start


def drawn(map_: PageMap, paint: Paint, *, times: bool = False) -> Iterator[str]:
    """Yield the map as lines; *times*: with how often each page was written, not its state."""
    counts = Counter(map_.states.values())
    parts = [f"{counts[one]} {_WORDS[one]}" for one in _WORDS if counts[one]]
    moment = "" if map_.after is None else f", after call {map_.after}"
    pages = plural(len(map_.states), "page")
    yield f"{printable(map_.path)}: {pages} of {map_.page_size} bytes written{moment}" + (
        f": {', '.join(parts)}" if parts else ""
    )
    yield from _rows(map_, paint, times=times)
    if map_.not_followed:
        yield f"limit reached: {plural(map_.not_followed, 'page write')} not followed"
    if map_.unsynced_not_followed:
        writes = plural(map_.unsynced_not_followed, "unsynced write")
        yield f"limit reached: {writes} not followed; what is shown as synced may not be"
    if map_.unplaced:
        yield f"not drawn: {plural(map_.unplaced, 'write')} without a known place"
    if times:
        yield f"1 to {_MOST_TIMES}: times written, +: more, .: never"
    else:
        yield "  ".join(f"{paint(one.value, _COLOURS[one])} {_WORDS[one]}" for one in _WORDS)


def _rows(map_: PageMap, paint: Paint, *, times: bool) -> Iterator[str]:
    before = -1
    for row in sorted({page // _ROW for page in map_.states}):
        if row > before + 1:
            yield f"{'':>10}  ... {(row - before - 1) * _ROW} pages that were never written"
        before = row
        signs = []
        for page in range(row * _ROW, (row + 1) * _ROW):
            state = map_.states.get(page, PageState.NEVER)
            count = map_.times.get(page, 0)
            sign = state.value
            if times and count:
                sign = str(count) if count <= _MOST_TIMES else "+"
            signs.append(paint(sign, _COLOURS[state]))
        yield f"{row * _ROW:>10}  {''.join(signs)}"
