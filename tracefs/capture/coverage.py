"""Whether a mount covered its directory for as long as anything used it.

What is done once it no longer does reaches the real directory, or nothing, and no line tells.
"""

import os
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from tracefs.pathtext import to_text

_MOST_NAMES: Final = 3


class End(Enum):
    """How a mount ended."""

    UNMOUNTED = "unmounted"
    """Nothing used it any more, or somebody took it away from those who did."""
    ABORTED = "aborted"
    """Its connection was cut; it stays where it is, and each call there fails."""
    TERMINATED = "terminated"
    """The server was told to end."""


class Left(NamedTuple):
    """An open of a file that nobody is known to have given up."""

    path: str
    closed: bool
    """One descriptor of it was closed, which may have been the last; its release comes later."""


class Coverage:
    """How far the mount of one directory reaches.

    Args:
        root_fd: O_PATH descriptor of the directory.
        for_command: a command is run in it, which the mount is to outlive.
    """

    def __init__(self, root_fd: int, *, for_command: bool) -> None:
        self._root_fd = root_fd
        self._place = self._path()
        self._for_command = for_command
        self._in_place = False
        self._namespace = 0
        self._front_end = os.getppid()
        self.over = False
        """The command has ended, and with it what it had started."""

    def in_namespace(self, namespace: int) -> None:
        """Note that the mount covers the directory in this mount namespace alone."""
        self._namespace, self._in_place = namespace, True

    def at(self, mountpoint: bytes) -> None:
        """Note that the mount is there, for all to see."""
        self._in_place = mountpoint == self._place

    def gap(self, end: End, opens: Sequence[Left]) -> str | None:
        """Return what may be missing from the recording; None: nothing.

        *opens* are those that the mount's end left.
        """
        if self._for_command and self._ended_early(end):
            return "the mount ended before the command did"
        if end is not End.UNMOUNTED and opens:
            used = bool(self._namespace) and self._is_inhabited()
            still_open = sorted({left.path for left in opens if used or not left.closed})
            if still_open:
                return f"the mount ended while files were open: {_listed(still_open)}"
        if self._in_place and self._path() != self._place:
            return (
                f"{to_text(self._place)} was moved or deleted meanwhile; "
                "what was done at that path since then went past the mount"
            )
        return None

    def _ended_early(self, end: End) -> bool:
        if not self._namespace:
            return not self.over
        # A mount without its server stays in the namespace, where nobody gets past it.
        return end is End.UNMOUNTED and self._is_inhabited()

    def _is_inhabited(self) -> bool:
        # Orphans come to the front end, as long as there is one.
        family = self._front_end if os.getppid() == self._front_end else None
        return is_inhabited(self._namespace, family)

    def _path(self) -> bytes:
        """Return where the directory is by now; ``PATH (deleted)`` if nowhere (proc(5))."""
        return os.readlink(b"/proc/self/fd/%d" % self._root_fd)


def is_inhabited(namespace: int, ancestor: int | None) -> bool:
    """Return whether a process is in this mount namespace that descends from *ancestor*.

    One that is ending has left it before its mounts go (do_exit in kernel/exit.c). From then on
    the kernel gives the namespace's number to the next one that is made (proc_alloc_inum in
    fs/proc/generic.c): other processes in it are another run's. *ancestor* None: any process.
    """
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            inside = os.stat(f"/proc/{pid}/ns/mnt").st_ino == namespace
        except OSError:
            continue  # it has ended, or is somebody else's
        if inside and (ancestor is None or _descends(int(pid), ancestor)):
            return True
    return False


def _descends(pid: int, ancestor: int) -> bool:
    """Return whether *pid* is *ancestor* or below it; yes where that can't be told."""
    while pid not in {0, ancestor}:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b") ")[2].split()[1])
        except OSError:
            return True  # it has just ended, and its children have another parent
    return pid == ancestor


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_NAMES
    return ", ".join(paths[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
