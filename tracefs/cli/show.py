"""``tracefs show``: print a recording, one system call a line."""

import argparse
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tracefs.cli import recording
from tracefs.cli.arguments import path_glob
from tracefs.cli.locate import locator
from tracefs.cli.selected import selected, unindexed
from tracefs.cli.strace_text import text_file
from tracefs.cli.uses import report, wanted
from tracefs.errors import UsageError
from tracefs.events import Header
from tracefs.journal.reader import JournalReader
from tracefs.pathtext import fits
from tracefs.report import call_json, frame
from tracefs.report.selection import Selection, call_names
from tracefs.report.strace import COLUMNS, UNTIMED, WITHOUT_DURATIONS, CallLines
from tracefs.report.style import style_for
from tracefs.trace import Call

if TYPE_CHECKING:
    from tracefs.strace.text import StraceText

NAME: Final = "show"
HELP: Final = "print a recording, one system call a line"

_LONGEST_S: Final = 10**9
"""About thirty years: no recording lasts longer."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on while the recording is being made"
    )
    parser.add_argument(
        "--path", metavar="GLOB", type=path_glob, help="only calls on paths like GLOB"
    )
    parser.add_argument("--call", metavar="NAME[,NAME]", help="only calls of these names")
    parser.add_argument("--tid", metavar="N", type=int, help="only calls of thread N")
    parser.add_argument("--pid", metavar="N", type=int, help="only calls known to be of process N")
    parser.add_argument(
        "--since", metavar="S", type=_nanoseconds, help="only calls begun S seconds in, or later"
    )
    parser.add_argument(
        "--until", metavar="S", type=_nanoseconds, help="only calls begun S seconds in, or earlier"
    )
    parser.add_argument("--reads", action="store_true", help="page fetches too, which are no calls")
    parser.add_argument(
        "--stray",
        action="store_true",
        help="only calls that a page writer has no use for, by their place in the source; "
        "--call names others; not with --follow and --reads",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a call")


def run(args: argparse.Namespace) -> int:
    """Print the calls that *args* asks for; return the exit code."""
    if args.stray:
        return _show_stray(args)
    source = recording.find(args.recording)
    if not args.follow:
        with text_file(source) as text:
            if text is not None:
                return _show_text(args, text)
    with JournalReader(source, follow=args.follow) as reader:
        chosen = _selection(args, reader.header)
        write = _json(reader.header) if args.json else _text(reader.header)
        if not args.json:
            print("\n".join([*frame.head(reader.header), COLUMNS]), flush=args.follow)
        shown = 0
        reads = args.reads or "read" in chosen.calls
        # What is being made has no index.
        find = unindexed if args.follow else partial(selected, source)
        calls, summary, fallen = find(reader, chosen, reads=reads)
        for call in calls:
            write(call)
            shown += call.index >= 0
            if args.follow:
                sys.stdout.flush()
        if not args.json:
            for one in fallen():
                if chosen.path is None or fits(one.path, chosen.path):
                    print(one.line)
            print(frame.foot(summary(), shown))
    return 0


def _show_text(args: argparse.Namespace, text: "StraceText") -> int:
    """Print what strace's text shows."""
    trace = text.trace()
    chosen = _selection(args, trace.header)
    write = _json(trace.header) if args.json else _text(trace.header)
    if not args.json:
        print("\n".join([*frame.head(trace.header), COLUMNS]))
    shown = 0
    for item in trace.items():
        if isinstance(item, Call) and chosen.matches(item):
            write(item)
            shown += 1
    if not args.json:
        print(frame.foot(trace.summary(), shown))
    return 0


def _show_stray(args: argparse.Namespace) -> int:
    """Print the stray calls alone; what each did is known at the recording's end, not before."""
    for given, option in ((args.follow, "--follow"), (args.reads, "--reads")):
        if given:
            raise UsageError(f"{option} goes without --stray", repair=f"leave {option} out")
    source = recording.find(args.recording)
    with JournalReader(source) as reader:
        chosen = replace(_selection(args, reader.header), calls=wanted(args.call))
        report(reader, chosen, as_json=args.json, name=source)
    return 0


def _json(header: Header) -> Callable[[Call], None]:
    size, locate = recording.page_size(header), locator(header.started)
    return lambda call: recording.print_json(call_json.call_line(call, size, locate(call)))


def _text(header: Header) -> Callable[[Call], None]:
    size = recording.page_size(header)
    lines = CallLines(
        start_ns=header.start_ns,
        page_size=size,
        style=style_for(sys.stdout),
        timed=header.clock != UNTIMED,
        lasting=header.clock not in WITHOUT_DURATIONS,
        locate=locator(header.started),
    )
    return lambda call: print(lines.line(call))


def _selection(args: argparse.Namespace, header: Header) -> Selection:
    return Selection(
        path=args.path,
        calls=frozenset() if args.call is None else call_names(args.call),
        tid=args.tid,
        pid=args.pid,
        since_ns=None if args.since is None else header.start_ns + args.since,
        until_ns=None if args.until is None else header.start_ns + args.until,
    )


def _nanoseconds(text: str) -> int:
    """Return *text*, decimal seconds, as nanoseconds without rounding through a float."""
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        seconds = Decimal("NaN")
    if not (seconds.is_finite() and -_LONGEST_S <= seconds <= _LONGEST_S):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return int(seconds * 1_000_000_000)
