"""The fragments of a write call, and the syncs it implies, joined into the one call."""

from typing import Final

from tracefs.events import (
    AnyEvent,
    Fallen,
    Faults,
    Fsync,
    Header,
    Query,
    Read,
    Release,
    Write,
    is_pretended,
)
from tracefs.trace.call import Call
from tracefs.trace.claims import MAX_COUNT, Claim, contradiction, read_claim
from tracefs.trace.fallocate import Emulation
from tracefs.trace.flags import O_APPEND, O_DSYNC, o_direct, rwf_flags, sync_flag
from tracefs.trace.handles import NOT_OPENED, Handle, Handles
from tracefs.trace.naming import UNKNOWN, Namer
from tracefs.trace.output import Output
from tracefs.trace.pending import Pending

_WRITE: Final = frozenset({"write"})
_PLAIN: Final = frozenset({"write", "pwrite64"})
_SPECIAL: Final = O_APPEND | O_DSYNC
_IN_PASSING: Final = (Read, Query, Faults, Fallen)
_TAKING_THE_LOCK: Final = (Write, Fsync)
"""Requests that a call makes with the inode locked."""

APPENDS: Final = "O_APPEND was set after the open; the offset is the end of the file"
"""Label of a write whose offset the program didn't give (pwrite(2), BUGS)."""


