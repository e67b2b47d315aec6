"""``tracefs export``: a recording in another format, for another tool."""

import argparse
import os
from collections.abc import Callable
from typing import Final

from tracefs.cli import recording, target
from tracefs.cli.evidence import Evidence
from tracefs.cli.locate import locator
from tracefs.cli.progress import Progress
from tracefs.events import Header
from tracefs.pathtext import printable
from tracefs.report.export import Export
from tracefs.report.export_c import C
from tracefs.report.export_csv import Csv
from tracefs.report.export_fio import Fio
from tracefs.report.export_jsonl import JsonLines
from tracefs.report.export_perfetto import Perfetto
from tracefs.report.export_python import Python
from tracefs.report.frame import plural
from tracefs.report.shell import shell_line
from tracefs.trace import Call
from tracefs.wholefile import whole_file

NAME: Final = "export"
HELP: Final = "write a recording for another tool, or as a program"

Make = Callable[[Header], Export]
_FORMATS: Final[dict[str, tuple[Make, str]]] = {
    "csv": (lambda head: Csv(head.page_size, locator(head.started)), "calls.csv"),
    "jsonl": (lambda head: JsonLines(head.page_size, locator(head.started)), "calls.jsonl"),
    "perfetto": (lambda head: Perfetto(locator(head.started)), "calls.pftrace"),
    "c": (lambda _: C(), "replay.c"),
    "python": (lambda _: Python(), "replay.py"),
    "fio": (lambda _: Fio(), "replay.iolog"),
}
"""Name -> who writes it, and the name of its file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    parser.add_argument("--to", metavar="FORMAT", choices=_FORMATS, required=True,
                        help=", ".join(_FORMATS))  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where it goes (default: a name for each format)"
    )
    parser.add_argument(
        "--dir", metavar="DIR",
        help="of strace text: the directory that counts (default: where the command was run)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write the file; return the exit code: 4 if the format can't say all calls."""
    make, usual = _FORMATS[args.to]
    output = args.output or usual
    source = Evidence(source=recording.find(args.recording), directory=args.dir)
    progress = Progress("export")
    calls = 0
    try:
        with source.read() as trace, whole_file(os.fsencode(output)) as file:
            recording.page_size(trace.header)
            export = make(trace.header)
            file.write(export.begin())
            for item in trace.items():
                if isinstance(item, Call) and item.index >= 0:
                    file.write(export.call(item))
                    calls += 1
                    if not calls & 1023:
                        progress.count("calls", calls)
            summary = trace.summary()
            file.write(export.end(summary))
    finally:
        progress.end()
    for remark in source.remarks:
        target.say(remark)
    target.say(f"wrote {printable(output)}, from {plural(calls, 'call')}")
    if not summary.complete:
        target.say(f"the recording is incomplete: {summary.incomplete_because}")
    if export.left_out:
        target.say(f"{plural(export.left_out, 'call')} left out, which {args.to} can't say")
    target.say(_next(args.to, shell_line([output])))
    return recording.EXIT_UNKNOWN if export.left_out or not summary.complete else 0


def _next(form: str, file: str) -> str:
    """Return what to do with *file*, spelled for a shell."""
    match form:
        case "perfetto":
            return f"next: open {file} at https://ui.perfetto.dev"
        case "c":
            return f"next: cc -O1 -o replay {file} && ./replay DIRECTORY"
        case "python":
            return f"next: python3 {file} DIRECTORY"
        case "fio":
            return f"next: in an empty directory, fio --name=replay --read_iolog={file}"
    return f"next: tracefs report has the same calls to look at; {file} is for other tools"
