"""Ask the server of a mount that another process has made: see `tracefs.capture.door`."""

import os
import socket
import struct
from typing import Final, NamedTuple, Self, TypeVar

from tracefs.capture import mounts
from tracefs.capture.door import addresses, not_theirs, of_directory, of_mount, other_side
from tracefs.capture.messages import (
    LONGEST_QUESTION,
    Change,
    Gone,
    Holding,
    Inject,
    Let,
    Question,
    Refused,
    Rules,
    receive,
    send,
    size,
)
from tracefs.errors import MountError, UsageError
from tracefs.faults.model import Rule

_PATIENCE: Final = struct.pack("@ll", 10, 0)
"""struct timeval (socket(7))."""

T = TypeVar("T", Holding, Gone)


class _Place(NamedTuple):
    """Whom to ask."""

    name: str
    owners: frozenset[int]
    """Users whose server it can be."""
    unserved: str
    """What it means that nobody is there."""
    repair: str


class Reached:
    """A connection to the server of *directory*; also a context manager.

    Each method returns when what it says holds. Nothing in here touches the mount, so that one
    which is stuck holds up nobody.

    Args:
        directory: where it is mounted; or what a run traces where we can't see it.

    Raises:
        MountError: nothing is traced there, nobody answers within 10 s, or we may not ask.
    """

    def __init__(self, directory: str) -> None:
        self._where = directory
        place = _place(directory)
        try:
            sock = _connect(place)
        except BlockingIOError:
            raise self._stuck() from None
        if sock is None:
            raise MountError(place.unserved, repair=place.repair)
        self._sock = sock
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def inject(self, rules: tuple[Rule, ...], change: Change = Change.SET) -> Holding:
        """Change the rules; return those that hold from now on.

        Raises:
            UsageError: they are too many for one change.
        """
        return self._ask(Inject(number=self._next(), rules=rules, change=change), Holding)

    def rules(self) -> Holding:
        """Return the rules that hold."""
        return self._ask(Rules(number=self._next()), Holding)

    def release(self) -> int:
        """Let the calls go on that are stuck; return how many."""
        return self._ask(Let(number=self._next()), Gone).calls

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _ask(self, question: Question, kind: type[T]) -> T:
        if size(question) > LONGEST_QUESTION:
            raise UsageError(
                f"these rules are too many for one change ({LONGEST_QUESTION >> 10} KiB)",
                repair="inject some, then the others with --add",
            )
        try:
            send(self._sock, question)
            answer, _ = receive(self._sock)
        except BlockingIOError:
            raise self._stuck() from None
        except OSError:
            answer = None
        if isinstance(answer, Refused):
            raise MountError(f"{self._where}: {answer.message}", repair=answer.repair)
        if not isinstance(answer, kind):
            raise MountError(f"{self._where}: the mount has just ended")
        return answer

    def _stuck(self) -> MountError:
        return MountError(f"{self._where}: its server does not answer")


def _connect(place: _Place) -> socket.socket | None:
    """Return a connection; None: nobody is there who is to be believed."""
    for address in addresses(place.name):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
            sock.connect(address)
            if other_side(sock).uid in place.owners:
                return sock
        except ConnectionRefusedError:
            pass  # nobody has this name
        except BaseException:
            sock.close()
            raise
        sock.close()
    return None


def _place(directory: str) -> _Place:
    path = os.path.abspath(os.fsencode(directory))
    mounted = mounts.find(path) or mounts.find(_through_parents(path))
    if mounted is not None:
        return _of_mount(directory, mounted)
    for mount in mounts.mounts():
        if mount.kind == mounts.FILESYSTEM and mounts.is_within(mount.mountpoint, path):
            # Not to be looked at: it could be stuck.
            where = os.fsdecode(mount.mountpoint)
            raise MountError(
                f"{directory}: lies inside the mount {where}, and rules are the whole mount's",
                repair=f"tracefs inject {where}",
            )
    try:
        info = os.stat(path)
    except OSError as error:
        raise MountError(f"{directory}: {error.strerror}") from None
    return _Place(
        name=of_directory(info),
        owners=frozenset({0, os.geteuid(), info.st_uid}),
        unserved=f"{directory}: no tracefs is mounted there, and no run traces it",
        repair="tracefs mount, or tracefs run; rules that hold from the start: --inject",
    )


def _of_mount(directory: str, mounted: mounts.Mount) -> _Place:
    owner = mounted.owner
    if owner is None or os.geteuid() not in {owner, 0}:
        raise MountError(f"{directory}: {not_theirs(owner)}")
    return _Place(
        name=of_mount(mounted.device),
        owners=frozenset({owner}),
        unserved=f"{directory}: its server has ended, is of an earlier version, or in another "
        "network namespace",
        repair=f"tracefs umount {directory}, and mount it again",
    )


def _through_parents(path: bytes) -> bytes:
    """Return the real path, without a look at its last component, which is mounted over."""
    parent, name = os.path.split(path)
    return os.path.join(os.path.realpath(parent), name)
