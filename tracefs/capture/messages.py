"""What the server of a mount and the process that started it tell each other.

One message is one packet of a SOCK_SEQPACKET socket; descriptors travel beside it (unix(7)). What
is too long for a packet, as a command may be (ARG_MAX in execve(2)), travels in a descriptor too.
"""

import os
import socket
from array import array
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from tracefs.faults.model import Rule

_PACKET: Final = 1 << 16
"""Bytes; any socket's buffer holds as much (wmem_default in socket(7))."""
LONGEST_QUESTION: Final = _PACKET
"""Bytes of a `Question`."""
_FDS: Final = 4


class Config(Struct, frozen=True, kw_only=True, tag=True):
    """To the server, first: what to serve.

    With it: the traced directory, opened O_PATH; where calls are notified, the socket on which the
    seccomp witness says its last word (`tracefs.witness.guardian.Word`); with *says*, the socket on
    which `Printed` comes.
    """

    source: str
    """The traced directory as the user gave it, path text."""
    recording: str
    """Folder of the recording, made by the server; path text."""
    command: tuple[str, ...] | None
    direct_io: bool
    witness: str
    """A level of `tracefs.witness.levels`."""
    notified: tuple[str, ...]
    degraded: tuple[str, ...]
    visible: bool
    """Others than the command can reach the mount."""
    bypassed_by: tuple[str, ...]
    queries: bool
    payload: bool
    digests: bool
    page_size: int
    faults: tuple[Rule, ...] = ()
    """Rules that hold from the start."""
    says: bool = False
    """Lines that the command prints are to be in the journal."""


