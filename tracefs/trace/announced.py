"""One notified call that is not complete yet."""

from typing import Final

from tracefs.events import Copy, Event, Fallocate, Fsync, Notice, Setattr, Sighting, Write
from tracefs.syscalls import Syscall
from tracefs.trace.unheard import MAX_OFFSET, signed

_INT: Final = 0xFFFFFFFF
_SEEK_CUR: Final = 1
_COPY: Final = "copy_file_range"


class Announced:
    """A notice that waits for its thread's next line, which shows what came of the call."""

    __slots__ = ("call", "closes", "doubt", "notice", "size", "used")

    def __init__(self, notice: Notice, call: Syscall) -> None:
        self.notice = notice
        self.call = call
        self.closes = None if notice.closes is None else list(notice.closes)
        """Files that it has still to close; None: not known."""
        self.used = False
        """A request of it was seen."""
        self.size = 0
        """Bytes that its WRITEs so far were about."""
        self.doubt: str | None = None
        """Why what it did is not known."""

    @property
    def is_relative(self) -> bool:
        """Whether it is a seek from where the file position is."""
        return self.call.family == "seek" and self.notice.seen.args[2] & _INT == _SEEK_CUR

    def is_confirmed(self, event: Event) -> bool:
        """Tell whether *event* shows the file position where this seek, relative, took it."""
        mine: Sighting = self.notice.seen
        seen: Sighting | None = getattr(event, "seen", None)
        if seen is None or mine.position is None:
            return False
        if (seen.fd, seen.fd_ino) != (mine.fd, mine.fd_ino):
            return False
        target = mine.position + signed(mine.args[1])
        return seen.position == (target if 0 <= target <= MAX_OFFSET else mine.position)

    def may_ask(self, event: Event) -> bool:
        """Tell whether *event*, whose caller was not seen, may be a request of it."""
        if isinstance(event, Write):
            return self.call.family == "write"
        if isinstance(event, Setattr):
            asked = self.notice.seen.args[1]
            return self.call.name == "ftruncate" and event.size == asked
        if isinstance(event, Fallocate | Copy):
            return self.call.name == ("fallocate" if isinstance(event, Fallocate) else _COPY)
        return isinstance(event, Fsync) and self.call.family == ("write" if self.used else "sync")

    def expects(self, event: Write | Fsync) -> bool:
        """Tell whether *event* can only be the next request of it, if no other call makes any."""
        if not self.may_ask(event):
            return False
        if isinstance(event, Fsync):
            return True
        seen = self.notice.seen
        length = seen.vector_bytes if self.call.length is None else seen.args[self.call.length]
        if length is None:
            return not self.used
        return not event.cached and self.size + event.size <= length
