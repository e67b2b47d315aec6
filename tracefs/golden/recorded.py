"""A recording as a golden trace."""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from tracefs.errors import RecordingError
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.golden.entry import Golden
from tracefs.golden.normalise import Normaliser, selected
from tracefs.trace.call import Call, TraceItem


class Trace(Protocol):
    """What is read: `tracefs.trace.Trace`, or anything like it."""

    @property
    def header(self) -> Header:
        """First line of the journal."""

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases, once, in the order in which they were complete."""

    def summary(self) -> TraceSummary:
        """Return how much there was; only after the last item."""


def golden_of(trace: Trace, paths: Sequence[str] = (), only: Sequence[str] = ()) -> Golden:
    """Return the calls of *trace*, which is read once, as they are compared.

    Args:
        trace: not read yet.
        paths: globs that choose calls by path, in a golden trace's spelling; none: all.
        only: names and families that choose calls; none: all.

    Raises:
        RecordingError: it can't be read on, or its header is nonsense.
    """
    header = trace.header
    if header.page_size < 1:
        raise RecordingError(f"the recording's header has a page size of {header.page_size}")
    if not re.fullmatch("[a-z][a-z-]*", header.witness):
        raise RecordingError(f"the recording's header has a witness of {header.witness!r}")
    normaliser = Normaliser()
    for item in trace.items():
        if isinstance(item, Call):
            normaliser.feed(item)
    summary = trace.summary()
    incomplete = None
    if not summary.complete:
        incomplete = summary.incomplete_because or "the reason is not known"
    return Golden(
        entries=selected(normaliser.entries(), paths, only),
        page_size=header.page_size,
        witness=header.witness,
        paths=tuple(paths),
        only=tuple(only),
        incomplete=incomplete,
    )
