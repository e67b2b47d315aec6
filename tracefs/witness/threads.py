"""Threads of traced programs, by the files that /proc has of them (proc(5)).

Kept open, since reading costs a third of opening: the kernel looks up what they say at each read,
and answers ESRCH once the thread is gone, so that a reused number is noticed.
"""

import errno
import os
from collections import OrderedDict
from typing import Final, NamedTuple

from tracefs.pathtext import to_text

MAX_FDS: Final = 8
_LOOKS: Final = 33
"""At a thread that a signal woke; it waits again at once: request_wait_answer in fs/fuse/dev.c,
seccomp_do_user_notification in kernel/seccomp.c."""
_DESCRIPTORS: Final = MAX_FDS + 2
_MAX_THREADS: Final = 128


def affordable(limit: int) -> int:
    """Return how many threads to keep where *limit* descriptors are allowed: half of them."""
    return min(_MAX_THREADS, max(1, limit // 2 // _DESCRIPTORS))


class Fdinfo(NamedTuple):
    """What ``/proc/<tid>/fdinfo/<fd>`` says of an open descriptor."""

    position: int
    flags: int
    mount: int | None
    """Id of the mount, as in mountinfo; None: Linux before 3.15 doesn't say."""
    ino: int | None
    """None: Linux before 5.14 doesn't say."""


def parse_fdinfo(text: bytes) -> Fdinfo:
    """Return what *text* says: ``pos: N flags: N mnt_id: N ino: N ...``.

    Raises:
        OSError: ENODATA: there is no position in it.
    """
    words = text.split(None, 8)
    if len(words) < 4:
        raise OSError(errno.ENODATA, "fdinfo without position")
    mount = int(words[5]) if words[4:5] == [b"mnt_id:"] else None
    # What stands in the place of ino in an old kernel depends on the kind of file.
    ino = int(words[7]) if words[6:7] == [b"ino:"] else None
    return Fdinfo(int(words[1]), int(words[3], 8), mount, ino)


class Thread:
    """One thread, found by its id.

    Raises:
        OSError: it is gone, or may not be read.
    """

    __slots__ = ("_comm", "_fdinfo", "_syscall", "pid", "tid")

    def __init__(self, tid: int) -> None:
        self.tid = tid
        self._fdinfo: OrderedDict[int, int] = OrderedDict()
        self._syscall = self._comm = -1
        try:
            self._syscall = os.open(f"/proc/{tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
            self._comm = os.open(f"/proc/{tid}/comm", os.O_RDONLY | os.O_CLOEXEC)
            self.pid = _thread_group(tid)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close what is kept open."""
        for fd in (self._syscall, self._comm, *self._fdinfo.values()):
            if fd >= 0:
                os.close(fd)

    def syscall(self) -> bytes:
        """Return what `syscall_line` does."""
        return syscall_line(self._syscall)

    def comm(self) -> str:
        """Return the command name, at most 15 bytes, as path text."""
        return to_text(os.pread(self._comm, 64, 0)[:-1])

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
                os.close(self._fdinfo.popitem(last=False)[1])
        else:
            self._fdinfo.move_to_end(fd)
        return parse_fdinfo(os.pread(kept, 512, 0))


def syscall_line(fd: int) -> bytes:
    """Return what an open ``/proc/<tid>/syscall`` says of a thread that is held in a call.

    Number, arguments, stack pointer and program counter, as the kernel spells them. Takes the
    ``exec_update_lock``: not for a thread that may be inside exec.
    """
    line = os.pread(fd, 256, 0)
    looks = 1
    while looks < _LOOKS and line.startswith(b"running"):
        os.sched_yield()
        line = os.pread(fd, 256, 0)
        looks += 1
    return line


class Threads:
    """The threads that were looked at last, *limit* at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[int, Thread] = OrderedDict()

    def get(self, tid: int) -> Thread | None:
        """Return the thread that is kept under this number, whether or not it still lives."""
        thread = self._kept.get(tid)
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
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)[1].close()
        return thread

    def forget(self, tid: int) -> None:
        """Close what is kept under this number."""
        thread = self._kept.pop(tid, None)
        if thread is not None:
            thread.close()

    def close(self) -> None:
        """Close everything."""
        while self._kept:
            self._kept.popitem()[1].close()


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
