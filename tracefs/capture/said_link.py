"""What the server of a mount hears of lines that the command prints: acknowledgements."""

import socket
from contextlib import suppress
from time import monotonic_ns

from tracefs.capture.messages import Heard, Printed, receive, send
from tracefs.events import Mark
from tracefs.journal.writer import JournalWriter


class SaidLink:
    """The socket to whoever reads the command's standard output (`tracefs.capture.said`)."""

    def __init__(self, fd: int, journal: JournalWriter) -> None:
        self._socket = socket.socket(fileno=fd)
        self._journal = journal

    def fileno(self) -> int:
        """Return the descriptor to wait for: readable when lines have come."""
        return self._socket.fileno()

    def hear(self) -> bool:
        """Take lines into the journal, and wait for them if need be; False: none come any more."""
        try:
            message, _ = receive(self._socket)
        except OSError:
            return False
        if not isinstance(message, Printed):
            return False
        for line in message.lines:
            now = monotonic_ns()
            self._journal.event(Mark(start_ns=now, end_ns=now, tid=0, text=line, ack=True))
        with suppress(OSError):
            send(self._socket, Heard())
        return True

    def end(self) -> None:
        """Take what was printed before the mount ended, and nothing more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        while self.hear():
            pass
        self._socket.close()
