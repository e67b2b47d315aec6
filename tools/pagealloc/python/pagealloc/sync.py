"""Force a file's data to the disk, as each platform spells it.

Linux has fdatasync(2): data, and the size where the data needs it, without the times. macOS has
a call of that name which stops at the drive's cache; only fcntl(2) with F_FULLFSYNC goes through
it. Elsewhere fsync(2) is what POSIX promises.
"""

import fcntl
import os
import sys
from typing import Final


def sync_call(platform: str, *, has_fdatasync: bool) -> str:
    """Return the name of the call that makes data durable on *platform* (`sys.platform`)."""
    if platform == "darwin":
        return "F_FULLFSYNC"
    return "fdatasync" if has_fdatasync else "fsync"


SYNC_CALL: Final = sync_call(sys.platform, has_fdatasync=hasattr(os, "fdatasync"))


def full_sync(fd: int) -> None:
    """Return once the data of *fd* is on the disk.

    Raises:
        OSError: It may not be. Calling again proves nothing: the kernel reports a failed
            write-back once and may then have dropped the page, so that a second sync has nothing
            left to write and succeeds (fsync(2), NOTES on EIO).
    """
    if SYNC_CALL == "F_FULLFSYNC":
        fcntl.fcntl(fd, getattr(fcntl, SYNC_CALL))
    else:
        getattr(os, SYNC_CALL)(fd)
