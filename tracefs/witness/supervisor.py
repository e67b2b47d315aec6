"""The seccomp witness: hears of each notified call at its entry, and lets it go on.

It is a process of its own, which nobody but the stopped thread waits for. That thread holds no lock
of the kernel, so that here its memory may be read too; the server of the mount must never do that.
A line is in the journal before the call goes on.
"""

import ctypes
import errno
import os
import select
import struct
from mmap import mmap
from time import monotonic_ns
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from tracefs.events import Frame, Notice, Sighting, Withdrawn
from tracefs.journal.appender import JournalAppender
from tracefs.pathtext import to_bytes
from tracefs.syscalls import Syscall, table
from tracefs.witness import seccomp
from tracefs.witness.bpf import X32_BIT
from tracefs.witness.files import Files, TracedMount, is_regular
from tracefs.witness.foreign import Translator, untold
from tracefs.witness.levels import notifies
from tracefs.witness.seccomp import Stopped
from tracefs.witness.threads import Fdinfo, Thread, Threads, why

_INT: Final = 0xFFFFFFFF
_GONE: Final = (errno.ENOENT, errno.ESRCH)
_FULL: Final = (errno.EMFILE, errno.ENFILE)
_UNBOUND: Final = frozenset({"sync", "io_uring_setup", "io_submit"})
"""They name no file, or many: told whatever they reach."""
_EXEC: Final = frozenset({"execve", "execveat"})
_CLOSE_MANY: Final = _EXEC | {"exit", "exit_group", "close_range"}
_CLOSE_RANGE_UNSHARE: Final = 2
_SECOND: Final = frozenset({"dup2", "dup3"})
"""Their second argument is a descriptor that they close."""
_CLOSE_ONE: Final = _SECOND | {"close"}
_WITH_CONTENT: Final = frozenset({"seek", "write", "truncate"})
"""Families of calls on what a regular file holds; a FIFO's reaches no filesystem."""

_GETPID: Final = 39
"""On x86_64; elsewhere no call has it together with the bit."""
_MAX_VECTOR: Final = 1024
"""IOV_MAX (readv(2))."""
_IOVEC: Final = struct.Struct("<QQ")
_MAX_REASON: Final = 200
_ENOUGH: Final = "as many stacks as were wanted are there (tracefs stray keeps all)"

_libc: Final = ctypes.CDLL(None, use_errno=True)


class Stacks(Protocol):
    """Who reads the stack of a stopped thread."""

    def capture(self, tid: int) -> tuple[tuple[Frame, ...], str | None]:
        """Return its frames, innermost first, and why some are missing."""


class _HiddenError(Exception):
    """A caller that is there, though not in the /proc of the supervisor."""

    def __init__(self, tid: int, error: OSError) -> None:
        name = errno.errorcode.get(error.errno or 0, "") if tid else "it has no thread id here"
        super().__init__(f"the caller waits, but /proc doesn't show it: {name}")


class _Found(NamedTuple):
    """What a call is about; each None where it isn't known or there is none."""

    fd: int | None = None
    info: Fdinfo | None = None
    path: str | None = None
    closes: tuple[int, ...] | None = None
    """As in `tracefs.events.Notice`."""


