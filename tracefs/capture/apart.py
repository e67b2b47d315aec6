"""``tracefs run`` for a program that goes on: ``python -m tracefs.capture.apart FD``.

Whoever runs a command traced becomes its subreaper, forks without exec, takes over signals, and
collects every child that it finds. That is no company for the threads and children of the process
that wants it done, so a process of its own does it. FD is a stream socket: an `Order` comes, a
`Report` goes.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tracefs.capture.runner import Options, run_traced
from tracefs.capture.spawn import Spawned
from tracefs.errors import RecordingError, SetupError, TracefsError
from tracefs.pathtext import to_bytes

_BLOCK: Final = 1 << 16


class Order(Struct, frozen=True, kw_only=True):
    """What to run, and how to record it."""

    directory: str
    """Path text, like all paths here."""
    argv: tuple[str, ...]
    """Path texts."""
    recording: str
    options: Options


class Report(Struct, frozen=True, kw_only=True):
    """How it went."""

    status: int = 0
    """Exit status of the command; 128 + N when signal N ended it."""
    failed: str | None = None
    """Why the recording is incomplete; None: it is whole."""
    notices: tuple[str, ...] = ()
    """What the user must know."""
    met: tuple[int, ...] = ()
    """How many calls each rule of faults was for, of those that hold at the end."""
    struck: tuple[int, ...] = ()
    """How many calls each of them has struck."""
    error: str | None = None
    """Why nothing was run; None: it was."""
    repair: str | None = None
    at_fault: Literal["mount", "setup", "recording"] = "mount"
    """Which of `tracefs.errors` *error* is of."""


def send_order(channel: socket.socket, order: Order) -> None:
    """Send *order*."""
    channel.sendall(msgspec.json.encode(order))
    channel.shutdown(socket.SHUT_WR)


def read_report(channel: socket.socket) -> Report | None:
    """Return what came of it, once the other side has ended; None: it was killed."""
    said = _read_all(channel)
    return msgspec.json.decode(said, type=Report) if said else None


def _read_all(channel: socket.socket) -> bytes:
    parts = []
    while part := channel.recv(_BLOCK):
        parts.append(part)
    return b"".join(parts)


def _obey(order: Order, server: Spawned) -> Report:
    notices: list[str] = []
    try:
        outcome = run_traced(
            os.fsdecode(to_bytes(order.directory)),
            [to_bytes(word) for word in order.argv],
            Path(os.fsdecode(to_bytes(order.recording))),
            order.options,
            notices.append,
            server,
        )
    except RecordingError as error:
        return Report(error=str(error), repair=error.repair, at_fault="recording")
    except SetupError as error:
        return Report(error=str(error), repair=error.repair, at_fault="setup")
    except TracefsError as error:
        return Report(error=str(error), repair=error.repair)
    except OSError as error:
        return Report(error=f"{error.filename or 'tracefs'}: {error.strerror}")
    return Report(
        status=outcome.status,
        failed=outcome.failed,
        notices=tuple(notices),
        met=outcome.met,
        struck=outcome.struck,
    )


def main() -> int:
    """Obey the order on the socket whose number is the only argument."""
    with Spawned() as server, socket.socket(fileno=int(sys.argv[1])) as channel:
        order = msgspec.json.decode(_read_all(channel), type=Order)
        channel.sendall(msgspec.json.encode(_obey(order, server)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
