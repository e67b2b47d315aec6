"""``tracefs stray``: run a command and show where its source makes calls that it shouldn't."""

import argparse
import os
import sys
from datetime import datetime
from typing import Final

from tracefs.capture.runner import Options, run_traced
from tracefs.cli import target
from tracefs.cli.main import complain
from tracefs.cli.run import EXIT_TOOL_FAILED
from tracefs.cli.uses import report, wanted
from tracefs.errors import TracefsError, UsageError
from tracefs.journal.reader import JournalReader
from tracefs.report.selection import Selection
from tracefs.report.stray import CALLS
from tracefs.witness.levels import SECCOMP

NAME: Final = "stray"
HELP: Final = "show where a command seeks or writes astray"

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
    with JournalReader(folder) as reader:
        code = report(reader, Selection(calls=names), as_json=False, name=folder)
    return outcome.status or code


def _say(line: str) -> None:
    print(f"tracefs: {line}", file=sys.stderr, flush=True)
