"""The directory in which states are made, and what is left of those whose owner was killed."""

import fcntl
import os
import select
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tracefs.crash.asking import ACKS
from tracefs.crash.removal import remove
from tracefs.errors import MountError

_MEMORY: Final = "/dev/shm"  # noqa: S108  # the folder made in it is private
_ENOUGH: Final = 256 << 20
"""Bytes that must be free in memory; containers often have 64 MiB there."""
_PREFIX: Final = "tracefs-crash-"
_LOCK: Final = "lock"
_PATIENCE_S: Final = 1.0
"""How long a process may take to die."""


@contextmanager
def workplace(base: str | None) -> Iterator[str]:
    """Make a private directory in *base*; take it away in the end, with all that runs in it.

    What an owner that was killed has left in *base* goes first.

    Args:
        base: None: in memory where there is room, else where temporary files are.

    Raises:
        MountError: it can't be made.
    """
    place = os.path.abspath(base if base is not None else _default())
    try:
        _sweep(place)
        folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        new = os.path.join(folder, f".{_LOCK}")
        lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)
        os.rename(new, os.path.join(folder, _LOCK))  # one with this name is locked by its owner
    except OSError as error:
        raise MountError(f"no states can be made in {place}: {error.strerror}") from None
    try:
        yield folder
    finally:
        end_all_in(folder)
        with suppress(OSError):  # something is mounted there
            remove(folder)
        os.close(lock)


def share(folder: str) -> int:
    """Say that this process uses *folder* too, until the descriptor is closed."""
    lock = os.open(os.path.join(folder, _LOCK), os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def end_all_in(folder: str) -> None:
    """Kill checkers that were started in *folder*, by the variable that they have.

    There are none, unless the process that watched them was killed.
    """
    mark = f"{ACKS}={folder}/".encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                _end_if(int(name), mark)


def _end_if(pid: int, mark: bytes) -> None:
    """Kill *pid* if it has *mark* in its environment; by a descriptor, as ids are used again."""
    process = os.pidfd_open(pid)
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            if mark in file.read():
                signal.pidfd_send_signal(process, signal.SIGKILL)
                select.select([process], [], [], _PATIENCE_S)
    finally:
        os.close(process)


def _default() -> str:
    with suppress(OSError):
        free = os.statvfs(_MEMORY)
        if free.f_bavail * free.f_frsize >= _ENOUGH and os.access(_MEMORY, os.W_OK | os.X_OK):
            return _MEMORY
    return tempfile.gettempdir()


def _sweep(place: str) -> None:
    """Remove directories of this user that nobody has locked."""
    with os.scandir(place) as entries:
        found = [
            entry.path
            for entry in entries
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False)
        ]
    for folder in found:
        with suppress(OSError):
            _remove_if_left(folder)


def _remove_if_left(folder: str) -> None:
    if os.lstat(folder).st_uid != os.geteuid():
        return
    lock = os.open(os.path.join(folder, _LOCK), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        end_all_in(folder)
        remove(folder)
    finally:
        os.close(lock)
