"""``tracefs prune``: delete old recordings."""

import argparse
from typing import Final

from tracefs.cli import recording
from tracefs.cli.arguments import count
from tracefs.journal.recordings import prune
from tracefs.pathtext import to_text
from tracefs.report.frame import plural
from tracefs.report.quote import printable

NAME: Final = "prune"
HELP: Final = "delete old recordings"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument(
        "--keep", metavar="N", type=count, required=True, help="how many of the newest stay"
    )


def run(args: argparse.Namespace) -> int:
    """Delete, and print what was deleted; return the exit code."""
    deleted = prune(args.keep, recording.base())
    for path in deleted:
        print(printable(to_text(bytes(path))))
    print(f"deleted {plural(len(deleted), 'recording')}")
    return 0
