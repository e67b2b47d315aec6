"""What the seccomp witness was notified of, joined with the requests that came of it.

A notice stands before everything that its call did: the requests of a notified write or close
follow it on the same thread, before the thread's next notice. Those are one call. What reaches no
filesystem (lseek, dup, sync_file_range) is a call by itself.

Notices of calls that need their thread's next line to be understood wait for it: `Announced`.
"""

from typing import Any, Final, NamedTuple

import msgspec

from tracefs.events import (
    AnyEvent,
    Event,
    Fallen,
    Faults,
    Flush,
    Fsync,
    Header,
    Lost,
    Mark,
    Notice,
    Query,
    Read,
    Release,
    Setattr,
    Statfs,
    Withdrawn,
    Write,
)
from tracefs.trace.announced import Announced
from tracefs.trace.call import Call
from tracefs.trace.flags import O_ACCMODE, O_APPEND
from tracefs.trace.handles import Handles
from tracefs.trace.naming import UNKNOWN, Name, Namer, unknown
from tracefs.trace.output import Output
from tracefs.trace.unheard import describe

NOTIFYING: Final = frozenset({"seccomp", "full"})
"""Witnesses whose recordings hold notices."""
_EXIT: Final = frozenset({"exit", "exit_group"})
_OTHER_CLOSING: Final = frozenset({"close_range", "dup2", "dup3", "execve", "execveat"}) | _EXIT
CLOSING: Final = _OTHER_CLOSING | {"close"}
"""Notified calls that close descriptors; without any, a signal does, at the end of a process."""
_EXEC: Final = frozenset({"execve", "execveat"})
_SILENT: Final = frozenset({"close", "execve", "execveat"}) | _EXIT
"""Without a request they are about a directory, or another place: no call on a file here."""
_ONCE: Final = frozenset({"close", "dup2", "dup3"})
"""They close one descriptor at most."""
_REQUESTING: Final = frozenset({"write", "sync", "truncate"})
"""Families whose calls make requests of their own."""
_ARGUMENTS: Final = 6
_MAX_PENDING: Final = 1024
SEVERAL: Final = -1
"""Stands for a thread where more than one has used a file."""
_ASYNCHRONOUS: Final = frozenset({"io_submit", "io_uring_setup"})
"""What they do comes in no request of theirs, or later."""
_IN_PASSING: Final = frozenset({Read, Query, Statfs, Faults, Fallen})
"""Requests that any call may make, and lines that are none."""
_CHANGING: Final = frozenset({Write, Fsync, Setattr})
"""Requests that a notified call may make of its own."""
_RECORDED_LATELY: Final = frozenset({"fallocate"})
"""Calls whose requests only newer recordings hold (`Header.operations`)."""
_NO_LENGTH: Final = "the length is not known"
_AT_EXEC: Final = "closed by exec (O_CLOEXEC), or later if that failed"
_AT_EXIT: Final = "closed by the end of the process"
_UNHEARD: Final = "closed by the end of the process: by a signal, or by another thread's exit_group"
SEEKS_TO_APPEND: Final = "writes go to the end of the file all the same: O_APPEND"
"""Label of a seek that no write heeds (open(2))."""
_SAME: Final = "closed by the same call as the file before"
_UNCONFIRMED: Final = "no later call of the thread shows where it moved to"
_AT_ONCE: Final = "another thread used the file at the same time"
_BY_RING: Final = "closed through io_uring, or by the end of the process by a signal"


class Closing(NamedTuple):
    """What closed a descriptor."""

    name: Name
    fd: int | None = None
    result: int = 0
    returns: bool = True
    note: str | None = None

    @property
    def tells(self) -> bool:
        """Whether the program hears of a FLUSH that failed.

        dup2, close_range, exec and the end of a process let filp_close's result go
        (do_dup2, __range_close, close_files in fs/file.c).
        """
        return self.name.call in {"close", UNKNOWN}


