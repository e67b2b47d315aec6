"""What the commands that record share: what to run, and how to record it."""

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING, Final

from tracefs.cli import faults
from tracefs.cli.arguments import positive
from tracefs.errors import UsageError
from tracefs.pathtext import printable

if TYPE_CHECKING:
    from tracefs.capture.runner import Options

EXIT_TOOL_FAILED: Final = 125
"""As timeout(1): tracefs itself failed, the command was not run or not traced to its end."""


def command_words(args: argparse.Namespace, name: str) -> list[str]:
    """Return the command to run, for the subcommand *name*.

    Raises:
        UsageError: there is none.
    """
    words: list[str] = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not words:
        raise UsageError("no command to run", repair=f"tracefs {name} -- COMMAND ARG…")
    return words


def say(line: str) -> None:
    """Tell the user, beside what the command says; a terminal or pipe may be gone by then."""
    with contextlib.suppress(OSError):
        print(f"tracefs: {printable(line)}", file=sys.stderr, flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how to record and where to."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="folder to record into (default: a new one in the state directory)",
    )
    parser.add_argument(
        "--page-size",
        metavar="N",
        type=positive,
        default=4096,
        help="bytes in a page (default: 4096)",
    )
    parser.add_argument(
        "--direct-io",
        action="store_true",
        help="pass every read and write on as it is; no shared mappings then",
    )
    faults.add_arguments(parser)
    parser.add_argument("--payload", action="store_true", help="keep the bytes written")
    parser.add_argument("--hash", action="store_true", help="keep a hash of the bytes written")
    parser.add_argument(
        "--all", action="store_true", help="record requests that only ask, too: lookup, getattr…"
    )


def options(
    args: argparse.Namespace,
    *,
    default_witness: str,
    visible: bool = False,
    stacks: tuple[str, ...] = (),
) -> "Options":
    """Return how to record.

    Args:
        args: as parsed.
        default_witness: level for who named none; given up for the next lower one if need be.
        visible: mount for everybody.
        stacks: calls whose stacks are kept, where the witness is notified of any.
    """
    from tracefs.capture.runner import Options  # noqa: PLC0415  # the server starts first

    witness = args.witness or default_witness
    return Options(
        direct_io=args.direct_io,
        witness=witness,
        fall_back=args.witness is None,
        stacks=stacks,
        queries=args.all,
        payload=args.payload,
        digests=args.hash,
        page_size=args.page_size,
        visible=visible,
        faults=faults.rules(args, witness=witness),
    )
