"""What a write call asked for, as its sighting shows it: where, how much, how durable."""

from typing import Final

from msgspec import Struct

from tracefs.events import Sighting, Write
from tracefs.syscalls import Syscall
from tracefs.trace.flags import O_APPEND, RWF_APPEND, RWF_NOAPPEND
from tracefs.trace.naming import argument, other_file

MAX_COUNT: Final = 0x7FFFF000
"""A write call transfers at most this many bytes (MAX_RW_COUNT, write(2))."""

_SPLICING: Final = {"sendfile", "splice", "copy_file_range"}
"""They write piece by piece, each with its own implied sync, and end where their source ends."""
_BY_POINTER: Final = {"splice", "copy_file_range"}
_MINUS_ONE: Final = 2**64 - 1


class Claim(Struct, frozen=True, gc=False):
    """The range of one write call."""

    name: str
    start: int | None
    """Offset of its first byte; None: the end of the file, or not visible."""
    length: int | None
    """Bytes asked for; None: not known."""
    flags: int
    """RWF_* bits."""
    appends: bool
    """Linux takes the end of the file, whatever offset is given (write(2), O_APPEND; pwrite(2))."""

    @property
    def splices(self) -> bool:
        """It may end early without a failure, and syncs after each piece."""
        return self.name in _SPLICING

    @property
    def limit(self) -> int | None:
        """Bytes that it can transfer at most."""
        return None if self.length is None else min(self.length, MAX_COUNT)


def read_claim(call: Syscall, seen: Sighting, open_bits: int) -> Claim:
    """Read *call*'s arguments; *open_bits* are the flags of its descriptor."""
    flags = (argument(seen, call.flags) or 0) & 0xFFFFFFFF
    appends = bool(flags & RWF_APPEND or (open_bits & O_APPEND and not flags & RWF_NOAPPEND))
    length = argument(seen, call.length) if call.vector is None else seen.vector_bytes
    start = None if appends else _start(call, seen)
    return Claim(call.name, start, length, flags, appends)


def _start(call: Syscall, seen: Sighting) -> int | None:
    if call.offset is not None:
        offset = argument(seen, call.offset)
        if call.name == "pwritev2" and offset == _MINUS_ONE:
            return seen.position
        return offset
    if call.name in _BY_POINTER and argument(seen, 3) != 0:
        return None  # the offset lies in the caller's memory
    return seen.position


def contradiction(claim: Claim, event: Write, seen: Sighting) -> str | None:
    """Return why *claim* is not the call that *event* begins; None: it can be."""
    return _other_call(claim, event, seen) or _other_place(claim, event)


def _other_call(claim: Claim, event: Write, seen: Sighting) -> str | None:
    name = claim.name
    if name == "fallocate":
        return "fallocate was seen, which writes no data"
    if seen.fd_ino is not None and seen.fd_ino != event.ino:
        return other_file(name, seen.fd_ino)
    if len(seen.args) < 6:
        return f"{name} was seen without its arguments"
    if claim.limit is not None and event.size > claim.limit:
        return f"{name} of {claim.length} bytes was seen, the request has {event.size}"
    return None


def _other_place(claim: Claim, event: Write) -> str | None:
    if claim.start is None:
        if _bounded(claim, event):
            return None
        return f"{claim.name} was seen: where one call ends and the next begins is not visible"
    return None if claim.start == event.offset else _misplaced(claim, claim.start, event)


def _misplaced(claim: Claim, start: int, event: Write) -> str:
    end = event.offset + event.size
    if start < event.offset and (claim.limit is None or end <= start + claim.limit):
        return f"a later part of a {claim.name} at {start} whose beginning is not in the journal"
    return f"{claim.name} at {start} was seen, the request is at {event.offset}"


def _bounded(claim: Claim, event: Write) -> bool:
    """Tell whether the end of a call shows though its beginning doesn't."""
    if claim.limit is None:
        return False
    return not claim.splices or event.size == event.result == claim.limit
