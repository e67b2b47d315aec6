"""Who called, read from /proc while the request holds the caller.

A thread that waits for a FUSE reply sits in its system call: ``/proc/<tid>/syscall`` shows number
and arguments, ``/proc/<tid>/fdinfo/<fd>`` the file position (proc(5)).

Never to be used for FLUSH or RELEASE: exec closes descriptors while it holds the
``exec_update_lock`` that ``/proc/<tid>/syscall`` takes (fs/exec.c, fs/proc/base.c), so the look
would wait for the request and the request for the look. For the same reason the caller's memory is
never read, not even for the lengths of a vector: that takes the ``mmap_lock``, which another thread
of the program may hold while it waits for us (mmap over a dirty mapping waits for write-back).
"""

import errno
import os
from collections import OrderedDict
from typing import Final

from tracefs.events import Sighting
from tracefs.pathtext import to_text
from tracefs.syscalls import Syscall, table

_MAX_FDS: Final = 8
_INT: Final = 0xFFFFFFFF
_LONGEST_32_BIT: Final = len(b"0xffffffff")


class _Thread:
    """Kept-open descriptors of one thread's /proc files; reading them costs a third of opening."""

    __slots__ = ("comm", "fdinfo", "pid", "syscall", "tid")

    def __init__(self, tid: int) -> None:
        self.tid = tid
        self.fdinfo: OrderedDict[int, int] = OrderedDict()
        self.syscall = self.comm = -1
        try:
            self.syscall = os.open(f"/proc/{tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            self.comm = os.open(f"/proc/{tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
            self.pid = _thread_group(tid)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        for fd in (self.syscall, self.comm, *self.fdinfo.values()):
            if fd >= 0:
                os.close(fd)

    def open_fdinfo(self, fd: int) -> int:
        kept = self.fdinfo.get(fd)
        if kept is None:
            kept = os.open(f"/proc/{self.tid}/fdinfo/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            self.fdinfo[fd] = kept
            if len(self.fdinfo) > _MAX_FDS:
                os.close(self.fdinfo.popitem(last=False)[1])
        return kept


class ProcWitness:
    """Looks at held threads; not safe for use by several threads."""

    def __init__(self, machine: str, *, max_threads: int = 128) -> None:
        """Look at programs of ``uname -m`` *machine*; keep files of *max_threads* threads open."""
        self._max_threads = max_threads
        self._calls: dict[int, Syscall] = table(machine)
        self._threads: OrderedDict[int, _Thread] = OrderedDict()

    def close(self) -> None:
        """Close every kept descriptor."""
        while self._threads:
            self._threads.popitem()[1].close()

    def look(self, tid: int) -> Sighting:
        """Return what thread *tid*, held by a request, is doing; never raises.

        The caller must not be handling a FLUSH or RELEASE of that thread.
        """
        thread = self._threads.get(tid)
        fresh = thread is None
        try:
            if thread is None:
                thread = self._remember(tid)
            try:
                line = os.pread(thread.syscall, 256, 0)
            except ProcessLookupError:
                if fresh:
                    raise
                # The number now belongs to another thread.
                self._forget(tid)
                thread = self._remember(tid)
                line = os.pread(thread.syscall, 256, 0)
            comm = to_text(os.pread(thread.comm, 64, 0)[:-1])
        except OSError as error:
            self._forget(tid)
            return Sighting(missing=_why(error))
        words = line.split()
        if len(words) < 9:
            # "running", or "-1 SP PC" for a thread that is held outside a system call.
            return Sighting(
                pid=thread.pid, comm=comm, missing="the thread was not in a system call"
            )
        if _is_32_bit(words):
            return Sighting(pid=thread.pid, comm=comm, missing="the caller is a 32-bit program")
        nr = int(words[0])
        args = tuple([int(word, 16) for word in words[1:7]])
        call = self._calls.get(nr)
        if call is None or call.fd is None:
            return Sighting(nr=nr, args=args, pid=thread.pid, comm=comm)
        return _look_at_descriptor(thread, args[call.fd] & _INT, nr, args, comm)

    def _remember(self, tid: int) -> _Thread:
        thread = self._threads[tid] = _Thread(tid)
        if len(self._threads) > self._max_threads:
            self._threads.popitem(last=False)[1].close()
        return thread

    def _forget(self, tid: int) -> None:
        thread = self._threads.pop(tid, None)
        if thread is not None:
            thread.close()


def _look_at_descriptor(
    thread: _Thread, fd: int, nr: int, args: tuple[int, ...], comm: str
) -> Sighting:
    position = fd_flags = fd_ino = missing = None
    try:
        position, fd_flags, fd_ino = _fdinfo(thread, fd)
    except FileNotFoundError:
        missing = "the descriptor was closed, or the caller was gone: ENOENT"
    except OSError as error:
        missing = _why(error)
    return Sighting(
        nr=nr,
        args=args,
        pid=thread.pid,
        comm=comm,
        fd=fd,
        position=position,
        fd_flags=fd_flags,
        fd_ino=fd_ino,
        missing=missing,
    )


def _fdinfo(thread: _Thread, fd: int) -> tuple[int, int, int | None]:
    """Return position, flags and inode number from ``pos: N flags: N mnt_id: N ino: N ...``.

    The kernel looks the number up at each read, so a kept descriptor shows what *fd* is by now.
    """
    words = os.pread(thread.open_fdinfo(fd), 512, 0).split(None, 8)
    if len(words) < 4:
        raise OSError(errno.ENODATA, "fdinfo without position")
    # Linux before 5.14 has no ino; what stands there instead depends on the kind of file.
    ino = int(words[7]) if words[6:7] == [b"ino:"] else None
    return int(words[1]), int(words[3], 8), ino


def _is_32_bit(words: list[bytes]) -> bool:
    """Tell from ``NR ARG*6 SP PC`` whether NR is from the table of 32-bit programs.

    Their stack and code lie below 4 GiB, a 64-bit program's stack does not. Kernel threads of
    io_uring have neither.
    """
    stack, code = words[7:9]
    return len(stack) <= _LONGEST_32_BIT >= len(code) and stack != b"0x0"


def _thread_group(tid: int) -> int:
    with open(f"/proc/{tid}/status", "rb") as status:
        for line in status:
            if line.startswith(b"Tgid:"):
                return int(line[5:])
    raise ProcessLookupError(errno.ESRCH, "no Tgid")


def _why(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, str(error.errno))
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"the caller may not be read: {name}"
    if error.errno in (errno.ENOENT, errno.ESRCH):
        return f"the caller was gone: {name}"
    return f"the caller could not be read: {name}"
