"""Calls in strace's spelling, one a line, with page numbers beside the offsets.

Where strace shows what a recording does not hold, the line says less, never something else: bytes
written appear as their count, an unknown descriptor as ``?``, directory descriptors not at all.
Paths are relative to the traced directory.
"""

import os
from collections.abc import Callable, Iterator
from errno import errorcode
from typing import Final

from msgspec import Struct

from tracefs.report.pages import pages_of
from tracefs.report.quote import bracketed, printable, quoted
from tracefs.report.style import PLAIN, Style
from tracefs.trace.call import Call

UNTIMED: Final = "none"
"""Clock of evidence that has no times (`tracefs.events.Header.clock`): strace without -t."""
STARTS_ONLY: Final = "CLOCK_REALTIME, at the start"
"""Clock of evidence that doesn't say how long calls took: strace without -T."""
WITHOUT_DURATIONS: Final = frozenset({UNTIMED, STARTS_ONLY})
_NANOSECONDS: Final = 1_000_000_000
_AT_POSITION: Final = frozenset({"write", "writev", "sendfile", "splice", "copy_file_range"})
"""Calls whose offset is the file position or passed by pointer: it stands in the remark."""
_TO_ITS_END: Final = frozenset({"sendfile", "splice", "copy_file_range"})
"""Calls that end where their source does; programs ask for more than it has."""
_BY_ADDRESS: Final = frozenset({"mmap", "msync"})
"""Calls that name memory, not a descriptor."""
_WITHOUT_FILE: Final = frozenset({"sync"})


class CallLines(Struct, frozen=True, kw_only=True):
    """How to write calls as lines."""

    start_ns: int
    """Time that seconds are counted from."""
    page_size: int
    style: Style = PLAIN
    timed: bool = True
    """Calls have times."""
    lasting: bool = True
    """It is known how long they took."""
    locate: Callable[[Call], str | None] | None = None
    """Says where in its source a call was made; None: nobody can."""

    def line(self, call: Call) -> str:
        """Return *call* as one line: index, thread, start, and what `outcome` says."""
        index = "-" if call.index < 0 else str(call.index)
        since = _seconds(call.start_ns - self.start_ns) if self.timed else "?"
        return _columns(index, _thread(call), since, self.outcome(call))

    def outcome(self, call: Call) -> str:
        """Return *call* with its result, duration, and a remark that places it in pages."""
        body = f"{spelled(call)} = {_result(call)}{_injected(call)}"
        if self.timed and self.lasting:
            body += f" <{_seconds(call.end_ns - call.start_ns)}>"
        if call.errno:
            body = self.style.paint(body, "red")
        elif call.call == "unknown":
            body = self.style.paint(body, "yellow")
        remarks = list(_remarks(call, self.page_size))
        source = self.locate(call) if self.locate is not None and call.stack else None
        remark = ", ".join([*remarks, *([] if source is None else [f"at {printable(source)}"])])
        return f"{body}{self.style.paint(f'  # {remark}', 'dim')}" if remark else body


def _columns(index: str, thread: str, seconds: str, call: str) -> str:
    return f"{index:>7}  {thread:<7}  {seconds:>9}  {call}"


COLUMNS: Final = _columns("# index", "tid", "seconds", "call")
"""What stands above the lines."""


def spelled(call: Call) -> str:
    """Return *call* with its arguments, ``pwrite64(3<pages.db>, 4096 bytes, 8192)``."""
    arguments = _ARGUMENTS.get(call.family, _by_path)
    return f"{call.call}({', '.join(arguments(call))})"


def error_text(number: int) -> str:
    """Return ``No space left on device`` for 28."""
    try:
        return os.strerror(number)
    except OverflowError:  # only a forged journal has a number that is no C int
        return f"Unknown error {number}"


def error_name(number: int) -> str:
    """Return ``ENOSPC`` for 28; a number without a name as itself."""
    return errorcode.get(number, str(number))


def _seconds(nanoseconds: int) -> str:
    sign = "-" if nanoseconds < 0 else ""
    whole, part = divmod(abs(nanoseconds), _NANOSECONDS)
    return f"{sign}{whole}.{part // 1000:06d}"


def _thread(call: Call) -> str:
    if call.tid is None:
        return "?"
    return str(call.tid) if call.pid in {None, call.tid} else f"{call.pid}/{call.tid}"


def _result(call: Call) -> str:
    if call.errno:
        return f"-1 {error_name(call.errno)} ({error_text(call.errno)})"
    if call.family == "open" and call.fd is not None:
        return f"{call.fd}{bracketed(call.path or '?')}"
    if call.result is not None:
        return str(call.result)
    # An open succeeded, whose descriptor was not seen; or nobody saw what came of it; or it was the
    # end of a process, which returns nowhere.
    return "ok" if call.reason is None and call.family != "close" else "?"