class Writes:
    """Joins WRITEs; holds at most one call for each thread."""

    def __init__(
        self, header: Header, namer: Namer, handles: Handles, emulation: Emulation, output: Output
    ) -> None:
        self._namer = namer
        self._handles = handles
        self._emulation = emulation
        self._out = output
        self._cached = header.mode == "cached"
        self._direct = o_direct(header.machine)
        self._witness = namer.look
        self._plain = namer.numbers(_PLAIN)
        self.pending: dict[int, Pending] = {}
        """By thread: the call that is not complete, or waits for its implied sync."""
        self.pending_on: dict[int, dict[int, Pending]] = {}
        """The same by file, then by thread."""

    def write(self, event: Write) -> None:
        """Take a WRITE that continues no pending call."""
        seen = event.seen
        if seen is not None:
            call = self._plain.get(seen.nr)
            handle = self._handles.get(event.fh)
            args = seen.args
            if (
                # By far the most common: the first request of a call that is nothing special.
                call is not None
                and handle is not None
                and len(args) == 6
                and event.offset == (seen.position if call.offset is None else args[3])
                and (size := event.size) == event.result
                and seen.fd_ino == event.ino
                and seen.fd_flags is not None
                and not (seen.fd_flags | handle.flags) & _SPECIAL
                and not (event.errno or event.cached or event.injected)
                and (tid := event.tid)
                and not (event.zero and tid in self._emulation.runs)
            ):
                if size == args[2]:
                    out = self._out
                    out.items.append(
                        # By position: keywords cost as much as all the rest.
                        Call(
                            out.calls, call.name, "write", self._witness, handle.path,
                            event.start_ns, event.end_ns, tid, seen.pid, seen.comm, event.ino,
                            event.fh, seen.fd, event.offset, size, size, 0, (), 1, seen.position,
                        )
                    )  # fmt: skip
                    out.calls += 1
                    return
                if size < args[2] and size <= MAX_COUNT:
                    claim = Claim(call.name, event.offset, args[2], 0, appends=False)
                    direct = self._is_async(handle, seen.fd_flags | handle.flags)
                    self._settle(Pending(event, seen, claim, handle, None, direct=direct))
                    return
        self._begin(event)

    def goes_on(self, event: AnyEvent) -> bool:
        """Complete the calls that *event* shows to be over; tell whether it is part of one."""
        if self.pending and isinstance(event, _TAKING_THE_LOCK):
            self._overtake(event)
        return event.tid in self.pending and self._absorb(event)

    def _absorb(self, event: AnyEvent) -> bool:
        """Offer *event* to the pending call of its thread; False: it is something else.

        Reading doesn't end a call: a page fault on its buffer reads in the middle of it. Neither
        does write-back.
        """
        call = self.pending[event.tid]
        if isinstance(event, Write):
            if event.cached:
                return False
            if call.takes(event):
                call.add(event)
                self._settle(call)
                return True
        elif isinstance(event, _IN_PASSING):
            return False
        elif isinstance(event, Fsync) and call.causes(event):
            call.sync(event)
            self._settle(call)
            return True
        self._drop(call)
        if isinstance(event, Write) and call.may_take(event):
            call.doubt = "whether the next write belongs to this call is not visible"
        self._emit(call)
        return False

    def _overtake(self, event: Write | Fsync) -> None:
        """Complete the calls of other threads on the file that *event* is about.

        A write holds the inode's lock from its first request to its last, and a sync sends its
        request while it holds it (fuse_cache_write_iter, fuse_fsync in fs/fuse/file.c): nothing
        more of those calls can come. The sync that a flag implies comes after the lock.
        """
        others = self.pending_on.get(event.ino)
        if others is None or (len(others) == 1 and event.tid in others):
            return
        if isinstance(event, Write) and event.cached:
            return
        for call in list(others.values()):
            if call.first.tid != event.tid and not call.over:
                self._drop(call)
                self._emit(call)

    def released(self, event: Release) -> None:
        """Complete the calls on an open that is gone."""
        for call in list(self.pending_on.get(event.ino, {}).values()):
            if call.first.fh == event.fh:
                self._drop(call)
                self._emit(call)

    def _keep(self, call: Pending) -> None:
        tid, ino = call.first.tid, call.first.ino
        self.pending[tid] = call
        others = self.pending_on.get(ino)
        if others is None:
            self.pending_on[ino] = {tid: call}
        else:
            others[tid] = call

    def _drop(self, call: Pending) -> None:
        tid, ino = call.first.tid, call.first.ino
        del self.pending[tid]
        others = self.pending_on[ino]
        if len(others) == 1:
            del self.pending_on[ino]
        else:
            del others[tid]

    def end(self) -> None:
        """Complete what the journal's end cut off; what the program was told is not known."""
        for call in self.pending.values():
            call.doubt = call.doubt or "the journal ends within this call"
            self._emit(call)
        self.pending.clear()
        self.pending_on.clear()

    def _begin(self, event: Write) -> None:
        seen = event.seen
        if event.cached:
            self._emit_alone(event, "mmap", None)
            return
        if not event.tid:
            self._emit_alone(
                event, UNKNOWN, "written by the kernel, or by a thread not visible here"
            )
            return
        call = self._namer.identify(seen, _WRITE, "a write")
        if isinstance(call, str):
            self._emit_alone(event, UNKNOWN, call)
            return
        assert seen is not None
        handle = self._handles.get(event.fh)
        bits = (seen.fd_flags or 0) | (0 if handle is None else handle.flags)
        claim = read_claim(call, seen, _current(seen.fd_flags, bits))
        reason = contradiction(claim, event, seen)
        if reason is not None:
            self._emit_alone(event, UNKNOWN, reason)
            return
        direct = self._is_async(handle, bits)
        flag = sync_flag(bits, claim.flags)
        self._settle(Pending(event, seen, claim, handle, flag, direct=direct))

    def _settle(self, call: Pending) -> None:
        """Emit a call of which nothing more can come; hold any other."""
        if call.over and not (
            call.sync_flag is not None and self._is_cached(call.handle) and call.waits_for_sync
        ):
            if self.pending.get(call.first.tid) is call:
                self._drop(call)
            self._emit(call)
        else:
            self._keep(call)

    def _is_cached(self, handle: Handle | None) -> bool:
        return self._cached and not (handle is not None and handle.uncached)

    def _is_async(self, handle: Handle | None, bits: int) -> bool:
        """Return whether all pieces of a write through this open are sent at once (`Pending`)."""
        return bool(bits & self._direct) and self._is_cached(handle)

    def _emit(self, call: Pending) -> None:
        first, seen, claim, handle = call.first, call.seen, call.claim, call.handle
        errno = call.errno
        told = call.doubt is None
        failed = errno != 0 and call.done == 0
        synced, unsynced = self._durability(call) if call.sync_flag is not None else (None, None)
        note = None
        if first.zero and claim.name == "pwrite64" and claim.length == 1:
            note = self._emulation.note(first)
        if handle is not None and (seen.fd_flags or 0) & O_APPEND and not handle.flags & O_APPEND:
            note = APPENDS
        out = self._out
        out.items.append(
            # By position, as in `write`.
            Call(
                out.calls, claim.name, "write", self._witness,
                None if handle is None else handle.path, first.start_ns, call.end_ns, first.tid,
                seen.pid, seen.comm, first.ino, first.fh, seen.fd, first.offset, claim.length,
                call.done if told and not failed else None, errno if told and failed else 0,
                rwf_flags(claim.flags) if claim.flags else (), call.fragments, seen.position,
                synced, None, False, None, False, note, None, (), None,
                None
                if handle is not None and claim.length is not None and told and unsynced is None
                else _reasons(
                    None if handle is not None else NOT_OPENED,
                    None if claim.length is not None else seen.missing or "the length is not known",
                    call.doubt or unsynced,
                ),
                None,
                call.injected,
            )
        )  # fmt: skip
        out.calls += 1

    def _durability(self, call: Pending) -> tuple[str | None, str | None]:
        """Return the flag that made the call durable, or why the flag it has did not."""
        flag = call.sync_flag
        if flag is None or not call.done or is_pretended(call.injected):
            return None, None
        if call.synced:
            return flag, None
        if call.handle is not None and call.handle.uncached:
            return flag, None  # it was synced with the write
        if self._cached:
            return None, f"no sync followed, though {flag} asks for one"
        if flag.startswith("O_"):
            return flag, None  # the backing descriptor has the flag too
        return None, f"{flag} has no effect: in direct_io mode the kernel does not pass it on"

    def _emit_alone(self, event: Write, name: str, reason: str | None) -> None:
        """Emit a WRITE that can't be joined to anything."""
        seen = event.seen
        handle: Handle | None = self._handles.get(event.fh)
        mapped = name == "mmap"
        self._append(
            Call(
                index=self._out.calls,
                call=name,
                family="write",
                known_by="fuse" if mapped else None,
                path=None if handle is None else handle.path,
                start_ns=event.start_ns,
                end_ns=event.end_ns,
                tid=None if mapped else event.tid or None,
                pid=None if seen is None else seen.pid,
                comm=None if seen is None else seen.comm,
                ino=event.ino,
                handle=event.fh,
                offset=event.offset,
                length=event.size if mapped else None,
                result=None if event.errno else event.result,
                errno=event.errno,
                fragments=1,
                reason=_reasons(reason, None if handle is not None else NOT_OPENED),
                injected=event.injected,
            )
        )
        self._out.unknown += not mapped

    def _append(self, call: Call) -> None:
        self._out.items.append(call)
        self._out.calls += 1


def _current(fd_flags: int | None, bits: int) -> int:
    """Return the flags of now: fcntl(F_SETFL) can set and clear O_APPEND, fdinfo shows it."""
    return bits if fd_flags is None else fd_flags


def _reasons(*reasons: str | None) -> str | None:
    told = [reason for reason in reasons if reason]
    return "; ".join(told) if told else None
