"""Which groups a caller is in; a request names but one of them."""

import os


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
