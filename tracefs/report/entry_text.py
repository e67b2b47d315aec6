"""An entry of a golden trace as columns, and what differs between two as sentences."""

from collections.abc import Iterator
from typing import Final

from tracefs.golden.entry import GUESSED, UNKNOWN, Entry
from tracefs.report.pages import pages_of
from tracefs.report.strace import error_name


def columns(entry: Entry, page_size: int) -> tuple[str, str, str, str]:
    """Return the call's name, path, arguments and result, each as text."""
    name = f"unknown ({entry.family})" if entry.call == UNKNOWN else entry.call
    if entry.guessed:
        name += "?"
    path = "?" if entry.path is None else f'"{entry.path}"'
    if entry.opened > 1:
        path += f"#{entry.opened}"
    return name, path, ", ".join(_arguments(entry, page_size)), _result(entry)


def _arguments(entry: Entry, page_size: int) -> Iterator[str]:
    if entry.target is not None:
        yield f'-> "{entry.target}"'
    if entry.flags:
        yield "|".join(entry.flags)
    if entry.length is not None:
        yield f"{entry.length} bytes"
    if entry.offset is not None:
        yield f"at {entry.offset}"
    pages = where(entry, page_size)
    if pages is not None:
        yield pages
    if entry.created:
        yield "created"
    if entry.synced_by is not None:
        yield entry.synced_by


def where(entry: Entry, page_size: int) -> str | None:
    """Return ``page 2``; None: it is no write, or its place is not known."""
    length = entry.result if entry.length is None else entry.length
    if entry.family != "write" or entry.offset is None or length is None:
        return None
    return str(pages_of(entry.offset, length, page_size))


def _result(entry: Entry) -> str:
    if entry.errno:
        return f"= -1 {error_name(entry.errno)}"
    return "" if entry.result is None else f"= {entry.result}"


def named(entry: Entry, page_size: int) -> str:
    """Return ``pwrite64 of page 2 to pages.db``, as a sentence names a call."""
    name = f"a call without a name ({entry.family})" if entry.call == UNKNOWN else entry.call
    pages = where(entry, page_size)
    path = "" if entry.path is None else f" {'to' if pages else 'on'} {entry.path}"
    return f"{name}{f' of {pages}' if pages else ''}{path}"


def sentence(field: str, a: Entry, b: Entry, page_size: int) -> str:
    """Return what differs in *field* of a call that was done otherwise."""
    if field in _TOLD:
        return _TOLD[field](a, b)
    if field == "offset":
        return f"it is at {_place(a, page_size)} in A, {_place(b, page_size)} in B"
    return _VALUES[field].format(_value(a, field), _value(b, field))


def _unnamed(a: Entry, b: Entry) -> str:
    side, other = ("A", b) if a.call == UNKNOWN else ("B", a)
    return f"{side} has a call without a name where the other has {other.call}"


def _guessed(a: Entry, b: Entry) -> str:
    side, guess, other = ("A", a, b) if a.guessed else ("B", b, a)
    return f"nobody saw in {side} which {guess.family} it is; it is {other.call} in the other"


def _created(a: Entry, _b: Entry) -> str:
    made, there = ("A", "B") if a.created else ("B", "A")
    return f"{made} made the file, and in {there} it was there already"


def _ends(a: Entry, b: Entry) -> str:
    return f"{_ended(a)} in A, {_ended(b)} in B"


def _opens(a: Entry, b: Entry) -> str:
    return f"it goes through open {a.opened} of the file in A, {b.opened} in B"


def _flags(a: Entry, b: Entry) -> str:
    lacks = [flag for flag in a.flags if flag not in b.flags]
    adds = [flag for flag in b.flags if flag not in a.flags]
    parts = [f"B lacks {'|'.join(lacks)}"] if lacks else []
    parts += [f"B has {'|'.join(adds)}, which A lacks"] if adds else []
    return "; ".join(parts) or "the flags stand in another order"


def _ended(entry: Entry) -> str:
    return f"it failed with {error_name(entry.errno)}" if entry.errno else "it succeeded"


def _place(entry: Entry, page_size: int) -> str:
    if entry.offset is None:
        return "no known offset"
    pages = where(entry, page_size)
    return f"{entry.offset} ({pages})" if pages else str(entry.offset)


def _value(entry: Entry, field: str) -> str:
    value = getattr(entry, field)
    if value is None:
        return "nothing" if field in {"target", "synced_by"} else "not known"
    return str(value)


_TOLD: Final = {
    UNKNOWN: _unnamed,
    GUESSED: _guessed,
    "flags": _flags,
    "created": _created,
    "errno": _ends,
    "opened": _opens,
}
_VALUES: Final = {
    "call": "it is {} in A, {} in B",
    "path": "it is on {} in A, {} in B",
    "target": "its other name is {} in A, {} in B",
    "length": "it is of {} bytes in A, {} in B",
    "synced_by": "what makes it synchronous is {} in A, {} in B",
    "result": "it returned {} in A, {} in B",
}
