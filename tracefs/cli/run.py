"""``tracefs run``: run a command and record what it does to its files."""

import argparse
from typing import Final

from tracefs.capture.spawn import Spawned
from tracefs.cli import target
from tracefs.cli.format_names import FORMATS, TEXT
from tracefs.cli.main import complain, complain_of
from tracefs.errors import TracefsError
from tracefs.witness.level_names import LEVELS, SECCOMP

NAME: Final = "run"
HELP: Final = "run a command and record what it does to its files"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.usage = "tracefs run [OPTION]... [--] COMMAND [ARG]..."
    parser.add_argument(
        "--dir", metavar="DIR", default=".", help="directory to trace (default: the current one)"
    )
    target.add_arguments(parser)
    parser.add_argument(
        "--witness",
        choices=LEVELS,
        help=f"who looks for the caller, and how closely (default: {SECCOMP})",
    )
    parser.add_argument(
        "--contract",
        metavar="NAME",
        action="append",
        default=[],
        help="judge at the end by a built-in contract or a contract file; "
        "exit 1 if only the contract is broken",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default=TEXT, help=f"form of the verdict (default: {TEXT})"
    )
    parser.add_argument(
        "--verdict", metavar="FILE", help="write the verdict to FILE, whole or not at all"
    )
    parser.add_argument(
        "--ack-stdout",
        action="store_true",
        help="record each line of standard output as an acknowledgement, before passing it on",
    )
    parser.add_argument(
        "--visible",
        action="store_true",
        help="mount for everybody, not for the command alone; other processes are recorded too",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing unless it fails")
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code, or what the judgement makes of it."""
    words = target.command_words(args, NAME)
    try:
        spawned = Spawned()
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    except OSError as error:
        return complain_of(error, target.EXIT_TOOL_FAILED)
    with spawned as server:
        # The server's process imports meanwhile, on another core.
        from tracefs.cli.running import run as run_traced  # noqa: PLC0415

        return run_traced(args, words, server)
