"""What a notified call did of which no request came, as far as its arguments tell."""

import errno
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tracefs.events import Sighting
from tracefs.syscalls import Syscall
from tracefs.trace.flags import O_ACCMODE, O_PATH, fallocate_flags, open_flags, rwf_flags

_Args = tuple[int, ...]

_INT: Final = 0xFFFFFFFF
MAX_OFFSET: Final = 2**63 - 1
_WHENCE: Final = ("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE")
_FCNTL: Final = {0: "F_DUPFD", 4: "F_SETFL", 1030: "F_DUPFD_CLOEXEC"}
_MSYNC: Final = ((1, "MS_ASYNC"), (2, "MS_INVALIDATE"), (4, "MS_SYNC"))
_RANGE: Final = (
    (1, "SYNC_FILE_RANGE_WAIT_BEFORE"),
    (2, "SYNC_FILE_RANGE_WRITE"),
    (4, "SYNC_FILE_RANGE_WAIT_AFTER"),
)
_NOT_VISIBLE: Final = "the result is not visible at the entry of a call"
_NO_REQUEST: Final = "no request followed: it failed, or had nothing to do"


class Description(Struct, frozen=True, kw_only=True):
    """The fields of a call that its name and arguments decide; as in `tracefs.trace.call.Call`."""

    family: str
    offset: int | None = None
    length: int | None = None
    result: int | None = None
    errno: int = 0
    flags: tuple[str, ...] = ()
    reason: str | None = None


def describe(call: Syscall, seen: Sighting, doubt: str | None, machine: str) -> Description:
    """Return what is known of *call*; *doubt*: why its effect is not, whatever else is.

    *machine* is the recording's: open(2) flags differ (``arch/*/include/uapi/asm/fcntl.h``).
    """
    if call.family == "seek":
        return _seek(seen, doubt)
    if call.name == "fcntl":
        return _fcntl(seen.args, machine)
    special = _SPECIAL.get(call.name)
    if special is not None:
        return special(seen.args)
    if call.family == "write":
        return _empty_write(call, seen)
    return Description(family="none", reason=_NO_REQUEST)


def _ftruncate(args: _Args) -> Description:
    length = signed(args[1])
    if length < 0:
        return Description(family="none", length=length, errno=errno.EINVAL)
    return Description(family="none", length=length, reason=_NO_REQUEST)


def _sync(_args: _Args) -> Description:
    return Description(family="syncfs", result=0)


def _syncfs(_args: _Args) -> Description:
    return Description(family="syncfs", reason=_NOT_VISIBLE)


def _dup(_args: _Args) -> Description:
    return Description(family="dup", reason=_NOT_VISIBLE)


def _ring(_args: _Args) -> Description:
    return Description(family="ring", reason=_NOT_VISIBLE)


def _fallocate(args: _Args) -> Description:
    return Description(
        family="allocate",
        offset=signed(args[2]),
        length=signed(args[3]),
        flags=fallocate_flags(args[1]),
        reason=_NOT_VISIBLE,
    )


def _sync_file_range(args: _Args) -> Description:
    return Description(
        family="range",
        offset=signed(args[1]),
        length=signed(args[2]),
        flags=_spell(args[3] & _INT, _RANGE),
        reason=_NOT_VISIBLE,
    )


def _mmap(args: _Args) -> Description:
    return Description(family="map", offset=signed(args[5]), length=args[1], reason=_NOT_VISIBLE)


def _msync(args: _Args) -> Description:
    flags = _spell(args[2] & _INT, _MSYNC)
    return Description(family="none", length=args[1], flags=flags, reason=_NO_REQUEST)


def _fcntl(args: _Args, machine: str) -> Description:
    command = _FCNTL.get(args[1] & _INT, str(args[1] & _INT))
    if command != "F_SETFL":
        return Description(family="dup", flags=(command,), reason=_NOT_VISIBLE)
    flags = open_flags(args[2] & _INT, machine)
    return Description(family="flags", flags=(command, *flags), reason=_NOT_VISIBLE)


_SPECIAL: Final[dict[str, Callable[[_Args], Description]]] = {
    "close_range": _dup,
    "dup": _dup,
    "dup2": _dup,
    "dup3": _dup,
    "ftruncate": _ftruncate,
    "fallocate": _fallocate,
    "io_submit": _ring,
    "io_uring_setup": _ring,
    "mmap": _mmap,
    "msync": _msync,
    "sync": _sync,
    "sync_file_range": _sync_file_range,
    "syncfs": _syncfs,
}


def flag_names() -> frozenset[str]:
    """Return the names that flags can have here, beside those of `tracefs.trace.flags`."""
    pairs = (*_MSYNC, *_RANGE)
    return frozenset({*_WHENCE, *_FCNTL.values()}).union(name for _, name in pairs)


def _seek(seen: Sighting, doubt: str | None) -> Description:
    offset, whence = signed(seen.args[1]), seen.args[2] & _INT
    flags = (_WHENCE[whence] if whence < len(_WHENCE) else str(whence),)
    target: int | None = None
    reason = doubt
    if whence == 0:
        target, reason = offset, None
    elif whence == 1 and seen.position is not None:
        target = seen.position + offset
    elif whence >= len(_WHENCE):
        target = -1
    else:
        reason = "where the file ends is not visible at the entry of the call"
    failed = target is not None and not 0 <= target <= MAX_OFFSET and reason is None
    error = errno.EINVAL if failed else 0
    if seen.fd_flags is not None and seen.fd_flags & O_PATH:
        error, reason = errno.EBADF, None
    return Description(
        family="seek",
        offset=offset,
        result=None if error or reason else target,
        errno=error,
        flags=flags,
        reason=reason,
    )


def _empty_write(call: Syscall, seen: Sighting) -> Description:
    args = seen.args
    length = args[call.length] if call.length is not None else seen.vector_bytes
    offset = seen.position if call.offset is None else signed(args[call.offset])
    flags = rwf_flags(args[call.flags]) if call.flags is not None else ()
    nothing = length == 0
    if seen.fd_flags is not None and not seen.fd_flags & O_ACCMODE:
        return Description(
            family="write", offset=offset, length=length, errno=errno.EBADF, flags=flags
        )
    return Description(
        family="write",
        offset=offset,
        length=length,
        result=0 if nothing else None,
        flags=flags,
        reason=None if nothing else _NO_REQUEST,
    )


def _spell(bits: int, names: tuple[tuple[int, str], ...]) -> tuple[str, ...]:
    known = tuple(name for bit, name in names if bits & bit)
    rest = bits & ~sum(bit for bit, _ in names)
    return (*known, hex(rest)) if rest else known


def signed(value: int) -> int:
    """Return the 64-bit argument *value* as loff_t has it."""
    return value - 2**64 if value >= 2**63 else value
