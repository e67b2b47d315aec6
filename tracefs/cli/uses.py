"""Stray calls of a recording, for the commands that print them."""

import sys
from typing import Final

from tracefs.cli import recording
from tracefs.cli.main import complain
from tracefs.errors import RecordingError, UsageError
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.journal.reader import JournalReader, Source
from tracefs.report.selection import Selection, call_names
from tracefs.report.strace import CallLines
from tracefs.report.stray import CALLS, StrayUses, render
from tracefs.report.stray_json import use_line
from tracefs.report.style import style_for
from tracefs.source import Location, Resolver
from tracefs.trace import Call, Trace
from tracefs.witness.level_names import FULL
from tracefs.witness.levels import notified

EXIT_FOUND: Final = 1


def wanted(text: str | None) -> frozenset[str]:
    """Return the names of the calls to look for, from the option; without any: the default.

    Raises:
        UsageError: one of them is never notified.
    """
    names = call_names(text or "") or frozenset(CALLS)
    known = notified(FULL)
    for name in sorted(names):
        if name not in known:
            raise UsageError(
                f"{name} is no call whose place can be told",
                repair=f"--call takes {', '.join(sorted(known))}",
            )
    return names


def report(reader: JournalReader, chosen: Selection, *, as_json: bool, name: Source) -> int:
    """Print the stray calls of a recording that people know as *name*.

    Returns:
        1 if there is one; 4 if there is none in a recording that is incomplete, empty or has calls
        without a name; else 0.

    Raises:
        RecordingError: it can't be read on, or has no notices.
    """
    if not reader.header.notified:
        raise RecordingError(
            "this recording was made without notices: it shows no lseek, and no source lines",
            repair="record again with tracefs stray -- COMMAND",
        )
    found, trace = StrayUses(chosen), Trace(reader)
    for item in trace.items():
        if isinstance(item, Call):
            found.feed(item)
    summary = trace.summary()
    if as_json:
        _print_json(found, reader.header, summary)
    else:
        _print_text(found, reader.header, summary, name)
    if found.uses:
        return EXIT_FOUND
    told = summary.complete and found.calls and not found.unnamed and not found.unseen
    return 0 if told else recording.EXIT_UNKNOWN


def _print_json(found: StrayUses, header: Header, summary: TraceSummary) -> None:
    resolver, size = Resolver(header.started), recording.page_size(header)
    for use in found.uses:
        recording.print_json(use_line(use, size, resolver.resolve(use.call.stack)))
    if not summary.complete:
        why = f"the recording is incomplete: {summary.incomplete_because}"
        complain(why, None, recording.EXIT_UNKNOWN)


def _print_text(found: StrayUses, header: Header, summary: TraceSummary, name: Source) -> None:
    resolver = Resolver(header.started)
    lines = CallLines(
        start_ns=header.start_ns,
        page_size=recording.page_size(header),
        style=style_for(sys.stdout),
    )

    def resolve(call: Call) -> tuple[Location, ...]:
        return resolver.resolve(call.stack)

    for line in render(found, lines, resolve, str(name), summary.incomplete_because):
        print(line)