def _injected(call: Call) -> str:
    """Say as strace does whether a fault made the outcome, and whether one made it late."""
    if not call.injected:
        return ""
    made = " (INJECTED)" if call.faults else ""
    return f"{made} (DELAYED)" if len(call.faults) < len(call.injected) else made


def _descriptor(call: Call) -> str:
    path = "" if call.path is None else bracketed(call.path)
    if call.call in _BY_ADDRESS:
        return path or "?"
    return f"{_known(call.fd)}{path}"


def _known(number: int | None) -> str:
    return "?" if number is None else str(number)


def _name(path: str | None) -> str:
    return "?" if path is None else quoted(path)


def _flags(call: Call) -> list[str]:
    return ["|".join(call.flags)] if call.flags else []


def _write(call: Call) -> list[str]:
    offset = [] if call.call in _AT_POSITION else [_known(call.offset)]
    return [_descriptor(call), f"{_known(call.length)} bytes", *offset, *_flags(call)]


def _sync(call: Call) -> list[str]:
    return [] if call.call in _WITHOUT_FILE else [_descriptor(call)]


def _truncate(call: Call) -> list[str]:
    return [*_by_either(call), _known(call.length)]


def _by_either(call: Call) -> list[str]:
    return [_name(call.path) if call.fd is None else _descriptor(call)]


def _by_path(call: Call) -> list[str]:
    return [_name(call.path), *_flags(call)]


def _rename(call: Call) -> list[str]:
    return [_name(call.path), _name(call.target), *_flags(call)]


def _link(call: Call) -> list[str]:
    return [_name(call.target), _name(call.path)]


def _seek(call: Call) -> list[str]:
    return [_descriptor(call), _known(call.offset), *_flags(call)]


def _range(call: Call) -> list[str]:
    return [_descriptor(call), _known(call.offset), _known(call.length), *_flags(call)]


def _allocate(call: Call) -> list[str]:
    mode = "|".join(call.flags) or "0"
    return [_descriptor(call), mode, _known(call.offset), _known(call.length)]


def _copy(call: Call) -> list[str]:
    return [_descriptor(call), *_flags(call)]


def _set_flags(call: Call) -> list[str]:
    return [_descriptor(call), *call.flags[:1], "|".join(call.flags[1:])]


def _map(call: Call) -> list[str]:
    return [
        _name(call.path) if call.fd is None else f"{call.fd}{bracketed(call.path or '?')}",
        f"{_known(call.length)} bytes",
        _known(call.offset),
    ]


def _nothing(_call: Call) -> list[str]:
    return []


_ARGUMENTS: Final[dict[str, Callable[[Call], list[str]]]] = {
    "write": _write,
    "read": _write,
    "sync": _sync,
    "syncdir": _sync,
    "close": _sync,
    "truncate": _truncate,
    "attr": _by_either,
    "xattr": _by_either,
    "rename": _rename,
    "link": _link,
    "symlink": _link,
    "seek": _seek,
    "range": _range,
    "allocate": _allocate,
    "dup": _copy,
    "flags": _set_flags,
    "map": _map,
    "syncfs": _sync,
    "ring": _nothing,
    "none": _copy,
}


def _remarks(call: Call, page_size: int) -> Iterator[str]:
    if call.call == "unknown":
        yield call.family
    if call.family == "write" and call.offset is not None:
        yield from _where(call, call.offset, page_size)
    if call.family == "seek" and call.position is not None:
        yield from _moved(call, call.position)
    if call.fragments > 1:
        yield f"{call.fragments} fragments"
    if call.synced_by is not None:
        yield call.synced_by
    if call.created:
        yield "created"
    if call.note is not None:
        yield printable(call.note)
    if call.after_failed is not None:
        yield f"proves nothing: call {call.after_failed} failed to save what was written"
    if call.reason is not None:
        yield f"unknown: {printable(call.reason)}"


def _moved(call: Call, before: int) -> Iterator[str]:
    if call.result == before:
        yield f"no effect: the position was {before} already"
    elif call.result is not None:
        yield f"position {before} to {call.result}"
    else:
        yield f"position {before} before"


def _where(call: Call, offset: int, page_size: int) -> Iterator[str]:
    to_its_end = call.call in _TO_ITS_END and bool(call.result)
    length = call.result if call.length is None or to_its_end else call.length
    if length is not None:
        yield str(pages_of(offset, length, page_size))
    if call.call in _AT_POSITION:
        yield f"offset {offset}"
    if call.length is not None and call.result is not None and call.result < call.length:
        yield f"short: {call.result} of {call.length} bytes"
