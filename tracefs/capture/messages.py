"""What the server of a mount and the process that started it tell each other.

One message is one packet of a SOCK_SEQPACKET socket; descriptors travel beside it (unix(7)).
"""

import socket
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

_LIMIT: Final = 1 << 20


class Config(Struct, frozen=True, kw_only=True, tag=True):
    """To the server, first: what to serve. With it: the traced directory, opened O_PATH."""

    source: str
    """The traced directory as the user gave it, path text."""
    recording: str
    """Folder of the recording, made by the server; path text."""
    command: tuple[str, ...] | None
    direct_io: bool
    witness: bool
    queries: bool
    payload: bool
    digests: bool
    page_size: int


class Device(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: serve what is mounted already. With it: the FUSE device."""


class MountAt(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: mount with fusermount3, visible to all, and serve."""

    mountpoint: str
    """Absolute, path text."""
    allow_other: bool


class Detach(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: go on when this socket closes."""


class Stop(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: end now, mounted or not."""


class Ready(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: requests are being answered."""

    pid: int


class Failed(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: it can't serve; it ends."""

    message: str
    repair: str | None = None


class Warned(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: something that the user must know now."""

    message: str


class Done(Struct, frozen=True, kw_only=True, tag=True):
    """From the server, last: the mount has ended."""

    events: int
    failed: str | None
    """Why the journal is incomplete; None: it is whole."""


Message: TypeAlias = Config | Device | MountAt | Detach | Stop | Ready | Failed | Warned | Done

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Message)


def send(sock: socket.socket, message: Message, fds: tuple[int, ...] = ()) -> None:
    """Send one message; OSError when the other side is gone."""
    socket.send_fds(sock, [_encoder.encode(message)], list(fds), socket.MSG_NOSIGNAL)


def receive(sock: socket.socket) -> tuple[Message | None, list[int]]:
    """Return the next message, None when the other side is gone, and the descriptors with it."""
    try:
        data, fds, _, _ = socket.recv_fds(sock, _LIMIT, 4, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        # It closed without reading all that we sent; what it said before is still to be read.
        data, fds, _, _ = socket.recv_fds(sock, _LIMIT, 4, socket.MSG_CMSG_CLOEXEC)
    return (_decoder.decode(data) if data else None), fds
