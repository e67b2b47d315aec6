"""Calls as the text that ``strace -f -y -ttt -T -s 0`` prints.

The traced directory is the root of all paths. What strace shows and a recording does not hold is
left out of a line (the mode of a new file) or empty (bytes). A descriptor has the number by which
later calls name it; one that no call shows is numbered from `UNSEEN` on. Calls are in the order in
which they were complete, each on one line.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from tracefs.events import Header
from tracefs.pathtext import to_bytes
from tracefs.report.export import Learning
from tracefs.report.strace import UNTIMED, WITHOUT_DURATIONS, error_name, error_text
from tracefs.trace.call import Call, Released, TraceItem

UNSEEN: Final = 1_000_000
"""More than any process may have open (``fs.nr_open`` is 1,048,576 at most by default)."""
_SECOND: Final = 1_000_000_000
_NO_CALLS: Final = frozenset({"unknown", "exit", "mmap", "msync"})
"""What has no name, is none, or names memory that nobody saw."""
_SHORT: Final = {9: r"\t", 10: r"\n", 11: r"\v", 12: r"\f", 13: r"\r", 34: r"\"", 92: r"\\"}
_AT: Final = "AT_FDCWD"


class Strace(Learning):
    """Lines of text."""

    def __init__(self, header: Header) -> None:
        self._left_out = 0
        self._numbers: dict[int, int] = {}
        """By handle: the descriptor that a call on it shows."""
        self._open: dict[int, list[int | None]] = {}
        """By handle: its descriptors that may be open; None: one that nobody saw."""
        self._unseen = UNSEEN
        self._timed = header.clock != UNTIMED
        self._lasting = header.clock not in WITHOUT_DURATIONS
        self._epoch_ns = _since_1970(header.started) - header.start_ns

    @property
    def left_out(self) -> int:
        """See `Export`."""
        return self._left_out

    def learn(self, items: Iterable[TraceItem]) -> None:
        """See `Learning`."""
        for call in items:
            if isinstance(call, Released) or call.handle is None or call.fd is None:
                continue
            if call.family != "dup":
                self._numbers.setdefault(call.handle, call.fd)

    def call(self, call: Call) -> bytes:
        """See `Export`."""
        said = None if call.call in _NO_CALLS or call.tid is None else self._said(call)
        if said is None:
            # The end of a process is no call that could be left out.
            self._left_out += call.call != "exit"
            return b""
        head = tail = ""
        if self._timed:
            head = f"{_seconds(max(call.start_ns + self._epoch_ns, 0))} "
        if self._lasting:
            tail = f" <{_seconds(max(call.end_ns - call.start_ns, 0))}>"
        injected = " (INJECTED)" * bool(call.faults)
        return f"{call.tid} {head}{call.call}({said}{injected}{tail}\n".encode()

    def _said(self, call: Call) -> str | None:
        """Return the arguments, the bracket behind them, and the result; None: they can't be."""
        if call.family == "open":
            return self._opened(call)
        arguments = _ARGUMENTS.get(call.call)
        number = self._number(call)
        if arguments is None or (call.result is None and not call.errno):
            return None
        said = arguments(call, None if number is None else _descriptor(number, call.path))
        return None if said is None else f"{said}) = {_result(call)}"

    def _opened(self, call: Call) -> str | None:
        if call.path is None or (asked := _open(call)) is None:
            return None
        if call.errno or call.handle is None:
            return f"{asked}) = {_result(call)}" if call.errno else None
        number = call.fd if call.fd is not None else self._numbers.get(call.handle)
        if number is None:
            number, self._unseen = self._unseen, self._unseen + 1
        self._open[call.handle] = [number]
        return f"{asked}) = {_descriptor(number, call.path)}"

    def _number(self, call: Call) -> int | None:
        """Return the descriptor of a call; None: it has none, or that can't be known."""
        if call.handle is None:
            return call.fd
        numbers = self._open.setdefault(call.handle, [])
        for each in (call.fd, call.result if call.family == "dup" else call.fd):
            # Of a copy whose number nobody saw it is known that it is there.
            if each not in numbers and (each is not None or call.family == "dup"):
                numbers.append(each)
        if call.fd is not None or len(numbers) != 1:
            # Which of several was closed no filesystem is told.
            return call.fd
        return numbers.pop() if call.family == "close" else numbers[0]


def _since_1970(started: str) -> int:
    """Return an RFC 3339 time in nanoseconds; a trace without one began in 1970."""
    try:
        return round(datetime.fromisoformat(started).timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError):
        return 0


def _seconds(nanoseconds: int) -> str:
    whole, part = divmod(nanoseconds, _SECOND)
    return f"{whole}.{part // 1000:06d}"


def _result(call: Call) -> str:
    if call.errno:
        return f"-1 {error_name(call.errno)} ({error_text(call.errno)})"
    return str(call.result)


def _absolute(path: str) -> bytes:
    return b"/" if path == "." else b"/" + to_bytes(path)


def _escaped(text: bytes, also: bytes = b"") -> str:
    return "".join(
        _SHORT.get(each)
        or (chr(each) if 32 <= each < 127 and each not in also else f"\\{each:03o}")
        for each in text
    )


def _name(path: str) -> str:
    return f'"{_escaped(_absolute(path))}"'


