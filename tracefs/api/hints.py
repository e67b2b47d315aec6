"""What is probably the matter where a program did something else than expected."""

from collections.abc import Iterator, Sequence
from typing import Final

from tracefs.api.alignment import Row
from tracefs.api.anything import ANY
from tracefs.api.call import UNKNOWN, Call
from tracefs.api.spelling import function
from tracefs.report.pages import pages_of

_SYNCS: Final = frozenset({"sync", "syncdir"})
_BY_POSITION: Final = frozenset({"write", "writev", "sendfile", "splice"})


def hints(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each difference in *rows* that has an explanation, in their order."""
    done: set[int] = set()
    for place, row in enumerate(rows):
        if row.equal or place in done:
            continue
        pieces = _pieces(rows, place)
        if pieces is not None:
            done.update(pieces)
            seen = [rows[each].seen for each in pieces]
            yield _split(row.expected, [each for each in seen if each is not None])
        elif row.expected is not None and row.seen is not None:
            yield from _changed(row.expected, row.seen)
        elif row.expected is not None:
            yield from _missing(rows, place, row.expected)
        elif row.seen is not None:
            yield from _unnamed(row.seen)


def _pieces(rows: Sequence[Row], place: int) -> list[int] | None:
    """Return the rows whose seen writes together are the write expected at *place*."""
    whole = rows[place].expected
    if whole is None or whole.family != "write" or not _is_number(whole.offset, whole.length):
        return None
    for first in range(max(0, place - 3), place + 1):
        found: list[int] = []
        at = whole.offset
        for each in range(first, len(rows)):
            row = rows[each]
            piece = row.seen
            if piece is None:
                continue
            if row.equal or piece.path != whole.path or piece.offset != at:
                break
            found.append(each)
            at = _end(piece)
            if len(found) > 1 and at == _end(whole):
                return found
    return None


def _split(whole: Call | None, pieces: Sequence[Call]) -> str:
    assert whole is not None
    first = pieces[0]
    if first.length == whole.length and not first.is_whole:
        return (
            f"short write: {first.result} of {first.length} bytes, and the rest by "
            f"{len(pieces) - 1} more"
        )
    sizes = " + ".join(str(piece.length) for piece in pieces)
    said = f"split: {whole.length} bytes at {whole.offset} came as {len(pieces)} writes, {sizes}"
    if first.name == whole.name:
        return said
    return f"{said}, by {function(first)} instead of {function(whole)}"


def _changed(expected: Call, seen: Call) -> Iterator[str]:
    if seen.name == UNKNOWN:
        yield from _unnamed(seen)
        return
    if seen.errno is not None and expected.errno != seen.errno:
        yield f"failed: {function(seen)} of {seen.path} ended with {seen.errno}"
        return
    if expected.path != seen.path:
        yield f"another file: {seen.path} instead of {expected.path}"
    if expected.name != seen.name and expected.family == seen.family:
        moves = ", which uses the file position," if seen.name in _BY_POSITION else ""
        yield f"wrong call: {function(seen)}{moves} instead of {function(expected)}"
    if seen.family == "write" == expected.family:
        yield from _misplaced(expected, seen)


def _misplaced(expected: Call, seen: Call) -> Iterator[str]:
    if not _is_number(seen.offset, seen.length) or seen.offset is None or seen.length is None:
        return
    if expected.length == seen.length and expected.result != seen.result:
        yield f"short write: {seen.result} of {seen.length} bytes"
    same = expected.offset == seen.offset and expected.length == seen.length
    if same:
        return
    pages = pages_of(seen.offset, seen.length, seen.page_size)
    if not seen.is_aligned and expected.is_aligned:
        yield f"mis-aligned: {seen.length} bytes at {seen.offset} are {pages}, not whole pages"
    elif _is_number(expected.offset, expected.length) and expected.page != seen.page:
        yield f"another page: {seen.page} instead of {expected.page}"


def _missing(rows: Sequence[Row], place: int, expected: Call) -> Iterator[str]:
    if expected.family not in _SYNCS:
        return
    if expected.family == "syncdir":
        yield f"unsynced: the directory {expected.path} was not synced"
        return
    for row in reversed(rows[:place]):
        write = row.seen
        if write is not None and write.family in _SYNCS and write.path == expected.path:
            return
        if write is not None and write.family == "write" and write.path == expected.path:
            where = "" if write.page is None else f" of {_pages(write)}"
            more = any(row.seen is not None for row in rows[place:])
            before = " before the next call" if more else ""
            yield f"unsynced: the write{where} was not synced{before}"
            return


def _unnamed(seen: Call) -> Iterator[str]:
    if seen.name == UNKNOWN:
        yield f"unknown: nobody could tell which call this was: {seen.reason}"


def _pages(call: Call) -> str:
    assert call.offset is not None
    return str(pages_of(call.offset, call.length or 0, call.page_size))


def _end(call: Call) -> int | None:
    length = call.length if call.result is ANY or call.result is None else call.result
    return None if call.offset is None or length is None else call.offset + length


def _is_number(*values: object) -> bool:
    return all(isinstance(each, int) for each in values)
