"""``tracefs index``: make a copy of a recording's calls that filters are quick on."""

import argparse
from typing import Final

from tracefs.cli import recording
from tracefs.cli.progress import Progress
from tracefs.errors import RecordingError
from tracefs.index.build import build
from tracefs.index.card import Unusable
from tracefs.journal.format import CARD, TABLE
from tracefs.report.frame import plural

NAME: Final = "index"
HELP: Final = "copy a recording's calls to where filters are quick"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.description = (
        f"Copy the calls of a recording into a table beside its journal ({TABLE} and {CARD}). "
        "tracefs show with a filter then reads that, and prints the same."
    )
    parser.add_argument(
        "recording",
        metavar="RECORDING",
        nargs="?",
        help="a recording's folder or name (default: the latest recording)",
    )


def run(args: argparse.Namespace) -> int:
    """Make the index anew; return the exit code."""
    source = recording.folder(args.recording, "an index")
    progress = Progress("reading")
    try:
        card = build(source, progress)
    except Unusable as error:
        raise RecordingError(str(error)) from error
    finally:
        progress.end()
    mib = card.table.size / (1 << 20)
    print(f"{plural(card.summary.calls, 'call')} in {TABLE}, {mib:.1f} MiB")
    return 0
