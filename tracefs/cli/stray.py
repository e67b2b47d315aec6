"""``tracefs stray``: run a command and show where its source makes calls that it shouldn't."""

import argparse
import os
import sys
from datetime import datetime
from typing import Final

from tracefs.capture.runner import Options, run_traced
from tracefs.cli import recording, target
from tracefs.cli.main import complain
from tracefs.cli.recording import EXIT_UNKNOWN
from tracefs.cli.run import EXIT_TOOL_FAILED
from tracefs.errors import RecordingError, TracefsError, UsageError
from tracefs.journal.reader import JournalReader, Source
from tracefs.report.selection import call_names
from tracefs.report.strace import CallLines
from tracefs.report.stray import CALLS, StrayUses, render
from tracefs.report.style import style_for
from tracefs.source import Resolver
from tracefs.trace import Call, Trace
from tracefs.witness.levels import SECCOMP

NAME: Final = "stray"
HELP: Final = "show where a command seeks or writes astray"

EXIT_FOUND: Final = 1
_ALL: Final = 1 << 62


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.usage = "tracefs stray [--dir DIR] [--call NAME[,NAME]] [-o DIR] [--] COMMAND [ARG]..."
    parser.add_argument(
        "--dir", metavar="DIR", default=".", help="directory to trace (default: the current one)"
    )
    parser.add_argument(
        "--call", metavar="NAME[,NAME]", help=f"calls to look for (default: {','.join(CALLS)})"
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="folder to record into")
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run the command, print the report; return its exit code.

    Of a command that ended with 0 it is 1 when something is astray, 4 when that can't be told.
    """
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not words:
        raise UsageError("no command to run", repair="tracefs stray -- COMMAND ARG…")
    names = wanted(args.call)
    options = Options(witness=SECCOMP, stacks=tuple(sorted(names)), most_stacks=_ALL)
    try:
        folder = target.folder(args.output, words[0], datetime.now().astimezone(), args.dir)
        with target.discarded_on_failure(folder):
            argv = [os.fsencode(word) for word in words]
            outcome = run_traced(args.dir, argv, folder, options, _say)
    except TracefsError as error:
        return complain(str(error), error.repair, EXIT_TOOL_FAILED)
    if outcome.failed:
        _say(f"the recording is incomplete: {outcome.failed}")
    return outcome.status or report(folder, names)


def wanted(text: str | None) -> frozenset[str]:
    """Return the names of the calls to look for, from the option; None: the default."""
    return frozenset(CALLS) if text is None else call_names(text)


def report(source: Source, names: frozenset[str]) -> int:
    """Print the stray calls of a recording; return 1 for some, 4 for none in an incomplete one."""
    found = StrayUses(names)
    with JournalReader(source) as reader:
        if not reader.header.notified:
            raise RecordingError(
                "this recording was made without notices: it shows no lseek, and no source lines",
                repair="record again with tracefs stray -- COMMAND",
            )
        trace = Trace(reader)
        for item in trace.items():
            if isinstance(item, Call):
                found.feed(item)
        header, summary = reader.header, trace.summary()
    resolver = Resolver()
    lines = CallLines(
        start_ns=header.start_ns,
        page_size=recording.page_size(header),
        style=style_for(sys.stdout),
    )
    because = summary.incomplete_because
    text = render(found, lines, lambda call: resolver.resolve(call.stack), str(source), because)
    for line in text:
        print(line)
    if found.uses:
        return EXIT_FOUND
    return 0 if summary.complete else EXIT_UNKNOWN


def _say(line: str) -> None:
    print(f"tracefs: {line}", file=sys.stderr, flush=True)
