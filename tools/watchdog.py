"""A watchdog of the mounts of tests and soaks: ends those that are left once these are gone.

Started with a pipe as standard input. Each line is a directory that may be mounted over; when the
pipe closes, however they ended, every tracefs there is aborted and unmounted, so that no
process hangs on a server that does.
"""

import contextlib
import ctypes
import os
import sys

MNT_DETACH = 2
CONNECTIONS = "/sys/fs/fuse/connections"


def connections(directory: str) -> set[int]:
    """Minor device numbers of what FUSE filesystems cover *directory*, in any namespace."""
    wanted = os.path.realpath(directory)
    found: set[int] = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        place = f"/proc/{pid}/mountinfo"
        # Paths of others may be of any bytes.
        with contextlib.suppress(OSError), open(place, errors="surrogateescape") as mounts:
            for line in mounts:
                words = line.split()
                if words[4] == wanted and " - fuse" in line:
                    found.add(int(words[2].partition(":")[2]))
    return found


def abort(directory: str) -> None:
    """End every FUSE connection of *directory* and detach its mount."""
    left = connections(directory)
    if left and not os.listdir(CONNECTIONS):
        libc().mount(b"fusectl", CONNECTIONS.encode(), b"fusectl", 0, None)
    for minor in left:
        with contextlib.suppress(OSError), open(f"{CONNECTIONS}/{minor}/abort", "w") as file:
            file.write("1")
    if left:
        libc().umount2(os.fsencode(directory), MNT_DETACH)


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    os.setsid()
    for directory in [line.rstrip("\n") for line in sys.stdin]:
        abort(directory)
