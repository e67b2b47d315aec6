"""Calls become entries: what changes from run to run is left out, or numbered as it appears."""

import heapq
import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from tracefs.golden.entry import Entry
from tracefs.golden.names import Wanted
from tracefs.golden.temporary import Temporaries, escaped
from tracefs.pathtext import fits
from tracefs.trace.call import Call
from tracefs.trace.families import TWO_NAMES
from tracefs.trace.guesses import is_guessed

_MADE_UP: Final = re.compile(r"\{(\d+)\}")
_RETURNING_NUMBERS: Final = frozenset({"open", "dup", "map"})
"""Families that return a descriptor or an address."""
_CLOSING_BY_COPY: Final = frozenset({"dup2", "dup3"})
_REMOVING: Final = frozenset({"unlink", "rmdir", "rename"})
"""Families after which the path is free for another file."""
_NO_OPEN: Final = 0


class Normaliser:
    """Takes the calls of one recording, and then gives their entries; holds all of them."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._temporaries = Temporaries()
        self._spelled: dict[str, str] = {}
        self._made_up: dict[str, int] = {}

    def feed(self, call: Call) -> None:
        """Take the next call; the fetching of pages is none."""
        if call.index < 0 or call.family == "read":
            return
        self._calls.append(call)
        self._temporaries.feed(call)

    def entries(self) -> tuple[Entry, ...]:
        """Return an entry for each call that was fed, in their order."""
        return renumbered([self._entry(call) for call in self._calls])

    def _entry(self, call: Call) -> Entry:
        unseen = call.family in _RETURNING_NUMBERS or call.call in _CLOSING_BY_COPY
        return Entry(
            call=call.call,
            family=call.family,
            guessed=is_guessed(call),
            thread=call.tid,
            path=self._path(call.path),
            opened=_NO_OPEN if call.handle is None else call.handle,
            target=self._path(call.target),
            flags=call.flags,
            offset=call.offset,
            length=call.length,
            created=bool(call.created),
            synced_by=call.synced_by,
            result=None if unseen or call.errno else call.result,
            errno=call.errno,
            injected=bool(call.injected and call.faults),
        )

    def _path(self, path: str | None) -> str | None:
        """Return *path* as it stands in an entry, with a number for each part made up."""
        if path is None:
            return None
        known = self._spelled.get(path)
        if known is None:
            known = self._spelled[path] = self._spell(path)
        return known

    def _spell(self, path: str) -> str:
        head, slash, name = path.rpartition("/")
        above = self._path(head) if head else ""
        template = self._temporaries.template(path)
        if template is None:
            return f"{above}{slash}{escaped(name)}"
        number = self._made_up.setdefault(path, len(self._made_up) + 1)
        before, behind = template
        return f"{above}{slash}{before}{{{number}}}{behind}"


def normalised(calls: Iterable[Call]) -> tuple[Entry, ...]:
    """Return the entries of *calls*, which are all those of a recording."""
    normaliser = Normaliser()
    for call in calls:
        normaliser.feed(call)
    return normaliser.entries()


def selected(
    entries: Sequence[Entry], paths: Sequence[str] = (), only: Sequence[str] = ()
) -> tuple[Entry, ...]:
    """Return those on a path like one of *paths*, and with a name or family among *only*.

    None of either: no condition. A call whose name or path nobody knows may be one of them, and is
    kept: what is left out counts as equal. Numbers count anew.
    """
    wanted = Wanted(tuple(only))
    chosen = [
        entry
        for entry in entries
        if wanted.has(entry)
        and (not paths or entry.path is None or any(_fits(entry, glob) for glob in paths))
    ]
    return tuple(entries) if len(chosen) == len(entries) else renumbered(chosen)


def _fits(entry: Entry, glob: str) -> bool:
    other = entry.target if entry.family in TWO_NAMES else None
    return any(fits(name, glob) for name in (entry.path, other) if name is not None)


def renumbered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return *entries* with threads, opens and made-up names numbered as they appear.

    A number of an open or a name is free again after the close, or once the name is gone, so that
    one call more early on doesn't give all that follow other numbers.
    """
    opens, names, threads = _Opens(), _Names(), dict[int, int]()
    done = []
    for entry in entries:
        thread, path, target = entry.thread, entry.path, entry.target
        if thread is not None:
            thread = threads.setdefault(thread, len(threads) + 1)
        opened = opens.number(path, entry.opened) if path is not None else 1
        new_path = names.spell(path)
        new_target = names.spell(target)
        if entry.family == "close":
            opens.closed(path, entry.opened)
        elif entry.family in _REMOVING and not entry.errno and path is not None:
            names.gone(path)
            opens.gone(path)
        done.append(replace(entry, thread=thread, path=new_path, opened=opened, target=new_target))
    return tuple(done)


def unnumbered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return *entries* as if each open and made-up name were the first.

    Where no order counts, which one is the first is chance.
    """
    return tuple(
        replace(entry, opened=1, path=_first(entry.path), target=_first(entry.target))
        for entry in entries
    )


def _first(path: str | None) -> str | None:
    return None if path is None else _MADE_UP.sub("{1}", path)


class _Numbers:
    """Gives the lowest number that is free, from 1."""

    __slots__ = ("_free", "_next", "given")

    def __init__(self) -> None:
        self.given: dict[int | str, int] = {}
        self._next = 1
        self._free: list[int] = []

    def of(self, what: int | str) -> int:
        number = self.given.get(what)
        if number is None:
            number = heapq.heappop(self._free) if self._free else self._next
            self._next = max(self._next, number + 1)
            self.given[what] = number
        return number

    def holder(self, number: int) -> int | str | None:
        return next((what for what, given in self.given.items() if given == number), None)

    def free(self, what: int | str | None) -> None:
        number = None if what is None else self.given.pop(what, None)
        if number is not None:
            heapq.heappush(self._free, number)


class _Opens:
    """Opens of each path that are there at once."""

    def __init__(self) -> None:
        self._of: dict[str, _Numbers] = {}

    def number(self, path: str, handle: int) -> int:
        if handle == _NO_OPEN:
            return 1
        numbers = self._of.get(path)
        if numbers is None:
            numbers = self._of[path] = _Numbers()
        return numbers.of(handle)

    def closed(self, path: str | None, handle: int) -> None:
        if path in self._of:
            numbers = self._of[path]
            numbers.free(handle if handle != _NO_OPEN else numbers.holder(1))

    def gone(self, path: str) -> None:
        """Note that the path is free for another file, whose opens count from 1."""
        self._of.pop(path, None)


class _Names:
    """Names that were made up, alike but for their numbers."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], _Numbers] = {}
        self._given: dict[str, tuple[_Numbers, str]] = {}
        """By path up to the end of a component, as it was: who gave its number."""

    def spell(self, path: str | None) -> str | None:
        if path is None or "{" not in path:
            return path
        done, at = "", 0
        for match in _MADE_UP.finditer(path):
            done += path[at : match.start()]
            at = match.end()
            end = path.find("/", at)
            behind = path[at:] if end < 0 else path[at:end]
            whole = path[:at] + behind
            numbers = self._of.setdefault((done, behind), _Numbers())
            self._given[whole] = (numbers, whole)
            done += f"{{{numbers.of(whole)}}}"
        return done + path[at:]

    def gone(self, path: str) -> None:
        """Note that the file of a path, as it was before, has it no longer."""
        given = self._given.pop(path, None)
        if given is not None:
            numbers, whole = given
            numbers.free(whole)
