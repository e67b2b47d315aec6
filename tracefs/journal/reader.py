"""Reading a recording: every event that is whole, and how the journal ends."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from operator import length_hint
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Literal, Self

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import AnyEvent, Footer, Header
from tracefs.journal.format import (
    JOURNAL,
    MAX_LINE,
    UNREADABLE,
    decode_event,
    decode_header,
    decode_line,
)
from tracefs.journal.lines import LineSource
from tracefs.pathtext import to_text

FOLLOW_PAUSE_S: Final = 0.05
"""Seconds between two looks at a journal that is being followed."""

Source = Path | Literal["-"]
"""A recording's folder, a journal file, or standard input."""


class Ending(Struct, frozen=True, kw_only=True):
    """How a journal ends, and so how much it can prove."""

    complete: bool
    """The footer is there and agrees with every byte before it."""
    reason: str | None
    """Why it is incomplete, in one line; None when it is complete."""
    events: int
    """Number of events that were read."""
    footer: Footer | None
    """None: there is none."""
    unfinished: bool = False
    """All that it lacks is its end: it may still be written."""


class JournalReader:
    """One pass over a journal, in constant memory.

    Args:
        source: what to read.
        follow: at the end of a journal that is being written, wait for more, until the footer
            comes, its writer is gone, or the file is deleted.
        wait: passes the time while following; returning False stops. What it raises, and
            KeyboardInterrupt, goes through.
        copy: what was read is written there, too: a pipe can be read once.

    Raises:
        RecordingError: the journal can't be opened, or doesn't begin as one.
    """

    def __init__(
        self,
        source: Source,
        *,
        follow: bool = False,
        wait: Callable[[], bool] | None = None,
        copy: IO[bytes] | None = None,
    ) -> None:
        self._name = "standard input" if source == "-" else to_text(os.fsencode(source))
        self._owned = source != "-"
        self._descriptor = 0 if source == "-" else _open(source, self._name)
        try:
            self._lines = LineSource(self._descriptor, (wait or _pause) if follow else None, copy)
            block = self._lines.block()
            self._require_line(block)
            first, _, self._block = block.partition(b"\n")
            self.header: Final[Header] = decode_header(first, self._name)
        except OSError as error:
            self.close()
            raise RecordingError(f"cannot read {self._name}: {error.strerror}") from error
        except RecordingError:
            self.close()
            raise
        self._hash = hashlib.sha256(first + b"\n")
        self._events = 0
        self._started = False
        self._ending: Ending | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """Return the descriptor that is read."""
        return self._descriptor

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._owned and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def events(self) -> Iterator[AnyEvent]:
        """Yield each event in order, once; afterwards `ending` says what to make of them.

        A line that is torn or not valid ends the events: nothing after it is taken for evidence.
        """
        if self._started:
            raise RuntimeError("a journal is read once")
        self._started = True
        block = self._block or self._lines.block()
        while block:
            lines = block.split(b"\n")
            del lines[-1]
            left = iter(lines)
            # The hot loop is in C. That decode_event refuses a footer is how the footer is found.
            try:
                yield from map(decode_event, left)
            except UNREADABLE as error:
                self._stop(lines, len(lines) - length_hint(left) - 1, error)
                return
            self._events += len(lines)
            self._hash.update(block)
            block = self._lines.block()
        cut_off = self._incomplete(self._cut_off())
        whole_so_far = not (self._lines.overlong or self._lines.problem)
        self._ending = msgspec.structs.replace(cut_off, unfinished=whole_so_far)

    @property
    def ending(self) -> Ending:
        """How the journal ends; known once `events` is exhausted."""
        if self._ending is None:
            raise RuntimeError("the ending is known after the last event")
        return self._ending

    def _stop(self, lines: list[bytes], index: int, error: Exception) -> None:
        """End at ``lines[index]``, which is no event; those before it were yielded."""
        self._events += index
        self._hash.update(b"".join(line + b"\n" for line in lines[:index]))
        try:
            found = decode_line(lines[index])
        except UNREADABLE:
            self._ending = self._incomplete(f"line {self._events + 2} is not valid: {error}")
            return
        if isinstance(found, Footer):
            more = index + 1 < len(lines) or self._lines.anything_left()
            self._ending = self._judge(found, more)
        else:
            self._ending = self._incomplete(f"line {self._events + 2} is a second header")

    def _judge(self, footer: Footer, more: bool) -> Ending:
        reason = None
        if more:
            reason = f"something follows the footer in line {self._events + 2}"
        elif footer.events != self._events:
            reason = f"the footer counts {footer.events} events, there are {self._events}"
        elif footer.sha256 != self._hash.hexdigest():
            reason = "the footer's hash doesn't match: the journal was changed"
        return Ending(complete=reason is None, reason=reason, events=self._events, footer=footer)

    def _cut_off(self) -> str:
        lines = self._lines
        if lines.overlong:
            return f"line {self._events + 2} is longer than {MAX_LINE} bytes"
        if lines.problem:
            return f"no footer: {lines.problem}"
        if lines.tail:
            return f"no footer: the last line is torn after {len(lines.tail)} bytes"
        return "no footer: the recording didn't end as it should, or hasn't ended"

    def _incomplete(self, reason: str) -> Ending:
        return Ending(complete=False, reason=reason, events=self._events, footer=None)

    def _require_line(self, block: bytes) -> None:
        """Raise RecordingError unless a first line was read."""
        lines = self._lines
        if block:
            return
        if lines.problem:
            raise RecordingError(f"cannot read {self._name}: {lines.problem}")
        if not lines.tail:
            raise RecordingError(f"{self._name} is empty: nothing was recorded")
        if lines.overlong:
            raise RecordingError(
                f"{self._name} is not a tracefs journal: its first line is too long"
            )
        beginning = b'{"type":"header"'
        if lines.tail[: len(beginning)] != beginning[: len(lines.tail)]:
            decode_header(bytes(lines.tail), self._name)  # says what it is instead
        raise RecordingError(f"{self._name}: the header is torn: nothing was recorded")


def _pause() -> bool:
    time.sleep(FOLLOW_PAUSE_S)
    return True


def _open(source: Path, name: str) -> int:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY
    try:
        if not source.is_dir():
            return os.open(source, flags)
        return _open_regular(source / JOURNAL, flags, name)
    except FileNotFoundError:
        if source.is_dir():
            raise RecordingError(f"{name} is not a recording: it holds no {JOURNAL}") from None
        raise RecordingError(
            f"there is no recording {name}", repair="`tracefs list` shows what there is."
        ) from None
    except OSError as error:
        raise RecordingError(f"cannot read {name}: {error.strerror}") from error


def _open_regular(journal: Path, flags: int, name: str) -> int:
    """Open what a recording has as its journal; a FIFO there would wait, a device do anything."""
    if stat.S_ISREG(os.stat(journal).st_mode):
        # It may have been replaced since, so that the open must not wait either.
        fd = os.open(journal, flags | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
    raise RecordingError(f"{name} is not a recording: its {JOURNAL} is no regular file")