class Notices:
    """Takes notices of one recording; holds one for each thread at most."""

    def __init__(self, header: Header, namer: Namer, handles: Handles, output: Output) -> None:
        self._namer = namer
        self._handles = handles
        self._out = output
        self.announced: dict[int, Announced] = {}
        """By thread: its notice that waits for what comes of it."""
        self.users: dict[int, int] = {}
        """By file: the one thread that has used it, or `SEVERAL`."""
        self.seeking: dict[int, set[int]] = {}
        """By file: threads whose lseek on it is pending."""
        self._sees_closing = set(header.notified) >= _OTHER_CLOSING
        self._sees_close = "close" in header.notified and not header.visible
        self._sees_requesting = set(header.notified) >= {
            call.name
            for call in namer.calls.values()
            if call.family in {"write", "sync"} and call.name != "io_uring_enter"
        }
        self._without_request = _ASYNCHRONOUS | (_RECORDED_LATELY - set(header.operations))
        self.own: set[int] = set()
        """Indices of calls in *items* that no notice has anything to say of: emitted here, or told
        already."""
        self._rings = False
        """Somebody has set up an io_uring, which can close too."""
        self.lost: Lost | None = None

    def supplied(self, event: Write | Fsync) -> Write | Fsync:
        """Return *event*, with its notice's sighting if the look at the caller failed.

        Where all calls that write or sync are notified, a request can only be of the one that its
        thread announced last: unless that is complete, or an io_uring asks in the thread's name.
        """
        if not self._sees_requesting or self._rings:
            return event
        waiting, seen = self.announced.get(event.tid), event.seen
        if waiting is None or seen is None or seen.nr >= 0 or self.lost is not None:
            return event
        if not waiting.expects(event):
            return event
        return msgspec.structs.replace(event, seen=waiting.notice.seen)

    def before(self, event: AnyEvent) -> None:
        """Complete what *event* shows to be over; call it first for each event.

        Nothing changes by a Write or Fsync of a thread without a notice in `announced`, on a file
        whose `users` are known to be this thread or `SEVERAL`, and on which nobody is `seeking`.
        """
        kind, tid = type(event), event.tid
        if kind is Lost or kind is Withdrawn:
            self._ended(event)
            return
        ino: int | None
        if isinstance(event, Notice):
            ino = event.seen.fd_ino
        else:
            ino = getattr(event, "ino", None)
            if isinstance(event, Release) and self._handles.is_last(event.fh):
                self.users.pop(event.ino, None)  # another file may have the number next
        waiting = self.announced.get(tid)
        if waiting is not None:
            if not self._goes_on(waiting, event):
                self._settle(tid, event)
            elif kind in _CHANGING and not getattr(event, "cached", False):
                waiting.used = True
                waiting.size += event.size if isinstance(event, Write) else 0
        if ino:
            self._used(ino, event)

    def _ended(self, event: AnyEvent) -> None:
        """The witness is gone, or a call was never made."""
        if isinstance(event, Lost):
            self.lost = event
        else:
            self._withdraw(event.tid)

    def _used(self, ino: int, event: Event) -> None:
        """Note that the thread of *event* uses a file."""
        tid, users = event.tid, self.users
        if tid and users.setdefault(ino, tid) not in {tid, SEVERAL}:
            users[ino] = SEVERAL
        if self.seeking and ino in self.seeking:
            self._overtake(self.seeking[ino] - {tid}, event)

    def _overtake(self, others: set[int], event: Event) -> None:
        """What comes after a seek on a file is to stand behind it, whoever does it."""
        for other in others:
            if event.tid:
                self.announced[other].doubt = _AT_ONCE
            self._settle(other, event)

    def notice(self, event: Notice) -> None:
        """Take a notice."""
        call = self._namer.calls.get(event.seen.nr)
        missing = event.seen.missing
        if missing is None and len(event.seen.args) != _ARGUMENTS:
            missing = "seen without its arguments"
        if call is None or missing is not None:
            name = "" if call is None else f"{call.name}: "
            why = f"{name}{missing or f'system call {event.seen.nr} is not in the table'}"
            family = "seek" if call is not None and call.family == "seek" else "none"
            self._emit(event, UNKNOWN, family, reason=why)
            return
        self._rings = self._rings or call.name == "io_uring_setup"
        waiting = Announced(event, call)
        requesting = call.family in _REQUESTING and call.name not in self._without_request
        closing = call.name in CLOSING and waiting.closes != []
        ino = event.seen.fd_ino
        if call.family == "seek" and ino:
            self.seeking.setdefault(ino, set()).add(event.tid)
        if requesting or call.family == "seek" or closing:
            if self.users.get(ino or 0) == SEVERAL:
                waiting.doubt = "another thread or process has used the file, too"
            self.announced[event.tid] = waiting
            self._forget_ended()
        elif call.name not in _SILENT:
            self._alone(waiting)

    def closing(self, event: Flush) -> Closing:
        """Return what closed a descriptor."""
        waiting = self.announced.get(event.tid)
        if waiting is None or waiting.call.name not in CLOSING or not self._hears_closing:
            return self._closing_unheard()
        heard = waiting.call.name
        again, waiting.used = waiting.used, True
        if waiting.closes is not None and event.ino in waiting.closes:
            waiting.closes.remove(event.ino)
        if heard in _EXEC or heard in _EXIT:
            # Neither returns: what it is told by close is nobody's result.
            why = _AT_EXEC if heard in _EXEC else _AT_EXIT
            return Closing(Name(heard, "seccomp"), returns=False, note=why)
        if heard == "close_range":
            return Closing(Name(heard, "seccomp"), note=_SAME if again else None)
        fd = waiting.notice.seen.args[0 if heard == "close" else 1] & 0xFFFFFFFF
        if heard == "close":
            return Closing(Name(heard, "seccomp"), fd=fd)
        note: str | None = None
        if waiting.notice.seen.fd_ino is not None:
            # One call on two files: a copy of a descriptor of the one, the end of one of the other.
            self._alone(waiting)
            note = f"closed by call {self._out.calls - 1}"
        return Closing(Name(heard, "seccomp"), fd=fd, result=fd, note=note)

    @property
    def _hears_closing(self) -> bool:
        return self._sees_closing and self.lost is None

    def _closing_unheard(self) -> Closing:
        """Name what closed a descriptor without a notice: a close, if those are not notified."""
        if not self._sees_close or not self._hears_closing:
            return Closing(Name("close", "fuse"))
        if self._rings:
            return Closing(unknown(_BY_RING))
        return Closing(Name("exit", "fuse"), returns=False, note=_UNHEARD)

    def _closes(self, waiting: Announced, event: Flush) -> bool:
        """Tell whether *event* is of what *waiting* closes, not of a later close unheard of."""
        name = waiting.call.name
        if name not in CLOSING:
            return False
        certain = waiting.closes is None or event.ino in waiting.closes
        return certain or self._sees_close or name in _EXIT

    def _forget_ended(self) -> None:
        """Keep few threads that have ended, whose files others may still close."""
        if len(self.announced) > _MAX_PENDING:
            ended = (tid for tid, one in self.announced.items() if one.call.name in _EXIT)
            oldest = next(ended, None)
            if oldest is not None:
                del self.announced[oldest]

    def complete(self) -> None:
        """Do as `after`, before the next notice comes: that is of none of these calls."""
        self.after()
        self.own.update(item.index for item in self._out.items if isinstance(item, Call))

    def after(self) -> None:
        """Give the calls that *items* holds what their notices say."""
        if self.announced:
            self._supplement()
        if self.own:
            self.own.clear()

    def _supplement(self) -> None:
        items = self._out.items
        for place, item in enumerate(items):
            if not isinstance(item, Call) or item.index in self.own:
                continue
            waiting = self.announced.get(item.tid or 0)
            if waiting is None:
                continue
            if item.call == waiting.call.name:
                notice = waiting.notice
                waiting.used = True
                more: dict[str, Any] = {}
                if item.length is None and item.family == "write":
                    more = _with_vector(item, notice)
                if item.call == "msync":
                    told = describe(waiting.call, notice.seen, None, self._namer.machine)
                    more = {"length": told.length, "flags": told.flags}
                items[place] = msgspec.structs.replace(
                    item,
                    known_by="seccomp",
                    start_ns=notice.start_ns,
                    stack=notice.stack,
                    unstacked=notice.unstacked,
                    **more,
                )
                if waiting.call.name in _ONCE:
                    del self.announced[notice.tid]
            elif item.call == UNKNOWN and item.family == waiting.call.family:
                waiting.used = True
                if _is_foreign(item, waiting):
                    items[place] = self._named(item, waiting)

    def _named(self, item: Call, waiting: Announced) -> Call:
        """Name a call of another ABI, whose number says nothing, by its notice."""
        self._out.unknown -= 1
        notice = waiting.notice
        return msgspec.structs.replace(
            item,
            call=waiting.call.name,
            known_by="seccomp",
            start_ns=notice.start_ns,
            fd=notice.seen.fd,
            position=notice.seen.position,
            length=item.result if item.family == "write" else None,
            stack=notice.stack,
            unstacked=notice.unstacked,
            reason=None,
        )

    def _goes_on(self, waiting: Announced, event: Event) -> bool:
        """Tell whether *event* may lie within the call that *waiting* is the notice of."""
        kind = type(event)
        if kind is Notice or kind is Mark:
            return False
        if kind in _IN_PASSING or (isinstance(event, Write) and event.cached):
            return True  # a page fault on its arguments, or write-back
        if isinstance(event, Flush):
            return self._closes(waiting, event)
        seen = getattr(event, "seen", None)
        if seen is None or seen.nr < 0:
            return waiting.may_ask(event)
        # A number of another ABI's table: no notified call of the machine's own has it.
        foreign = seen.nr not in self._namer.calls and waiting.may_ask(event)
        return bool(seen.nr == waiting.notice.seen.nr or foreign)

    def end(self) -> None:
        """Complete what the journal's end cut off."""
        for tid in list(self.announced):
            self._settle(tid, None)

    def _withdraw(self, tid: int) -> None:
        """The thread's notice came to nothing: it was killed before the call began."""
        waiting = self.announced.pop(tid, None)
        if waiting is not None:
            self._unseek(tid, waiting)

    def _unseek(self, tid: int, waiting: Announced) -> None:
        ino = waiting.notice.seen.fd_ino
        if waiting.call.family == "seek" and ino:
            tids = self.seeking[ino]
            tids.discard(tid)
            if not tids:
                del self.seeking[ino]

    def _settle(self, tid: int, event: Event | None) -> None:
        """Nothing more comes of the thread's notice; *event* shows that."""
        waiting = self.announced.pop(tid)
        self._unseek(tid, waiting)
        if waiting.is_relative and not (event is not None and waiting.is_confirmed(event)):
            waiting.doubt = waiting.doubt or _UNCONFIRMED
        if not waiting.used and waiting.call.name not in _SILENT:
            self._alone(waiting)

    def _alone(self, waiting: Announced) -> None:
        """Emit a notice of which no request came."""
        seen, machine = waiting.notice.seen, self._namer.machine
        description = describe(waiting.call, seen, waiting.doubt, machine)
        self._emit(
            waiting.notice,
            waiting.call.name,
            description.family,
            offset=description.offset,
            length=description.length,
            result=description.result,
            errno=description.errno,
            flags=description.flags,
            reason=description.reason,
        )

    def _emit(
        self,
        event: Notice,
        name: str,
        family: str,
        *,
        offset: int | None = None,
        length: int | None = None,
        result: int | None = None,
        errno: int = 0,
        flags: tuple[str, ...] = (),
        reason: str | None = None,
    ) -> None:
        seen, out = event.seen, self._out
        flags_known = seen.fd_flags if family == "seek" else None
        appends = flags_known is not None and flags_known & O_APPEND
        handle = self._handles.only(seen.fd_ino, seen.fd_flags)
        if handle is not None:
            path: str | None = self._handles[handle].path
        else:
            path = self._handles.path_of(seen.fd_ino) or event.path
        self.own.add(out.calls)
        out.items.append(
            # By position: keywords cost as much as all the rest.
            Call(
                out.calls, name, family, None if name == UNKNOWN else "seccomp", path,
                event.start_ns, event.end_ns, event.tid or None, seen.pid, seen.comm, seen.fd_ino,
                handle, seen.fd, offset, length, result, errno, flags, 0, seen.position, None, None,
                False, None, False, SEEKS_TO_APPEND if appends else None,
                None if flags_known is None else bool(flags_known & O_ACCMODE),
                event.stack, event.unstacked, reason,
            )
        )  # fmt: skip
        out.calls += 1
        out.unknown += name == UNKNOWN


def _with_vector(item: Call, notice: Notice) -> dict[str, Any]:
    """Return the fields of a vectored write that its notice knows: the length was in memory."""
    length = notice.seen.vector_bytes
    if length is None:
        return {}
    return {"length": length, "reason": None if item.reason == _NO_LENGTH else item.reason}


def _is_foreign(item: Call, waiting: Announced) -> bool:
    """Tell whether *item* is all of a call whose number is of another ABI's table."""
    reason = item.reason or ""
    if not reason.endswith(("a 32-bit program", "a 32-bit program?")):
        return False
    if item.family == "truncate":
        return waiting.notice.seen.args[1] == item.length
    if item.family != "write" or waiting.call.length is None:
        return True
    args = waiting.notice.seen.args
    return item.result == args[waiting.call.length]
