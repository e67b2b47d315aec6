"""The calls that a selection chooses, from the index where there is one that may be used."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tracefs.findings import TraceSummary
from tracefs.journal.format import CARD
from tracefs.journal.reader import JournalReader, Source
from tracefs.pathtext import printable
from tracefs.report.frame import WentBack, went_back
from tracefs.report.selection import Selection
from tracefs.report.shell import shell_line
from tracefs.trace import Call, Trace

_LARGE: Final = 256 << 20
"""Bytes of a journal that take seconds to read."""


class Selected(NamedTuple):
    """Calls in their order, to be read once, and then how much there was in all."""

    calls: Iterator[Call]
    summary: Callable[[], TraceSummary]
    fallen: Callable[[], Sequence[WentBack]]
    """What went back to what the disk had, once the calls were read."""


def selected(source: Source, reader: JournalReader, chosen: Selection, *, reads: bool) -> Selected:
    """Return the *chosen* calls of a recording; *reads*: page fetches too, which are no calls.

    What an index gives is the same, sooner. One that can't be used is passed by, with a line that
    says why; so is the lack of one that would help.
    """
    if chosen != Selection() and isinstance(source, Path) and source.is_dir():
        found = _indexed(source, reader, chosen, reads=reads)
        if found is not None:
            return found
    return unindexed(reader, chosen, reads=reads)


def unindexed(reader: JournalReader, chosen: Selection, *, reads: bool) -> Selected:
    """Return the same from the journal alone."""
    trace = Trace(reader, reads=reads)
    calls = (item for item in trace.items() if isinstance(item, Call) and chosen.matches(item))
    start_ns = reader.header.start_ns
    return Selected(calls, trace.summary, lambda: went_back(trace.fallen, start_ns))


def _indexed(
    folder: Path, reader: JournalReader, chosen: Selection, *, reads: bool
) -> Selected | None:
    size = os.fstat(reader.fileno()).st_size
    if not (folder / CARD).exists():
        if size >= _LARGE:
            make = shell_line(["tracefs", "index", str(folder)])
            _say(f"reading all {size >> 20} MiB; after {make}, filters are quick")
        return None
    from tracefs.index.card import Unusable  # noqa: PLC0415  # most recordings have no index
    from tracefs.index.look import find  # noqa: PLC0415

    try:
        index = find(folder, reader.fileno())
    except Unusable as why:
        _say(f"the index is not used: {why}")
        return None
    if index is None:
        return None
    return Selected(index.calls(chosen, reads=reads), index.summary, index.fallen)


def _say(line: str) -> None:
    print(f"tracefs: {printable(line)}", file=sys.stderr, flush=True)
