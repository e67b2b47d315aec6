"""``tracefs record-golden``: write down what a command does, to compare later runs with."""

import argparse
import os
import shlex
import sys
from datetime import datetime
from typing import Final

from tracefs.capture.spawn import Spawned
from tracefs.cli import destination, target
from tracefs.cli.arguments import positive
from tracefs.cli.diff import add_order
from tracefs.cli.goldens import (
    EXIT_CODES,
    add_selection,
    golden_file,
    load_recording,
    name_of,
)
from tracefs.cli.main import complain, complain_of
from tracefs.cli.recording import EXIT_UNKNOWN, find
from tracefs.errors import TracefsError, UsageError
from tracefs.golden import Golden, Order, Outcome, compare, files
from tracefs.golden.format import GoldenError
from tracefs.journal.reader import Source
from tracefs.report.comparison import ComparisonText
from tracefs.report.frame import plural
from tracefs.report.quote import printable
from tracefs.report.style import style_for
from tracefs.witness.level_names import LEVELS, SECCOMP

NAME: Final = "record-golden"
HELP: Final = "write down what a command does, to compare later runs with"

_REMARKS: Final = (
    "What one run did, to compare others with: tracefs diff THIS-FILE RECORDING",
    "To accept another run: tracefs record-golden --update -o THIS-FILE ...",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.usage = (
        "tracefs record-golden -o FILE [OPTION]... [--] COMMAND [ARG]...\n"
        "       tracefs record-golden -o FILE [OPTION]... --from RECORDING"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="golden file to write; one that is there is compared, and stays unless --update",
    )
    parser.add_argument("--update", action="store_true", help="write FILE anew if it differs")
    parser.add_argument(
        "--from", dest="source", metavar="RECORDING", help="take a recording; run nothing"
    )
    parser.add_argument(
        "--dir", metavar="DIR", default=".", help="directory to trace (default: the current one)"
    )
    add_selection(parser)
    add_order(parser)
    parser.add_argument(
        "--page-size", metavar="N", type=positive, default=4096,
        help="bytes in a page (default: 4096)",
    )  # fmt: skip
    parser.add_argument(
        "--witness",
        choices=LEVELS,
        help=f"who looks for the caller, and how closely (default: {SECCOMP})",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Write the golden file, or compare with it; return the exit code.

    A command that was run and failed decides it.
    """
    if args.source is not None:
        if args.command:
            raise UsageError("a recording and a command are given", repair="leave one of them out")
        return _conclude(args, find(args.source), args.source)
    words = target.command_words(args, f"{NAME} -o FILE")
    _old(args)  # what can't be read is told before the command runs
    try:
        spawned = Spawned()
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    except OSError as error:
        return complain_of(error, target.EXIT_TOOL_FAILED)
    with spawned as server:
        return _record(args, words, server)


def _record(args: argparse.Namespace, words: list[str], server: Spawned) -> int:
    from tracefs.capture.runner import Options, run_traced  # noqa: PLC0415  # while it imports

    options = Options(
        witness=args.witness or SECCOMP, fall_back=args.witness is None, page_size=args.page_size
    )
    try:
        folder = destination.folder(None, words[0], datetime.now().astimezone(), args.dir)
        with destination.discarded_on_failure(folder):
            argv = [os.fsencode(word) for word in words]
            outcome = run_traced(args.dir, argv, folder, options, target.say, server)
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    except OSError as error:
        return complain_of(error, target.EXIT_TOOL_FAILED)
    try:
        code = _conclude(args, folder, str(folder))
    except TracefsError as error:
        code = complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    return outcome.status or code


def _conclude(args: argparse.Namespace, source: Source, name: str) -> int:
    """Compare with the file that is there, or write it."""
    old = _old(args)
    paths, only = args.path, args.only
    if old is not None and not (paths or only):
        paths, only = old.paths, old.only
    new = load_recording(source, paths, only)
    if new.incomplete is not None:
        return complain(
            f"the recording is incomplete, and so no golden trace: {new.incomplete}",
            None,
            EXIT_UNKNOWN,
        )
    if new.unknown:
        return complain(
            f"{plural(new.unknown, 'call')} could not be named, so that no run can be told to be "
            "equal",
            f"see why: tracefs show --call unknown {name_of(name)}; or leave them out with --path "
            "or --only",
            EXIT_UNKNOWN,
        )
    if old is not None and (old.paths, old.only) == (tuple(paths), tuple(only)):
        found = compare(old, new, Order(args.order))
        if found.outcome is Outcome.EQUAL:
            target.say(f"{args.output}: unchanged, {plural(len(new.entries), 'call')}")
            return 0
        if not args.update:
            # Standard output is the command's.
            text = ComparisonText(name_a=args.output, name_b=name, style=style_for(sys.stderr))
            words = ["tracefs", NAME, "--update", "-o", args.output, "--from", name]
            accept = f"to accept B: {printable(shlex.join(words))}"
            print("\n".join([*text.render(found), accept]), file=sys.stderr)
            return EXIT_CODES[found.outcome]
    elif old is not None and not args.update:
        raise UsageError(
            f"{args.output} has other calls chosen (--path, --only)",
            repair="leave --path and --only out, or write it anew with --update",
        )
    files.save(args.output, new, _REMARKS)
    target.say(f"recorded {plural(len(new.entries), 'call')} in {args.output}")
    return 0


def _old(args: argparse.Namespace) -> Golden | None:
    """Return the golden trace that is there; with --update what can't be read is none.

    Raises:
        UsageError: the file is something else.
        GoldenError: it can't be read.
    """
    try:
        old = golden_file(args.output)
    except GoldenError:
        if args.update:
            return None
        raise
    if old is None and os.path.lexists(args.output):
        if os.path.isfile(args.output) and not os.path.getsize(args.output):
            return None
        raise UsageError(
            f"{args.output} is there and is no golden trace",
            repair="name another file with -o, or remove this one",
        )
    return old
