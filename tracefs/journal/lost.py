"""Whether the seccomp witness of a recording was lost, without decoding what else there is."""

import os
from pathlib import Path
from typing import Final

from tracefs.events import Lost
from tracefs.journal.format import JOURNAL, UNREADABLE, decode_event, decode_header
from tracefs.journal.lines import LineSource

_BEGINNING: Final = b'{"type":"lost",'
"""Of its line, as `tracefs.journal.format.encode` writes it."""


def find_lost(folder: Path) -> tuple[int, str] | None:
    """Return when the witness was lost, in nanoseconds from the start, and why; None: it was not.

    Raises:
        RecordingError: the first line is no header.
        OSError: the journal can't be opened.
    """
    with open(folder / JOURNAL, "rb", buffering=0) as journal:
        lines = LineSource(journal.fileno())
        block = lines.block()
        start_ns = decode_header(block.partition(b"\n")[0], os.fspath(folder)).start_ns
        while block:
            # No other line has these bytes behind a newline, which JSON spells \n within a text.
            at = 0 if block.startswith(_BEGINNING) else block.find(b"\n" + _BEGINNING)
            if at >= 0:
                return _read(block[at:].lstrip().partition(b"\n")[0], start_ns)
            block = lines.block()
    return None


def _read(line: bytes, start_ns: int) -> tuple[int, str] | None:
    try:
        event = decode_event(line)
    except UNREADABLE:
        return None
    return (event.start_ns - start_ns, event.reason) if isinstance(event, Lost) else None
