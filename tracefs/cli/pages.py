"""``tracefs pages``: the pages of one file, drawn."""

import argparse
import sys
from typing import Final

from tracefs.cli import recording, target
from tracefs.cli.arguments import count, path_text
from tracefs.cli.evidence import Evidence, add_directory
from tracefs.errors import UsageError
from tracefs.pathtext import printable
from tracefs.report import frame
from tracefs.report.jsonline import line
from tracefs.report.pagemap import PageMapper, drawn
from tracefs.report.style import style_for

NAME: Final = "pages"
HELP: Final = "draw the pages of a file: written, synced or not"
_SUGGESTED: Final = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("recording", metavar="RECORDING", help="a recording, or strace's text")
    parser.add_argument("file", metavar="FILE", type=path_text, help="path as tracefs show has it")
    parser.add_argument(
        "--call", metavar="N", type=count, help="as it was after call N (default: the last)"
    )
    parser.add_argument(
        "--times", action="store_true", help="how often each was written, and not whether synced"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_directory(parser)


def run(args: argparse.Namespace) -> int:
    """Print the map; return the exit code."""
    source = Evidence(source=recording.find(args.recording), directory=args.dir)
    with source.read() as trace:
        mapper = PageMapper(args.file, recording.page_size(trace.header), args.call)
        mapper.add_all(trace.items())
        summary = trace.summary()
    for remark in source.remarks:
        target.say(remark)
    found = mapper.map()
    if found is None and mapper.first is not None:
        raise UsageError(
            f"up to call {args.call} none is about {printable(args.file)}",
            repair=f"the first one is call {mapper.first}",
        )
    if found is None:
        written = ", ".join(printable(path) for path, _ in mapper.written.most_common(_SUGGESTED))
        raise UsageError(
            f"no call is about {printable(args.file)}",
            repair=f"name a file that was written: {written or 'none was'}",
        )
    if args.json:
        recording.print_json(line(found))
    else:
        print("\n".join(drawn(found, style_for(sys.stdout).paint, times=args.times)))
        if not summary.complete or summary.unknown_calls:
            print(frame.foot(summary))
    followed = not (found.not_followed or found.unsynced_not_followed)
    return 0 if summary.complete and followed else recording.EXIT_UNKNOWN
