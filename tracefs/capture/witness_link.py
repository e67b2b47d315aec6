"""What the server of a mount hears of the seccomp witness, which writes into the same journal."""

import socket
from contextlib import suppress
from time import monotonic_ns
from typing import Final

import msgspec

from tracefs.events import Lost
from tracefs.journal.writer import JournalWriter
from tracefs.witness.word import STOP, Word

_LONGEST: Final = 1 << 12


class WitnessLink:
    """The socket to guardian and supervisor; each has the other end."""

    def __init__(self, fd: int, journal: JournalWriter) -> None:
        self._socket = socket.socket(fileno=fd)
        self._journal = journal
        self._over = False

    def fileno(self) -> int:
        """Return the descriptor to wait for: readable once the witness has ended."""
        return self._socket.fileno()

    def hear(self) -> None:
        """Take the witness's last word; wait for it if need be."""
        if self._over:
            return
        self._over = True
        try:
            said = self._socket.recv(_LONGEST)
        except OSError:
            said = b""
        if said:
            word = msgspec.json.decode(said, type=Word)
            if word.failure is not None:
                self._journal.stop(word.failure)
            return
        # Both were killed: what stopped at the filter since then failed with ENOSYS.
        now = monotonic_ns()
        reason = "supervisor and guardian both ended"
        self._journal.event(Lost(start_ns=now, end_ns=now, tid=0, reason=reason))

    def end(self, *, stop: bool) -> None:
        """Wait until the witness writes no more; *stop*: though its processes go on."""
        if stop and not self._over:
            # A failure means that it has ended, and said so.
            with suppress(OSError):
                self._socket.send(STOP)
        self.hear()
        self._socket.close()
