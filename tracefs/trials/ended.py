"""What `tracefs.trials.limit` reports of a command, as data."""

from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.pathtext import to_text

_MOST_SAID: Final = 200
"""Bytes that are kept of a line."""


class How(StrEnum):
    """How a command ended, as the report spells it."""

    ENDED = "ended"
    """By itself, and nothing of it was left."""
    LATE = "late"
    """It was killed when its time was up."""
    LEFT = "left"
    """It ended, and what it had started was killed when the time was up."""
    MOVED = "moved"
    """The mount is no longer where it was."""
    UNSTARTED = "unstarted"
    """It can't be executed."""


class Ended(Struct, frozen=True, kw_only=True):
    """One report."""

    how: How
    status: int | None
    """Exit status, 128 + N for signal N; None: it never ended by itself."""
    pid: int = 0
    """Process id of the command; 0: it was not started."""
    message: str = ""
    """Why it could not be started, as path text."""


def read(report: Path) -> Ended | None:
    """Read the file *report*, and remove it; None: who was to write it was killed first."""
    ended = look(report)
    if ended is not None:
        report.unlink()
    return ended


def look(report: Path) -> Ended | None:
    """Read the file *report*; None: who was to write it was killed first."""
    text = to_text(report.read_bytes().rstrip(b"\n")) if report.exists() else ""
    how, status, pid, message = (*text.split(" ", 3), "", "", "")[:4]
    if how not in set(How) or not pid:
        return None
    known = None if status == "None" else int(status)
    return Ended(how=How(how), status=known, pid=int(pid), message=message)


def command(report: Path) -> tuple[int, int] | None:
    """Return process id and exit status of the command; None: it did not end by itself."""
    ended = look(report)
    if ended is None or ended.status is None or not ended.pid or ended.how is How.LATE:
        return None
    return ended.pid, ended.status


def last_line(output: Path) -> str | None:
    """Return the last line in the file *output*, cut where it is long; None: it has none."""
    lines = output.read_bytes().strip().splitlines() if output.exists() else []
    return to_text(lines[-1][:_MOST_SAID]) if lines else None