class Supervisor:
    """Answers one listener until nobody is left who could call.

    Args:
        listener: as the command's process made it.
        page: shared with the guardian; see `seccomp.slots`.
        journal: where lines go.
        machine: ``uname -m``.
        mount: what is traced.
        backing: descriptor of the directory behind the mount, which syncfs is done on.
        stacks: reads stacks.
        with_stack: names of the calls whose stacks are wanted.
        most_stacks: how many are read at most, since each costs a fraction of a millisecond.
        most_threads: how many are kept at hand; see `threads.affordable`.
    """

    def __init__(
        self,
        listener: int,
        page: mmap,
        journal: JournalAppender,
        *,
        machine: str,
        mount: TracedMount,
        backing: int,
        stacks: Stacks | None,
        with_stack: frozenset[str],
        most_stacks: int,
        most_threads: int,
    ) -> None:
        self._listener = listener
        self._slots = seccomp.slots(page)
        self._ready = select.poll()
        self._ready.register(listener, select.POLLIN)
        self._journal = journal
        self._translator = Translator(machine, x32=_has_x32())
        self._calls = table(machine)
        self._files = Files(mount, to_bytes(mount.root))
        self._backing = backing
        self._stacks = stacks
        self._with_stack = with_stack if stacks is not None else frozenset()
        self._stacks_left = most_stacks
        self._threads = Threads(most_threads)
        self.stopping = False
        """Set it to end after the call at hand."""
        self.failed: str | None = None
        """Why lines are no longer written; calls go on."""

    def run(self) -> None:
        """Return once nobody is left who could call, or when told to stop."""
        while not self.stopping and self.failed is None:
            try:
                stopped = [seccomp.receive(self._listener, self._slots[0])]
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.EINTR):
                    raise
                if any(event & select.POLLHUP for _, event in self._ready.poll(0)):
                    return
                continue
            self._receive_more(stopped)
            for call in stopped:
                self._answer(call)

    def _receive_more(self, stopped: list[Stopped]) -> None:
        """Take what else has stopped meanwhile.

        Until it is received a signal may interrupt a call, with EINTR if its handler was set
        without SA_RESTART; from then on only death does (WAIT_KILLABLE_RECV in seccomp(2)), on
        older kernels until it is answered (should_sleep_killable in kernel/seccomp.c).
        """
        for slot in self._slots[1:]:
            ready = self._ready.poll(0)
            if not ready or not ready[0][1] & select.POLLIN:
                return
            try:
                stopped.append(seccomp.receive(self._listener, slot))
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.EINTR):
                    raise
                return

    def _answer(self, stopped: Stopped) -> None:
        noticed, refused = self._witness(stopped) if self.failed is None else (False, 0)
        if refused:
            made = seccomp.refuse(self._listener, stopped.id, refused)
        else:
            made = seccomp.let_go(self._listener, stopped.id)
        if noticed and not made and self.failed is None:
            now = monotonic_ns()
            line = Withdrawn(start_ns=now, end_ns=now, tid=stopped.tid)
            self.failed = self._journal.append(line)

    def _witness(self, stopped: Stopped) -> tuple[bool, int]:
        """Record a call if it is about the traced directory.

        Returns:
            Whether it is, and an errno to refuse it with, or 0.
        """
        if self._translator.is_none(stopped.architecture, stopped.nr):
            return False, 0
        start = monotonic_ns()
        nr, args = self._translator.translate(stopped.architecture, stopped.nr, stopped.args)
        call = self._calls.get(nr)
        if (
            call is not None
            and not self._translator.is_own(stopped.architecture)
            and not notifies(call.name, args)
        ):
            return False, 0
        try:
            notice = self._look_for(start, stopped, call, nr, args)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller waits
            self._threads.forget(stopped.tid)
            missing = _missing(error)
            if missing is None:
                return False, 0
            notice = Notice(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=stopped.tid,
                seen=Sighting(nr=nr, args=args, missing=missing),
            )
        if notice is None:
            return False, 0
        refused = 0
        if call is not None and call.name == "syncfs":
            refused = _sync_filesystem(self._backing)
        if not seccomp.still_waits(self._listener, stopped.id):
            return False, 0  # killed meanwhile: the call is never made
        self.failed = self._journal.append(notice)
        return True, refused

    def _look_for(
        self, start: int, stopped: Stopped, call: Syscall | None, nr: int, args: tuple[int, ...]
    ) -> Notice | None:
        """Return what `_look` does, and want no descriptors for what is only kept."""
        try:
            return self._look(start, stopped, call, nr, args)
        except OSError as error:
            if error.errno not in _FULL:
                raise
        self._threads.close()
        return self._look(start, stopped, call, nr, args)

    def _look(
        self, start: int, stopped: Stopped, call: Syscall | None, nr: int, args: tuple[int, ...]
    ) -> Notice | None:
        """Return what is seen of a call; None: it is about another directory."""
        thread, comm = self._caller(stopped)
        if call is None:
            return Notice(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=stopped.tid,
                seen=Sighting(
                    pid=thread.pid, comm=comm, missing=untold(stopped.architecture, stopped.nr)
                ),
            )
        found = self._find(thread, call, args)
        if found is None:
            return None
        notice = self._notice(start, thread, comm, call, nr, args, found)
        if call.vector is not None and self._translator.is_own(stopped.architecture):
            notice = _with_vector(notice, thread, call, args)
        return notice

    def _caller(self, stopped: Stopped) -> tuple[Thread, str]:
        """Return the thread that has stopped and its command name.

        Raises:
            OSError: it is gone, or may not be read.
            _HiddenError: it waits, and /proc doesn't show it.
        """
        try:
            return self._living(stopped.tid)
        except OSError as error:
            if error.errno not in _GONE or not seccomp.still_waits(self._listener, stopped.id):
                raise
            raise _HiddenError(stopped.tid, error) from error

    def _living(self, tid: int) -> tuple[Thread, str]:
        thread = self._threads.get(tid)
        if thread is not None:
            try:
                return thread, thread.comm()
            except ProcessLookupError:
                pass  # the number belongs to another thread by now
        thread = self._threads.open(tid)
        return thread, thread.comm()

    def _find(self, thread: Thread, call: Syscall, args: tuple[int, ...]) -> _Found | None:
        """Return what the call is about; None: another directory."""
        if call.name in _CLOSE_MANY:
            return self._closing_many(thread, call.name, args)
        if call.fd is None:
            return _Found() if self._reaches(thread, call.name, args) else None
        fd = args[call.fd] & _INT
        info = thread.fdinfo(fd)
        closed = None
        if call.name in _SECOND and fd != args[1] & _INT:
            closed = self._files.held(thread, args[1] & _INT)
        if not self._files.holds(thread, fd, info):
            return None if closed is None else _Found(fd, closes=_inodes([closed]))
        if call.family in _WITH_CONTENT and not is_regular(thread, fd, info):
            return None
        if call.name == "close":
            closed = info
        closes = _inodes([] if closed is None else [closed]) if call.name in _CLOSE_ONE else None
        return _Found(fd, info, self._files.name(thread, fd, info.ino), closes)

    def _closing_many(self, thread: Thread, name: str, args: tuple[int, ...]) -> _Found | None:
        if name == "close_range":
            reached = self._files.opened(thread, args[0] & _INT, args[1] & _INT)
            closed = [] if args[2] & _INT & ~_CLOSE_RANGE_UNSHARE else reached
        else:
            reached = self._files.opened(thread, 0, _INT)
            closed = reached
            if name in _EXEC:
                closed = reached = [info for info in reached if info.flags & os.O_CLOEXEC]
        return _Found(closes=_inodes(closed)) if reached else None

    def _reaches(self, thread: Thread, name: str, args: tuple[int, ...]) -> bool:
        """Return whether a call without a descriptor may reach the traced directory."""
        if name in _UNBOUND:
            return True
        if name == "msync":
            return self._files.maps(thread, args[0])
        return False

    def _notice(
        self,
        start: int,
        thread: Thread,
        comm: str,
        call: Syscall,
        nr: int,
        args: tuple[int, ...],
        found: _Found,
    ) -> Notice:
        position = flags = ino = None
        if found.info is not None:
            position, flags, _, ino = found.info
        stack: tuple[Frame, ...] = ()
        unstacked = None
        if self._stacks is not None and call.name in self._with_stack:
            if self._stacks_left > 0:
                self._stacks_left -= 1
                stack, unstacked = self._stacks.capture(thread.tid)
            else:
                unstacked = _ENOUGH
        return Notice(
            start_ns=start,
            end_ns=monotonic_ns(),
            tid=thread.tid,
            seen=Sighting(
                nr=nr,
                args=args,
                pid=thread.pid,
                comm=comm,
                fd=found.fd,
                position=position,
                fd_flags=flags,
                fd_ino=ino,
            ),
            path=found.path,
            stack=stack,
            unstacked=unstacked,
            closes=found.closes,
        )


