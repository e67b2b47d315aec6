"""A journal, read as calls."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from tracefs.events import AnyEvent, Fallen, Footer, Header, Lost
from tracefs.findings import TraceSummary
from tracefs.trace.call import Marked, TraceItem
from tracefs.trace.join import Joiner, calls_only


class Ending(Protocol):
    """How a journal ended."""

    @property
    def complete(self) -> bool:
        """Whether everything that was written is there."""

    @property
    def reason(self) -> str | None:
        """Why it is incomplete; None when it is complete."""

    @property
    def footer(self) -> Footer | None:
        """The last line; None: it is missing."""


class Journal(Protocol):
    """What is read: `tracefs.journal.reader.JournalReader`, or anything like it."""

    @property
    def header(self) -> Header:
        """The first line."""

    @property
    def ending(self) -> Ending:
        """Known once `events` is exhausted."""

    def events(self) -> Iterator[AnyEvent]:
        """Yield each event in order, once."""


class Trace:
    """The calls of one journal, in one pass and constant memory.

    Args:
        journal: not read yet.
        reads: also yield the fetching of pages (see `tracefs.trace.join.join`).
    """

    def __init__(self, journal: Journal, *, reads: bool = False) -> None:
        self._journal = journal
        self._joiner = Joiner(journal.header, reads=reads)

    @property
    def header(self) -> Header:
        """The journal's first line."""
        return self._journal.header

    @property
    def calls(self) -> int:
        """Number of calls that were yielded so far."""
        return self._joiner.output.calls

    @property
    def unknown_calls(self) -> int:
        """How many of them could not be named; they count as no evidence."""
        return self._joiner.output.unknown

    @property
    def fallen(self) -> Sequence[Fallen]:
        """What went back to what the disk had, as far as was yielded; the last of it."""
        return self._joiner.output.fallen

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases in order, once.

        Raises:
            RecordingError: the journal can't be read on.
        """
        return calls_only(self._joiner.run(self._journal.events()))

    def marked(self) -> Iterator[TraceItem | Marked]:
        """Yield what `items` does, and each mark at its place; in its stead, once.

        Raises:
            RecordingError: the journal can't be read on.
        """
        return self._joiner.run(self._journal.events(), marks=True)

    def _lost(self, lost: Lost) -> str:
        seconds = (lost.start_ns - self.header.start_ns) / 1e9
        return f"from {seconds:.6f} s on, calls like lseek went unseen: {lost.reason}"

    def summary(self) -> TraceSummary:
        """Return how much a verdict rests on; incomplete until `items` is exhausted."""
        complete, reason = False, "not read to its end"
        ending = self._journal.ending if self._joiner.exhausted else None
        if ending is not None:
            complete, reason = ending.complete, ending.reason or ""
        lost = self._joiner.notices.lost
        if complete and lost is not None:
            complete, reason = False, self._lost(lost)
        past = self.header.bypassed_by
        if complete and past:
            complete, reason = (
                False,
                f"opened before the run, and so not recorded: {', '.join(past)}",
            )
        footer = None if ending is None or not ending.complete else ending.footer
        return TraceSummary(
            complete=complete,
            calls=self.calls,
            unknown_calls=self.unknown_calls,
            incomplete_because=None if complete else reason,
            status=None if footer is None else footer.status,
            pid=None if footer is None else footer.pid,
        )