def _descriptor(number: int, path: str | None) -> str:
    beside = "" if path is None else f"<{_escaped(_absolute(path), b'<>')}>"
    return f"{number}{beside}"


def _flags(call: Call) -> str:
    return "|".join(call.flags) or "0"


def _open(call: Call) -> str | None:
    assert call.path is not None  # its caller asks for it
    name = _name(call.path)
    match call.call:
        case "openat":
            return f"{_AT}, {name}, {_flags(call)}"
        case "openat2":
            return f"{_AT}, {name}, {{flags={_flags(call)}, resolve=0}}, 24"
        case "open":
            return f"{name}, {_flags(call)}"
        case "creat":
            return name
    return None


_Arguments = Callable[[Call, str | None], str | None]


def _write(call: Call, fd: str | None) -> str | None:
    return None if fd is None or call.length is None else f'{fd}, ""..., {call.length}'


def _vector(call: Call, fd: str | None) -> str | None:
    """Say all of a vector as one piece: how it was cut up isn't recorded."""
    piece = f'[{{iov_base=""..., iov_len={call.length}}}], 1'
    return None if fd is None or call.length is None else f"{fd}, {piece}"


def _at(arguments: _Arguments) -> _Arguments:
    def with_offset(call: Call, fd: str | None) -> str | None:
        said = arguments(call, fd)
        return None if said is None or call.offset is None else f"{said}, {call.offset}"

    return with_offset


def _flagged(arguments: _Arguments) -> _Arguments:
    def with_flags(call: Call, fd: str | None) -> str | None:
        said = arguments(call, fd)
        return None if said is None else f"{said}, {_flags(call)}"

    return with_flags


def _alone(_call: Call, fd: str | None) -> str | None:
    return fd


def _nothing(_call: Call, _fd: str | None) -> str | None:
    return ""


def _seek(call: Call, fd: str | None) -> str | None:
    known = fd is not None and call.offset is not None and call.flags
    return f"{fd}, {call.offset}, {call.flags[0]}" if known else None


def _range(call: Call, fd: str | None) -> str | None:
    known = fd is not None and call.offset is not None and call.length is not None
    return f"{fd}, {call.offset}, {call.length}, {_flags(call)}" if known else None


def _allocate(call: Call, fd: str | None) -> str | None:
    known = fd is not None and call.offset is not None and call.length is not None
    return f"{fd}, {_flags(call)}, {call.offset}, {call.length}" if known else None


def _resize(call: Call, fd: str | None) -> str | None:
    return None if fd is None or call.length is None else f"{fd}, {call.length}"


def _truncate(call: Call, _fd: str | None) -> str | None:
    known = call.path is not None and call.length is not None
    return f"{_name(call.path or '')}, {call.length}" if known else None


def _path(call: Call, _fd: str | None) -> str | None:
    return None if call.path is None else _name(call.path)


def _path_at(call: Call, _fd: str | None) -> str | None:
    return None if call.path is None else f"{_AT}, {_name(call.path)}"


def _unlinkat(call: Call, fd: str | None) -> str | None:
    said = _path_at(call, fd)
    return None if said is None else f"{said}, {'AT_REMOVEDIR' if call.family == 'rmdir' else 0}"


def _two(first: str, second: str, at: str = "", behind: str = "") -> _Arguments:
    """Say two names, fields *first* and *second*, each behind *at*."""

    def said(call: Call, _fd: str | None) -> str | None:
        one, other = getattr(call, first), getattr(call, second)
        known = one is not None and other is not None
        return f"{at}{_name(one)}, {at}{_name(other)}{behind}" if known else None

    return said


def _symlink(at: str) -> _Arguments:
    def said(call: Call, _fd: str | None) -> str | None:
        if call.path is None or call.target is None:
            return None
        return f'"{_escaped(to_bytes(call.target))}", {at}{_name(call.path)}'

    return said


def _dup(call: Call, fd: str | None) -> str | None:
    match call.call:
        case "dup":
            return fd
        case "dup2":
            return f"{fd}, {call.result}"
        case "dup3":
            return f"{fd}, {call.result}, {_flags(call)}"
    return None


_RENAMED: Final = _two("path", "target", f"{_AT}, ")
_ARGUMENTS: Final[dict[str, _Arguments]] = {
    "write": _write, "pwrite64": _at(_write), "writev": _vector, "pwritev": _at(_vector),
    "pwritev2": _flagged(_at(_vector)),
    "fsync": _alone, "fdatasync": _alone, "syncfs": _alone, "close": _alone, "sync": _nothing,
    "sync_file_range": _range, "lseek": _seek, "fallocate": _allocate, "ftruncate": _resize,
    "truncate": _truncate, "dup": _dup, "dup2": _dup, "dup3": _dup,
    "rename": _two("path", "target"), "renameat": _RENAMED, "renameat2": _flagged(_RENAMED),
    "link": _two("target", "path"), "linkat": _two("target", "path", f"{_AT}, ", ", 0"),
    "symlink": _symlink(""), "symlinkat": _symlink(f"{_AT}, "),
    "unlink": _path, "rmdir": _path, "mkdir": _path, "mkdirat": _path_at,
    "unlinkat": _unlinkat,
}  # fmt: skip
