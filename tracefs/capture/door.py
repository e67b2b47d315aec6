"""Where the server of a mount hears what other processes ask of it.

Sockets in the abstract namespace (unix(7)): there is no file that could be left over, and no path
has to be walked, on neither side. They are named after what whoever asks can find out without
touching the mount: its device number, which is in their ``/proc/self/mountinfo``, or, from outside
of a mount namespace, the directory that is traced in it.
"""

import contextlib
import errno
import os
import select
import socket
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from tracefs.capture.messages import Message, Question, Refused, receive_question, send

_NAMES: Final = 4
"""Sockets of one name that there may be. One can be taken for a moment by the server of a mount
that has just ended, or for longer by somebody who means no good: these sockets have no owner."""
_MOST_VISITORS: Final = 64
_QUEUE: Final = 128
_CREDENTIALS: Final = struct.Struct("iII")
"""struct ucred (unix(7)): process, user and group."""


class Visitor(NamedTuple):
    """Who is at the other end of a socket; seen in this process's user namespace."""

    pid: int
    uid: int


def of_mount(device: tuple[int, int]) -> str:
    """Return what is named after the mount that has this device number."""
    return f"mount/{device[0]}:{device[1]}"


def of_directory(info: os.stat_result) -> str:
    """Return what is named after this directory, which is traced somewhere."""
    return f"directory/{os.major(info.st_dev)}:{os.minor(info.st_dev)}/{info.st_ino}"


def addresses(name: str) -> list[bytes]:
    """Return where a server of this name may be."""
    return [b"\0tracefs/%s/%d" % (name.encode(), number) for number in range(_NAMES)]


def other_side(sock: socket.socket) -> Visitor:
    """Return who listens at, or connected to, the other end (SO_PEERCRED in unix(7))."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Visitor(pid, uid)


class Door:
    """The server's side.

    Only our own user and root are let in; what they send is taken from them, never what they send
    along: a descriptor could lead into the mount. Nothing here waits for a visitor.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Listen under each of *names*; one whose sockets are all taken is done without."""
        self._epoll = select.epoll()
        self._listening: dict[int, socket.socket] = {}
        self._visitors: dict[int, socket.socket] = {}
        for name in names:
            sock = _listen(name)
            if sock is not None:
                self._listening[sock.fileno()] = sock
                self._epoll.register(sock, select.EPOLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Return what is readable when somebody is at the door."""
        return self._epoll.fileno()

    def asked(self) -> list[tuple[socket.socket, Question]]:
        """Let in who has come; return what was asked since."""
        found = []
        for fd, _ in self._epoll.poll(0):
            if fd in self._listening:
                self._let_in(self._listening[fd])
            elif fd in self._visitors:
                visitor = self._visitors[fd]
                message = receive_question(visitor)
                if message is None:
                    self.dismiss(visitor)
                else:
                    found.append((visitor, message))
        return found

    def tell(self, visitor: socket.socket, message: Message) -> None:
        """Answer; who doesn't take the answer is let go."""
        try:
            send(visitor, message)
        except OSError:
            self.dismiss(visitor)

    def dismiss(self, visitor: socket.socket) -> None:
        """Close the connection."""
        if self._visitors.pop(visitor.fileno(), None) is not None:
            visitor.close()  # which takes it out of the epoll, too

    def close(self) -> None:
        """Be there no longer."""
        for sock in (*self._listening.values(), *self._visitors.values()):
            sock.close()
        self._listening.clear()
        self._visitors.clear()
        self._epoll.close()

    def _let_in(self, listening: socket.socket) -> None:
        try:
            visitor, _ = listening.accept()
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.ECONNABORTED, errno.EINTR}:
                # No descriptor is left: it would be readable for ever.
                del self._listening[listening.fileno()]
                listening.close()
            return
        visitor.setblocking(False)
        uid = other_side(visitor).uid
        if uid not in {os.geteuid(), 0}:
            with visitor, contextlib.suppress(OSError):
                send(visitor, Refused(number=0, message=not_theirs(os.geteuid())))
        elif len(self._visitors) >= _MOST_VISITORS:
            visitor.close()
        else:
            self._visitors[visitor.fileno()] = visitor
            self._epoll.register(visitor, select.EPOLLIN)


def not_theirs(owner: int | None) -> str:
    """Return why others are not let in; *owner* None: nobody knows who it is."""
    whose = "another user's" if owner is None else f"user {owner}'s"
    return f"it is {whose} mount, and only they and root may change its faults"


def _listen(name: str) -> socket.socket | None:
    for address in addresses(name):
        with contextlib.ExitStack() as stack:
            sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            try:
                sock.setblocking(False)
                sock.bind(address)
                sock.listen(_QUEUE)
            except OSError:
                continue
            stack.pop_all()
            return sock
    return None
