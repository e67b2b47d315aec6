"""A second writer of a journal: lines beside those of the server that owns it."""

import os
from typing import Final

from tracefs.errors import RecordingError
from tracefs.events import AnyEvent
from tracefs.journal.format import JOURNAL, encode

UNWRITABLE: Final = (OSError, ValueError, OverflowError, TypeError, MemoryError)
"""What a line that can't be written raises: the write itself, an event that JSON can't hold, or one
for which there is no memory."""


def why_lost(error: Exception) -> str:
    """Return why a line could not be written, for people."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or f"an event can't be written: {str(error) or type(error).__name__}"


class JournalAppender:
    """Appends whole lines to the journal in *folder*, which another process began and will end.

    Appends of several processes don't mix: each is one write(2) with O_APPEND.

    Raises:
        RecordingError: it can't be opened.
    """

    def __init__(self, folder: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self._journal = os.open(os.path.join(folder, os.fsencode(JOURNAL)), flags)
        except OSError as error:
            raise RecordingError(f"cannot write the journal: {error.strerror}") from error

    def append(self, event: AnyEvent) -> str | None:
        """Append *event*; return why that failed, None where it didn't."""
        try:
            line = encode(event) + b"\n"
            written = os.write(self._journal, line)
        except UNWRITABLE as error:
            return f"{JOURNAL}: {why_lost(error)}"
        if written != len(line):
            return f"{JOURNAL}: only {written} of {len(line)} bytes were written; is the disk full?"
        return None
