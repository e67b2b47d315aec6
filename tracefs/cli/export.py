"""``tracefs export``: a recording in another format, for another tool."""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.check import Trace as AnyTrace
from tracefs.cli import recording, target
from tracefs.cli.arguments import output_file
from tracefs.cli.evidence import Evidence, add_directory
from tracefs.cli.locate import locator
from tracefs.cli.progress import Progress
from tracefs.errors import UsageError
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.pathtext import printable
from tracefs.report.export import Export, Learning
from tracefs.report.export_c import C
from tracefs.report.export_csv import Csv
from tracefs.report.export_fio import Fio
from tracefs.report.export_jsonl import JsonLines
from tracefs.report.export_perfetto import Perfetto
from tracefs.report.export_python import Python
from tracefs.report.export_strace import Strace
from tracefs.report.frame import plural
from tracefs.report.shell import shell_line
from tracefs.trace import Call
from tracefs.trace.call import TraceItem
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
    "strace": (Strace, "calls.strace"),
    "fio": (lambda _: Fio(), "replay.iolog"),
}
"""Name -> who writes it, and the name of its file."""
_PROGRAMS: Final = ("c", "python")
_PARQUET: Final = "parquet"
_ALL: Final = (*_FORMATS, _PARQUET)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    parser.add_argument("--to", metavar="FORMAT", choices=_ALL, required=True,
                        help=", ".join(_ALL))  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=output_file,
        help="where it goes (default: a name for each format; - is standard output)",
    )  # fmt: skip
    parser.add_argument(
        "--by-file", action="store_true",
        help="of parquet: a folder with a table for each traced file",
    )  # fmt: skip
    add_directory(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file; return the exit code: 4 if the format can't say all calls."""
    source = Evidence(source=recording.find(args.recording), directory=args.dir)
    if args.by_file and args.to != _PARQUET:
        raise UsageError("--by-file is for parquet", repair="leave it out, or add --to parquet")
    write = _tables if args.to == _PARQUET else _file
    with Progress("export") as progress:
        wrote = write(args, source, progress)
    for remark in source.remarks:
        target.say(remark)
    target.say(f"wrote {printable(wrote.output)}, from {plural(wrote.calls, 'call')}")
    if not wrote.summary.complete:
        target.say(f"the recording is incomplete: {wrote.summary.incomplete_because}")
    if wrote.left_out:
        left = plural(wrote.left_out, "call")
        target.say(
            f"{left} left out: the end of {printable(wrote.output)} says why"
            if args.to in _PROGRAMS
            else f"{left} left out, which {args.to} can't say"
        )
    target.say(_next(args, wrote.output))
    if args.to in _PROGRAMS:
        target.say("DIRECTORY: the traced one as it was before, or an empty one if it was empty")
    return recording.EXIT_UNKNOWN if wrote.left_out or not wrote.summary.complete else 0


class _Wrote(Struct, frozen=True, kw_only=True):
    """What was written."""

    output: str
    calls: int
    summary: TraceSummary
    left_out: int = 0


def _file(args: argparse.Namespace, source: Evidence, progress: Progress) -> _Wrote:
    make, usual = _FORMATS[args.to]
    output = args.output or usual
    recording.require_apart(output, source.source)
    with source.read() as trace:
        recording.page_size(trace.header)
        export = make(trace.header)
        if not isinstance(export, Learning):
            return _written(trace, export, output, progress)
        export.learn(_counted(trace, progress))
    with source.again() as trace:
        return _written(trace, export, output, progress)


def _written(trace: AnyTrace, export: Export, output: str, progress: Progress) -> _Wrote:
    calls = 0
    with whole_file(os.fsencode(output)) as file:
        file.write(export.begin())
        for call in _calls(trace, progress):
            file.write(export.call(call))
            calls += 1
        summary = trace.summary()
        file.write(export.end())
    return _Wrote(output=output, calls=calls, summary=summary, left_out=export.left_out)


def _tables(args: argparse.Namespace, source: Evidence, progress: Progress) -> _Wrote:
    # DuckDB is an extra, and takes a tenth of a second.
    from tracefs.index.card import Unusable  # noqa: PLC0415
    from tracefs.index.parquet import write_parquet  # noqa: PLC0415

    output = args.output or ("calls" if args.by_file else "calls.parquet")
    recording.require_apart(output, source.source)
    with source.read() as trace:
        recording.page_size(trace.header)
        shown = _Shown(trace, progress)
        try:
            write_parquet(shown, Path(output), by_file=args.by_file)
        except Unusable as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            # Not the temporary file beside it, which the error names.
            raise OSError(error.errno, error.strerror, output) from None
        summary = trace.summary()
    return _Wrote(output=output, calls=summary.calls, summary=summary)


class _Shown:
    """The calls of a trace, counted on a terminal as they go by."""

    def __init__(self, trace: AnyTrace, progress: Progress) -> None:
        self._trace, self._progress = trace, progress

    def items(self) -> Iterator[TraceItem]:
        """See `tracefs.index.build.Items`."""
        return iter(_calls(self._trace, self._progress))


def _calls(trace: AnyTrace, progress: Progress) -> Iterator[Call]:
    for item in _counted(trace, progress):
        if isinstance(item, Call) and item.index >= 0:
            yield item


def _counted(trace: AnyTrace, progress: Progress) -> Iterator[TraceItem]:
    calls = 0
    for item in trace.items():
        yield item
        if isinstance(item, Call) and item.index >= 0:
            calls += 1
            if not calls & 1023:
                progress.count("calls", calls)


def _next(args: argparse.Namespace, output: str) -> str:
    """Return what to do with the file *output*, as can be typed."""
    file = shell_line([output])
    match args.to:
        case "perfetto":
            return f"next: open {file} at https://ui.perfetto.dev"
        case "c":
            return f"next: cc -O1 -o replay {file} && ./replay DIRECTORY"
        case "python":
            return f"next: python3 {file} DIRECTORY"
        case "fio":
            words = shell_line(["fio", "--name=replay", f"--read_iolog={os.path.abspath(output)}"])
            return f"next: in an empty directory, {words}"
        case "parquet":
            files = f"{output}/*/*.parquet" if args.by_file else output
            # DuckDB comes without its own command; and in double quotes this needs no escapes.
            look = f"import duckdb; print(duckdb.read_parquet({json.dumps(files)}))"
            return f"next: {shell_line(['python3', '-c', look])}"
    return f"next: tracefs report has the same calls to look at; {file} is for other tools"
