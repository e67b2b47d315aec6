"""``tracefs stray``: run a command and show where its source makes calls that it shouldn't."""

import argparse
import os
from datetime import datetime
from typing import Final

from tracefs.capture.spawn import Spawned
from tracefs.cli import destination, target
from tracefs.cli.main import complain, complain_of
from tracefs.cli.uses import report, wanted
from tracefs.errors import TracefsError
from tracefs.journal.reader import JournalReader
from tracefs.report.selection import Selection
from tracefs.report.stray import CALLS
from tracefs.witness.level_names import SECCOMP

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
    words = target.command_words(args, NAME)
    try:
        spawned = Spawned()
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    except OSError as error:
        return complain_of(error, target.EXIT_TOOL_FAILED)
    with spawned as server:
        return _run(args, words, server)


def _run(args: argparse.Namespace, words: list[str], server: Spawned) -> int:
    from tracefs.capture.runner import Options, run_traced  # noqa: PLC0415  # while it imports

    names = wanted(args.call)
    options = Options(witness=SECCOMP, stacks=tuple(sorted(names)), most_stacks=_ALL)
    try:
        folder = destination.folder(args.output, words[0], datetime.now().astimezone(), args.dir)
        with destination.discarded_on_failure(folder):
            argv = [os.fsencode(word) for word in words]
            outcome = run_traced(args.dir, argv, folder, options, target.say, server)
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    except OSError as error:
        return complain_of(error, target.EXIT_TOOL_FAILED)
    if outcome.failed:
        target.say(f"the recording is incomplete: {outcome.failed}")
    try:
        with JournalReader(folder) as reader:
            code = report(reader, Selection(calls=names), as_json=False, name=folder)
    except TracefsError as error:
        code = complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    return outcome.status or code