def _inodes(found: list[Fdinfo]) -> tuple[int, ...] | None:
    """Return the inode number of each; None: this kernel does not tell it."""
    inodes = tuple(info.ino for info in found if info.ino is not None)
    return inodes if len(inodes) == len(found) else None


def _with_vector(notice: Notice, thread: Thread, call: Syscall, args: tuple[int, ...]) -> Notice:
    """Return *notice* with the length of its iovec, as far as that can be read."""
    seen = replace(notice.seen, vector_bytes=_vector_bytes(thread, call, args))
    return replace(notice, seen=seen)


def _vector_bytes(thread: Thread, call: Syscall, args: tuple[int, ...]) -> int | None:
    """Return the sum of the lengths in a call's iovec; None: it has none, or it can't be read."""
    if call.vector is None or not 0 <= args[call.vector + 1] <= _MAX_VECTOR:
        return None
    size = _IOVEC.size * args[call.vector + 1]
    try:
        with open(f"/proc/{thread.tid}/mem", "rb", buffering=0) as memory:
            vector = os.pread(memory.fileno(), size, args[call.vector])
    except (OSError, OverflowError):
        return None
    return sum(length for _, length in _IOVEC.iter_unpack(vector)) if len(vector) == size else None


def _missing(error: Exception) -> str | None:
    """Return why a call could not be witnessed; None: there is nothing to witness."""
    if isinstance(error, _HiddenError):
        return str(error)
    if not isinstance(error, OSError):
        return f"the witness failed: {type(error).__name__}: {error}"[:_MAX_REASON]
    if error.errno in _GONE:
        return None  # the caller was killed, or its descriptor is not open: EBADF
    return why(error)


def _has_x32() -> bool:
    """Return whether this kernel knows x32 calls, by asking it for getpid(2)."""
    return bool(_libc.syscall(X32_BIT | _GETPID) >= 0)


def _sync_filesystem(backing: int) -> int:
    """Sync the real filesystem, which FUSE would not be asked to; return an errno, 0 for success.

    The kernel passes syncfs(2) on to virtiofs alone (``fuse_sync_fs`` in fs/fuse/inode.c).
    """
    return 0 if _libc.syncfs(backing) == 0 else ctypes.get_errno()
