"""``tracefs stats``: count calls, bytes, sync times, rewritten pages and unsynced bytes."""

import argparse
from typing import Final

from tracefs.cli import recording
from tracefs.cli.arguments import count
from tracefs.cli.evidence import Evidence, add_directory
from tracefs.report import stats_text
from tracefs.report.jsonline import line
from tracefs.report.stats import Stats
from tracefs.report.strace import WITHOUT_DURATIONS

NAME: Final = "stats"
HELP: Final = "count calls, bytes, sync times and rewritten pages"
_TOP: Final = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    parser.add_argument(
        "--top",
        metavar="N",
        type=count,
        default=_TOP,
        help="rows of each list (default: %(default)s)",
    )
    parser.add_argument(
        "--histogram", action="store_true", help="how sync times are spread, as bars"
    )
    add_directory(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the figures; return the exit code."""
    source = Evidence(source=recording.find(args.recording), directory=args.dir)
    with source.read() as trace:
        lasting = trace.header.clock not in WITHOUT_DURATIONS
        stats = Stats(recording.page_size(trace.header), args.top, lasting=lasting)
        stats.add_all(trace.items())
        report = stats.report(trace.summary())
    if args.json:
        recording.print_json(line(report))
    else:
        print(
            "\n".join(
                [
                    *(f"# {line}" for line in source.remarks),
                    *stats_text.render(report, histograms=args.histogram),
                ]
            )
        )
    return 0
