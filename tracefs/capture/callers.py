"""What a request doesn't tell of its caller: all its groups, and whether it calls chown."""

import os
from typing import Final

from tracefs.syscalls import CHOWNS, table
from tracefs.witness import procfs

_CHOWN_NUMBERS: Final = {
    number for number, call in table(os.uname().machine).items() if call.name in CHOWNS
}


def is_member(tid: int, gid: int) -> bool:
    """Whether thread *tid* has *gid* as its fsgid or a supplementary group (proc_pid_status(5)).

    False too when that can't be told: the thread is gone, or this pid namespace can't see it.
    """
    try:
        status = os.open(f"/proc/{tid}/status", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        with open(status, "rb") as lines:
            found = {words[0]: words[1:] for line in lines if (words := line.split())}
    except OSError:
        return False
    wanted = str(gid).encode()
    return wanted == found[b"Gid:"][3] or wanted in found[b"Groups:"]


def calls_chown(tid: int) -> bool:
    """Whether thread *tid*, held by a request other than FLUSH or RELEASE, is in a chown(2).

    False too when that can't be told, as of a 32-bit program.
    """
    try:
        with open(f"/proc/{tid}/syscall", "rb") as line:
            held = procfs.call(line.fileno())
    except OSError:
        return False
    return held is not None and held[0] in _CHOWN_NUMBERS
