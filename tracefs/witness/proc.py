"""Who called, read from /proc while the request holds the caller.

A thread that waits for a FUSE reply sits in its system call: ``/proc/<tid>/syscall`` shows number
and arguments, ``/proc/<tid>/fdinfo/<fd>`` the file position (proc(5)).

Never to be used for FLUSH or RELEASE: exec closes descriptors while it holds the
``exec_update_lock`` that ``/proc/<tid>/syscall`` takes (fs/exec.c, fs/proc/base.c), so the look
would wait for the request and the request for the look. For the same reason the caller's memory is
never read, not even for the lengths of a vector: that takes the ``mmap_lock``, which another thread
of the program may hold while it waits for us (mmap over a dirty mapping waits for write-back).
"""

from typing import Final

from tracefs.events import Sighting
from tracefs.syscalls import Syscall, table
from tracefs.witness.threads import Thread, Threads, why

_INT: Final = 0xFFFFFFFF
_LONGEST_32_BIT: Final = len(b"0xffffffff")
_BY_KERNEL: Final = "a thread of the kernel's own asked, for asynchronous I/O or write-back"
"""Its registers are all 0 (``task_pt_regs`` of a kthread)."""


class ProcWitness:
    """Looks at held threads; not safe for use by several threads."""

    def __init__(self, machine: str, *, max_threads: int = 128) -> None:
        """Look at programs of ``uname -m`` *machine*; keep files of *max_threads* threads open."""
        self._calls: dict[int, Syscall] = table(machine)
        self._threads = Threads(max_threads)

    def close(self) -> None:
        """Close every kept descriptor."""
        self._threads.close()

    def look(self, tid: int) -> Sighting:
        """Return what thread *tid*, held by a request, is doing; never raises.

        The caller must not be handling a FLUSH or RELEASE of that thread.
        """
        thread = self._threads.get(tid)
        try:
            fresh = thread is None
            if thread is None:
                thread = self._threads.open(tid)
            try:
                line = thread.syscall()
            except ProcessLookupError:
                if fresh:
                    raise
                # The number now belongs to another thread.
                thread = self._threads.open(tid)
                line = thread.syscall()
            comm = thread.comm()
        except OSError as error:
            self._threads.forget(tid)
            return Sighting(missing=why(error))
        words = line.split()
        missing = _unreadable(words)
        if missing is not None:
            return Sighting(pid=thread.pid, comm=comm, missing=missing)
        nr = int(words[0])
        args = tuple([int(word, 16) for word in words[1:7]])
        call = self._calls.get(nr)
        if call is None or call.fd is None:
            return Sighting(nr=nr, args=args, pid=thread.pid, comm=comm)
        return _look_at_descriptor(thread, args[call.fd] & _INT, nr, args, comm)


def _look_at_descriptor(
    thread: Thread, fd: int, nr: int, args: tuple[int, ...], comm: str
) -> Sighting:
    position = fd_flags = fd_ino = missing = None
    try:
        position, fd_flags, _, fd_ino = thread.fdinfo(fd)
    except FileNotFoundError:
        missing = "the descriptor was closed, or the caller was gone: ENOENT"
    except OSError as error:
        missing = why(error)
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


def _unreadable(words: list[bytes]) -> str | None:
    """Return why ``NR ARG*6 SP PC`` doesn't tell what a program of this machine called."""
    if len(words) < 9:
        # "running", or "-1 SP PC" for a thread that is held outside a system call.
        return "the thread was not in a system call"
    if words[0] == b"0" and all(int(word, 0) == 0 for word in words):
        return _BY_KERNEL
    return "the caller is a 32-bit program" if _is_32_bit(words) else None


def _is_32_bit(words: list[bytes]) -> bool:
    """Tell from ``NR ARG*6 SP PC`` whether NR is from the table of 32-bit programs.

    Their stack and code lie below 4 GiB, a 64-bit program's stack does not. Kernel threads of
    io_uring have neither.
    """
    stack, code = words[7:9]
    return len(stack) <= _LONGEST_32_BIT >= len(code) and stack != b"0x0"
