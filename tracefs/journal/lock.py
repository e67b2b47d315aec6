"""Whether a journal is still being written: its writer holds flock(2) on it while it lives.

The kernel drops the lock with the writer's last descriptor, also after SIGKILL, so no stale mark
can remain. Where a filesystem has no flock, a journal counts as being written: the answer that
harms nobody.
"""

import contextlib
import fcntl


def hold(descriptor: int) -> None:
    """Lock the journal behind *descriptor* until that is closed, if the filesystem has flock."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def take(descriptor: int) -> bool:
    """Lock the journal for good if nobody writes it; return whether that was so."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_held(descriptor: int) -> bool:
    """Return whether another open of the journal may still write to it; leaves no lock behind."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError:
        return True
    return False
