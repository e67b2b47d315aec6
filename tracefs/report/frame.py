"""What stands above and below the calls of a recording."""

import shlex
from collections.abc import Iterable

from msgspec import Struct

from tracefs.events import Fallen, Header
from tracefs.findings import TraceSummary
from tracefs.report.quote import printable


def head(header: Header) -> list[str]:
    """Return the lines that say what was recorded, how, and where."""
    command = "none, a plain mount" if header.command is None else shlex.join(header.command)
    if header.witness == "strace":
        return _head_of_text(header)
    return [
        f"# command: {printable(command)}",
        f"# source: {printable(header.source)}",
        f"# started: {printable(header.started)}; seconds count from here",
        f"# mode: {printable(header.mode)}; callers seen by: {printable(header.witness)}",
        *(f"# degraded: {printable(what)}" for what in header.degraded),
        f"# page size: {header.page_size} bytes",
        f"# kernel: {printable(header.kernel)} {printable(header.machine)}",
    ]


def _head_of_text(header: Header) -> list[str]:
    """Return the same for strace's text, which doesn't know all of that."""
    command = shlex.join(header.command) if header.command else "not in the text"
    return [
        f"# command: {printable(command)}",
        f"# source: {printable(header.source)}",
        "# seen by: strace, as its text tells",
        "# seconds: not in the text"
        if header.clock == "none"
        else "# seconds since its first line",
        f"# page size: {header.page_size} bytes",
    ]


def foot(summary: TraceSummary, shown: int | None = None) -> str:
    """Return the line that says whether this is all; *shown* counts calls that passed filters."""
    counts = calls(summary)
    if shown is not None and shown != summary.calls:
        counts = f"{shown} of {counts} shown"
    return f"# {completeness(summary)}; {counts}"


class WentBack(Struct, frozen=True, kw_only=True):
    """Bytes of a file that went back to what its disk had."""

    path: str
    line: str
    """What is to be printed of it."""


def went_back(fallen: Iterable[Fallen], start_ns: int) -> tuple[WentBack, ...]:
    """Return what is to be told of *fallen*; times count from *start_ns*."""
    return tuple(WentBack(path=one.path, line=_fell(one, start_ns)) for one in fallen)


def _fell(one: Fallen, start_ns: int) -> str:
    seconds, micros = divmod((one.start_ns - start_ns) // 1000, 1_000_000)
    gone = one.file_size is not None
    what = "are gone, as" if gone else "went back to what"
    left = "left the disk" if gone else "left on the disk"
    return (
        f"# {seconds}.{micros:06d} s, '{printable(one.path)}': {plural(one.size, 'byte')} at "
        f"{one.offset} {what} a failed sync {left} ({printable(one.rule)})"
    )


def completeness(summary: TraceSummary) -> str:
    """Return ``complete``, or ``incomplete:`` and why."""
    if summary.complete:
        return "complete"
    return f"incomplete: {printable(summary.incomplete_because or 'the reason is not known')}"


def calls(summary: TraceSummary) -> str:
    """Return how many calls there are and how many have no name."""
    unknown = "none" if summary.unknown_calls == 0 else str(summary.unknown_calls)
    return f"{plural(summary.calls, 'call')} ({unknown} unknown)"


def plural(number: int, noun: str) -> str:
    """Return ``1 call``, ``2 calls``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