class Device(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: serve what is mounted already. With it: the FUSE device."""

    namespace: int
    """Inode number of the mount namespace that it is mounted in, for the command alone."""
    number: tuple[int, int] | None
    """Major and minor device number of the mount, if that is known."""


class MountAt(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: mount with fusermount3, visible to all, and serve."""

    mountpoint: str
    """Absolute, path text."""
    allow_other: bool


class Detach(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: go on when this socket closes."""


class Ended(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: the command has ended; what it left running may still use the mount."""

    pid: int
    """Its process id."""
    status: int
    """Its exit status; 128 + N when signal N ended it."""


class Over(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: whatever used the directory has ended, and so may the mount."""


class Stop(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: end now, mounted or not."""


class Begin(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: begin another recording, and end the one so far. Answer: `Begun`."""

    number: int
    """Of the request; its answer has it, too."""
    recording: str
    """Folder, absolute, made by the server; path text. No part of it may lie in the mount."""
    bypassed_by: tuple[str, ...]


class Mark(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: mark this place in the journal. Answer: `Marked`."""

    number: int
    text: str
    tid: int
    """Thread that asks; 0: not known."""


class Settle(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: take what the kernel has still to say. Answer: `Settled`."""

    number: int
    patience_ms: int


class Change(StrEnum):
    """What becomes of the rules that hold."""

    SET = "set"
    """They hold no longer; those that are told do, and count from now on."""
    ADD = "add"
    """They hold on, and those that are told beside them."""
    REMOVE = "remove"
    """Those that are told hold no longer, each once; the others hold on."""


class Inject(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: change the rules of faults. Answer: `Holding`."""

    number: int
    rules: tuple[Rule, ...]
    change: Change = Change.SET
    below: str = ""
    """A directory, path text relative to the traced one: *rules* hold for what lies in it, and
    their globs are relative to it; empty: the traced one."""


class Rules(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: which rules hold? Answer: `Holding`."""

    number: int


class Let(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: let the calls go on that are stuck by a rule. Answer: `Gone`."""

    number: int


class Finish(Struct, frozen=True, kw_only=True, tag=True):
    """To the server: end the recording, though some may still use the mount. Answer: `Done`."""

    free: bool = False
    """Let the directory be traced anew, as far as this mount is concerned."""


class Printed(Struct, frozen=True, kw_only=True, tag=True):
    """To the server, on a socket of its own: the command has printed this. Answer: `Heard`."""

    lines: tuple[str, ...]
    """Path texts, without newlines."""


class Heard(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: these lines are in the journal."""


class Begun(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: all that is answered from now on goes into the new recording."""

    number: int
    events: int
    """Lines between header and footer of the one before."""
    failed: str | None
    """Why the one before is incomplete; None: it is whole."""


class Marked(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: what follows stands below the mark."""

    number: int


class Settled(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: all that was answered so far can be read in the recording."""

    number: int
    opens: int
    """Opens of files that were not released yet."""
    closed: int
    """How many of them are, by all signs, of no descriptor any more, but of a mapping perhaps."""
    failed: str | None
    """Why the recording so far is incomplete; None: it is whole."""


class Standing(Struct, frozen=True, kw_only=True):
    """One rule that holds."""

    rule: str
    """As `tracefs.faults.model.Rule` spells it."""
    below: str = ""
    """As in `Inject`."""
    met: int = 0
    """Calls that are like it, since it holds."""
    struck: int = 0
    """Calls that it has struck."""

    @property
    def outcome(self) -> str:
        """What came of it, as a person reads it."""
        if not self.met:
            return "met no call"
        return f"struck {self.struck} of {self.met} {'call' if self.met == 1 else 'calls'}"


class Holding(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: these rules hold from now on, and no others."""

    number: int
    rules: tuple[Standing, ...]
    ended: tuple[Standing, ...] = ()
    """Those that hold no longer, with what came of them."""


class Gone(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: so many stuck calls have been let go."""

    number: int
    calls: int


class Refused(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: what was asked can't be done; all is as it was."""

    number: int
    message: str
    repair: str | None = None


class Ready(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: requests are being answered."""

    pid: int


class Failed(Struct, frozen=True, kw_only=True, tag=True):
    """From the server: it can't serve, or no longer; it ends."""

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
    lingers: bool = False
    """The mount has not ended: somebody can use it still, unrecorded from now on."""
    opens: int = 0
    """Of files and directories, that are left then."""
    met: tuple[int, ...] = ()
    """How many calls each rule of faults was for, of those that hold at the end."""
    struck: tuple[int, ...] = ()
    """How many calls each of them has struck."""
    untold: int = 0
    """Requests that a rule for one call may have missed: the call behind them isn't known."""


class _Enclosed(Struct, frozen=True, kw_only=True, tag=True):
    """A message that is in the last descriptor beside this."""


Message: TypeAlias = (
    Config
    | Device
    | MountAt
    | Detach
    | Ended
    | Over
    | Stop
    | Begin
    | Mark
    | Settle
    | Inject
    | Rules
    | Let
    | Finish
    | Printed
    | Heard
    | Ready
    | Failed
    | Warned
    | Begun
    | Marked
    | Settled
    | Holding
    | Gone
    | Refused
    | Done
)

Question: TypeAlias = Inject | Rules | Let
"""What any process of the user may ask of a mount (`tracefs.capture.door`)."""
Asked: TypeAlias = Begin | Mark | Settle | Question
"""What its owner may ask, by number."""
Told: TypeAlias = Begun | Marked | Settled | Holding | Gone
"""An answer, of the question's number."""

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Message | _Enclosed)
_question_decoder: Final[msgspec.json.Decoder[Question]] = msgspec.json.Decoder(Question)


def send(sock: socket.socket, message: Message, fds: tuple[int, ...] = ()) -> None:
    """Send one message; OSError when the other side is gone."""
    data = _encoder.encode(message)
    if len(data) <= _PACKET:
        _send(sock, data, fds)
        return
    with open(os.memfd_create("message"), "w+b", buffering=0) as body:
        body.write(data)
        _send(sock, _encoder.encode(_Enclosed()), (*fds, body.fileno()))


def receive(sock: socket.socket) -> tuple[Message | None, list[int]]:
    """Return the next message, None when the other side is gone, and the descriptors with it."""
    try:
        data, fds = _receive(sock)
    except ConnectionResetError:
        # It closed without reading all that we sent; what it said before is still to be read.
        data, fds = _receive(sock)
    if not data:
        return None, fds
    message = _decoder.decode(data)
    if isinstance(message, _Enclosed):
        with open(fds.pop(), "rb") as body:
            body.seek(0)
            message = _decoder.decode(body.read())
        assert not isinstance(message, _Enclosed)
    return message, fds


def size(message: Message) -> int:
    """Return how many bytes a message takes."""
    return len(_encoder.encode(message))


def receive_question(sock: socket.socket) -> Question | None:
    """Return what is asked by whom we needn't believe; None: nothing that makes sense.

    Descriptors with it are dropped unseen. To close one would be a call, and it could be a file
    of the mount that we serve.
    """
    try:
        # Without room for them the kernel lets them go, and doesn't flush (scm_detach_fds).
        return _question_decoder.decode(sock.recv(_PACKET))
    except (OSError, msgspec.MsgspecError):
        return None


def _send(sock: socket.socket, data: bytes, fds: tuple[int, ...]) -> None:
    socket.send_fds(sock, [data], list(fds), socket.MSG_NOSIGNAL)


def _receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    # Not socket.recv_fds: it drops its flags (Lib/socket.py of Python 3.11).
    fds = array("i")
    data, ancillary, _, _ = sock.recvmsg(
        _PACKET, socket.CMSG_LEN(_FDS * fds.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, raw in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(raw[: len(raw) - len(raw) % fds.itemsize])
    return data, list(fds)
