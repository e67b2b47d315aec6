"""Threads of traced programs, by the files that /proc has of them (proc(5)).

Kept open, since reading costs a third of opening: the kernel looks up what they say at each read,
and answers ESRCH once the thread is gone, so that a reused number is noticed.
"""

import errno
import os
from collections import OrderedDict
from typing import Final, NamedTuple, TypeAlias

from tracefs.pathtext import to_text
from tracefs.witness import procfs

MAX_FDS: Final = 8
_DESCRIPTORS: Final = MAX_FDS + 2
_MAX_THREADS: Final = 128


def affordable(limit: int) -> int:
    """Return how many threads to keep where *limit* descriptors are allowed: half of them."""
    return min(_MAX_THREADS, max(1, limit // 2 // _DESCRIPTORS))


Files: TypeAlias = tuple[int, int, int, dict[int, int]]
"""What `procfs.sight` reads a thread by: thread group, ``syscall``, ``comm``, and ``fdinfo/N``."""


class Fdinfo(NamedTuple):
    """What ``/proc/<tid>/fdinfo/<fd>`` says of an open descriptor."""

    position: int
    flags: int
    mount: int | None
    """Id of the mount, as in mountinfo; None: Linux before 3.15 doesn't say."""
    ino: int | None
    """None: Linux before 5.14 doesn't say."""


def _as_fdinfo(info: procfs.Info) -> Fdinfo:
    return tuple.__new__(Fdinfo, info)  # a third of what Fdinfo(*info) takes


class Thread:
    """One thread, found by its id.

    Raises:
        OSError: it is gone, or may not be read.
    """

    __slots__ = ("_comm", "_fdinfo", "_syscall", "files", "pid", "tid")

    def __init__(self, tid: int) -> None:
        self.tid = tid
        self._fdinfo: dict[int, int] = {}
        self._syscall = self._comm = -1
        try:
            self._syscall = os.open(f"/proc/{tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            self._comm = os.open(f"/proc/{tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
            self.pid = _thread_group(tid)
            self.files: Files = (self.pid, self._syscall, self._comm, self._fdinfo)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close what is kept open."""
        for fd in (self._syscall, self._comm, *self._fdinfo.values()):
            if fd >= 0:
                os.close(fd)

    def call(self) -> procfs.Held | None:
        """Return the call that it is held in, as `procfs.read_call` does."""
        return procfs.call(self._syscall)

    def comm(self) -> str:
        """Return the command name, at most 15 bytes, as path text."""
        name = procfs.comm(self._comm)
        return name if isinstance(name, str) else to_text(name)

    def fdinfo(self, fd: int) -> Fdinfo:
        """Return what descriptor *fd* is by now.

        Raises:
            FileNotFoundError: it is not open, or the thread is gone.
        """
        kept = self._fdinfo.get(fd)
        if kept is None:
            kept = os.open(f"/proc/{self.tid}/fdinfo/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            self._fdinfo[fd] = kept
            if len(self._fdinfo) > MAX_FDS:
                os.close(self._fdinfo.pop(next(iter(self._fdinfo))))
        return _as_fdinfo(procfs.fdinfo(kept))


class Threads:
    """The threads that were looked at last, *limit* at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[int, Thread] = OrderedDict()
        self._last: Thread | None = None
        self.files: Final[dict[int, Files]] = {}
        """Of each thread that is kept, by its number; as of now, also later."""

    def get(self, tid: int) -> Thread | None:
        """Return the thread that is kept under this number, whether or not it still lives."""
        thread = self._last
        if thread is not None and thread.tid == tid:
            return thread
        self._last = thread = self._kept.get(tid)
        if thread is not None:
            self._kept.move_to_end(tid)
        return thread

    def open(self, tid: int) -> Thread:
        """Look the number up anew, and keep it.

        Raises:
            OSError: no such thread, or it may not be read.
        """
        self.forget(tid)
        thread = self._kept[tid] = Thread(tid)
        self.files[tid] = thread.files
        if len(self._kept) > self._limit:
            self.forget(next(iter(self._kept)))
        return thread

    def forget(self, tid: int) -> None:
        """Close what is kept under this number."""
        self._last = None
        thread = self._kept.pop(tid, None)
        if thread is not None:
            del self.files[tid]
            thread.close()

    def close(self) -> None:
        """Close everything."""
        for tid in tuple(self._kept):
            self.forget(tid)


def why(error: OSError) -> str:
    """Return why a thread could not be read, for people."""
    name = errno.errorcode.get(error.errno or 0, str(error.errno))
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"the caller may not be read: {name}"
    if error.errno in (errno.ENOENT, errno.ESRCH):
        return f"the caller was gone: {name}"
    return f"the caller could not be read: {name}"


def _thread_group(tid: int) -> int:
    with open(f"/proc/{tid}/status", "rb") as status:
        for line in status:
            if line.startswith(b"Tgid:"):
                return int(line[5:])
    raise ProcessLookupError(errno.ESRCH, "no Tgid")
