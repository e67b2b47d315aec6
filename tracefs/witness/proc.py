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
from tracefs.witness.procfs import NO_FD, Held, sight
from tracefs.witness.threads import Thread, Threads, why

_INT: Final = 0xFFFFFFFF
_GIB4: Final = 1 << 32
_BY_KERNEL: Final = "a thread of the kernel's own asked, for asynchronous I/O or write-back"
"""Its registers are all 0 (``task_pt_regs`` of a kthread)."""


class ProcWitness:
    """Looks at held threads; not safe for use by several threads."""

    def __init__(self, machine: str, *, max_threads: int = 128) -> None:
        """Look at programs of ``uname -m`` *machine*; keep files of *max_threads* threads open."""
        self._machine = machine
        self._calls: dict[int, Syscall] = table(machine)
        self._threads = Threads(max_threads)
        self.descriptors: Final = _descriptors(self._calls)
        """For each call by its number: which argument is the descriptor; see `procfs.sight`."""
        self.files: Final = self._threads.files

    def close(self) -> None:
        """Close every kept descriptor."""
        self._threads.close()

    def look(self, tid: int) -> Sighting:
        """Return what thread *tid*, held by a request, is doing; never raises.

        The caller must not be handling a FLUSH or RELEASE of that thread.
        """
        thread = self._threads.get(tid)
        if thread is not None:
            seen = sight(Sighting, self.descriptors, *thread.files)
            if seen is not None:
                return seen
        return self._look_closely(tid, thread)

    def look_apart(self, tid: int) -> Sighting:
        """Return what `look` does, though the thread may be inside exec; in any thread.

        Then it waits until exec has done; keeps nothing open.
        """
        apart = ProcWitness(self._machine, max_threads=1)
        try:
            return apart.look(tid)
        finally:
            apart.close()

    def _look_closely(self, tid: int, thread: Thread | None) -> Sighting:
        try:
            fresh = thread is None
            if thread is None:
                thread = self._threads.open(tid)
            try:
                held = thread.call()
            except ProcessLookupError:
                if fresh:
                    raise
                # The number now belongs to another thread.
                thread = self._threads.open(tid)
                held = thread.call()
            comm = thread.comm()
        except OSError as error:
            self._threads.forget(tid)
            return Sighting(missing=why(error))
        missing = _unreadable(held)
        if held is None or missing is not None:
            return Sighting(pid=thread.pid, comm=comm, missing=missing)
        nr, args, _, _ = held
        call = self._calls.get(nr)
        if call is None or call.fd is None:
            return Sighting(nr=nr, args=args, pid=thread.pid, comm=comm)
        return _look_at_descriptor(thread, args[call.fd] & _INT, nr, args, comm)


def _descriptors(calls: dict[int, Syscall]) -> bytes:
    """Return, for each number, which argument is the descriptor; see `procfs.sight`."""
    return bytes(
        NO_FD if nr not in calls or calls[nr].fd is None else calls[nr].fd or 0
        for nr in range(max(calls, default=-1) + 1)
    )


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


def _unreadable(held: Held | None) -> str | None:
    """Return why *held* doesn't tell what a program of this machine called; None: it does.

    Stack and code of 32-bit programs lie below 4 GiB, and their numbers are from another table.
    Kernel threads of io_uring have neither stack nor code.
    """
    if held is None:
        return "the thread was not in a system call"
    nr, args, stack, code = held
    if stack >= _GIB4 or code >= _GIB4:
        return None
    if not (nr or stack or code or any(args)):
        return _BY_KERNEL
    return "the caller is a 32-bit program" if stack else None
