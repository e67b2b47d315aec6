"""What a process holds of a directory from before it was mounted over: a way past the mount.

Nothing here touches a file through a mount; only `/proc` is asked, and descriptors that lead past.
"""

import fcntl
import os
import stat
from typing import Final

from tracefs.capture.mounts import Mount, is_within

_STREAMS: Final = {0: "standard input", 1: "standard output", 2: "standard error"}
_MOUNT_ID: Final = b"mnt_id:"


def inherited(target: bytes) -> tuple[str, ...]:
    """Return the descriptors by which what we execute could change *target* past a mount to come.

    *target* is a directory's real path, not mounted over yet.
    """
    return tuple(_name(fd) for fd in _descriptors() if _bypasses(target, fd, executed=True))


def held(target: bytes, mount: Mount | None, *ours: int) -> tuple[str, ...]:
    """Return by what this process could change *target* past *mount*; None: past one to come.

    *ours* are descriptors of tracefs itself.
    """
    found = [
        _name(fd)
        for fd in _descriptors()
        if fd not in ours
        and (mount is None or _mount_id(fd) != mount.id)
        and _bypasses(target, fd, executed=False)
    ]
    return (*found, *_mappings(target, mount))


def _name(fd: int) -> str:
    return _STREAMS.get(fd, f"descriptor {fd}")


def _descriptors() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc/self/fd"))


def _bypasses(target: bytes, fd: int, *, executed: bool) -> bool:
    try:
        if not is_within(target, os.readlink(b"/proc/self/fd/%d" % fd)):
            return False
        mode = os.fstat(fd).st_mode
        writable = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        passed_on = os.get_inheritable(fd) or not executed
    except OSError:
        return False
    return passed_on and (stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and writable))


def _mount_id(fd: int) -> int | None:
    """Return which mount a descriptor was opened on (``mnt_id`` in proc(5)); None: not known."""
    try:
        with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
            words = [line.split() for line in file]
    except OSError:
        return None
    return next((int(word[1]) for word in words if word[:1] == [_MOUNT_ID]), None)


def _mappings(target: bytes, mount: Mount | None) -> list[str]:
    """Return the shared writable mappings of files in *target*, made past *mount*."""
    ours = None if mount is None else b"%02x:%02x" % mount.device
    found: dict[str, None] = {}
    with open("/proc/self/maps", "rb") as file:
        for line in file:
            words = line.rstrip(b"\n").split(None, 5)
            if len(words) < 6 or words[1][1:2] != b"w" or words[1][3:4] != b"s":
                continue
            path = words[5]
            if words[3] != ours and is_within(target, path):
                found[os.fsdecode(path[len(target) + 1 :])] = None
    return [f"mapping of {path}" for path in found]
