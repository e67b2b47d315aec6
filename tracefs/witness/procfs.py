"""What /proc says of a thread, from files of it that are open already (proc(5)).

``call``, ``fdinfo``, ``comm`` and ``sight`` are those of ``_procfs.c`` where that was compiled,
which take half as long; else the ones here, which say the same.
"""

import errno
import os
from collections.abc import Callable
from typing import Final

from tracefs.events import Sighting

_LOOKS: Final = 33
"""At a thread that a signal woke; it waits again at once: request_wait_answer in fs/fuse/dev.c,
seccomp_do_user_notification in kernel/seccomp.c."""
_WORDS: Final = 9
_NAME_BYTES: Final = 63
NO_FD: Final = 255
"""In the table that `sight` takes."""

Held = tuple[int, tuple[int, ...], int, int]
"""Number and six arguments of a system call, stack pointer and program counter."""
Info = tuple[int, int, int | None, int | None]
"""As `tracefs.witness.threads.Fdinfo`."""


def syscall_line(fd: int) -> bytes:
    """Return what an open ``/proc/<tid>/syscall`` says of a thread that is held in a call.

    Number, arguments, stack pointer and program counter, as the kernel spells them. Takes the
    ``exec_update_lock``: not for a thread that may be inside exec.
    """
    line = os.pread(fd, 255, 0)
    looks = 1
    while looks < _LOOKS and line.startswith(b"running"):
        os.sched_yield()
        line = os.pread(fd, 255, 0)
        looks += 1
    return line


def read_call(fd: int) -> Held | None:
    """Return the call that a thread is held in, by its open ``syscall``; None: it is in none.

    Takes what `syscall_line` takes.

    Raises:
        ProcessLookupError: the thread is gone.
        OSError: it may not be read.
    """
    words = syscall_line(fd).split()
    if len(words) < _WORDS or not words[0].isdigit():
        return None  # "running", or "-1 SP PC" for a thread that is held outside a system call
    numbers = [int(word, 16) for word in words[1:_WORDS]]
    return int(words[0]), tuple(numbers[:6]), numbers[6], numbers[7]


def parse_fdinfo(text: bytes) -> Info:
    """Return what *text* says: ``pos: N flags: N mnt_id: N ino: N ...``.

    Raises:
        OSError: ENODATA: there is no position in it.
    """
    words = text.split(None, 8)
    if len(words) < 4 or words[0] != b"pos:" or words[2] != b"flags:":
        raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))
    mount = int(words[5]) if words[4:5] == [b"mnt_id:"] else None
    # What stands in the place of ino in an old kernel depends on the kind of file.
    ino = int(words[7]) if words[6:7] == [b"ino:"] else None
    return int(words[1]), int(words[3], 8), mount, ino


def read_fdinfo(fd: int) -> Info:
    """Return what an open ``fdinfo/N`` says by now.

    Raises:
        FileNotFoundError: the descriptor is not open, or the thread is gone.
        OSError: ENODATA: it says no position.
    """
    return parse_fdinfo(os.pread(fd, 511, 0))


def read_comm(fd: int) -> str | bytes:
    """Return a command name by its open ``comm``, at most 15 bytes; bytes if it needs escapes."""
    name = os.pread(fd, _NAME_BYTES, 0)[:-1]
    plain = name.isascii() and b"\\" not in name and name.decode("ascii").isprintable()
    return name.decode("ascii") if plain else name


def look_again(
    make: Callable[..., Sighting],
    descriptors: bytes,
    pid: int,
    syscall: int,
    comm: int,
    kept: dict[int, int],
) -> Sighting | None:
    """Return what a held thread does, in one step; None: it takes `call`, `comm` and `fdinfo`.

    None whenever something is out of the ordinary: the thread isn't held, is gone, runs 32-bit
    code, has a name that needs escapes, or uses a descriptor that isn't kept.

    Args:
        make: `Sighting`.
        descriptors: for each system call number, which argument is the descriptor; `NO_FD`: none.
        pid: its thread group.
        syscall: its open ``syscall``.
        comm: its open ``comm``.
        kept: its open ``fdinfo/N``, by N.
    """
    del make, descriptors, pid, syscall, comm, kept
    return None


try:
    from tracefs.witness._procfs import call, comm, fdinfo, sight
except ImportError:
    call, comm, fdinfo, sight = read_call, read_comm, read_fdinfo, look_again

__all__ = ["NO_FD", "call", "comm", "fdinfo", "parse_fdinfo", "sight", "syscall_line"]
