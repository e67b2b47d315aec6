"""``tracefs report``: a recording as one page to look at."""

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tracefs.check import check
from tracefs.cli import recording, target
from tracefs.cli.arguments import output_file
from tracefs.cli.check import located
from tracefs.cli.evidence import Evidence, add_directory
from tracefs.cli.locate import locator
from tracefs.cli.progress import Progress
from tracefs.events import Header
from tracefs.findings import CheckResult
from tracefs.pathtext import printable
from tracefs.report import frame
from tracefs.report.report_data import Collector
from tracefs.report.report_html import View, page
from tracefs.report.shell import shell_line
from tracefs.report.strace import UNTIMED, WITHOUT_DURATIONS
from tracefs.trace import Call, TraceItem
from tracefs.wholefile import write_whole

NAME: Final = "report"
HELP: Final = "make a page of a recording, to look at"
_DEFAULT: Final = "report.html"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=output_file, default=_DEFAULT,
        help=f"where the page goes (default: {_DEFAULT})",
    )  # fmt: skip
    parser.add_argument(
        "--contract", metavar="NAME", action="append", default=[],
        help="show what this contract finds: a built-in one, or a contract file",
    )  # fmt: skip
    add_directory(parser, "to show")


def run(args: argparse.Namespace) -> int:
    """Write the page; return the exit code: 4 if the recording is incomplete."""
    source = Evidence(source=recording.find(args.recording), directory=args.dir)
    recording.require_apart(args.output, source.source)
    result = _judged(source, args.contract)
    wanted = _called(result)
    found: dict[int, Call] = {}
    with (
        Progress("report") as progress,
        source.read() if result is None else source.again() as trace,
    ):
        header = trace.header
        collector = Collector(
            header.start_ns,
            recording.page_size(header),
            timed=header.clock != UNTIMED,
            lasting=header.clock not in WITHOUT_DURATIONS,
            locate=locator(header.started),
        )
        collector.add_all(
            _noted(trace.items(), wanted, found), lambda done: progress.count("calls", done)
        )
        summary = trace.summary()
    view = View(
        name=_name(args.recording, source, header),
        head=tuple(frame.head(header)),
        result=None if result is None else located(result, found, header.started),
        summary=summary,
        remarks=tuple(source.remarks),
        data=collector.data(),
    )
    text = page(view).encode()
    write_whole(os.fsencode(args.output), text)
    for remark in source.remarks:
        target.say(remark)
    target.say(f"wrote {printable(args.output)}: {frame.calls(summary)}, {len(text):,} bytes")
    if not summary.complete:
        target.say(f"the recording is incomplete: {summary.incomplete_because}")
    target.say(f"next: open it in a browser, xdg-open {shell_line([args.output])}")
    return 0 if summary.complete else recording.EXIT_UNKNOWN


def _judged(source: Evidence, contracts: list[str]) -> CheckResult | None:
    if not contracts:
        return None
    with source.read() as trace:
        return check(trace, contracts)


def _called(result: CheckResult | None) -> frozenset[int]:
    """Return the calls that findings name: where they were made is to be found out."""
    contracts = () if result is None else result.contracts
    found = (finding.call for contract in contracts for finding in contract.findings)
    return frozenset(call for call in found if call is not None)


def _noted(
    items: Iterable[TraceItem], wanted: frozenset[int], found: dict[int, Call]
) -> Iterator[TraceItem]:
    """Yield *items*, and put the *wanted* calls into *found*."""
    for item in items:
        if isinstance(item, Call) and item.index in wanted:
            found[item.index] = item
        yield item


def _name(name: str | None, source: Evidence, header: Header) -> str:
    if source.source == "-":
        return "standard input"
    return name or Path(source.source).name or header.started
