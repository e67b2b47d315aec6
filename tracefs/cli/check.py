"""``tracefs check``: say whether a recording keeps a contract."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from msgspec.structs import replace

from tracefs.check import check
from tracefs.cli import recording, verdict_format
from tracefs.cli.arguments import path_glob, positive
from tracefs.cli.evidence import Evidence, add_directory
from tracefs.cli.format_names import TEXT, WITH_FOLDERS
from tracefs.cli.locate import locator
from tracefs.cli.recording import EXIT_UNKNOWN
from tracefs.contracts.base import Contract
from tracefs.events import Header
from tracefs.findings import CheckResult, Finding, Verdict
from tracefs.report.strace import UNTIMED, WITHOUT_DURATIONS, CallLines
from tracefs.report.style import PLAIN, Style, style_for
from tracefs.report.verdict import VerdictText, written_out
from tracefs.trace import Call

NAME: Final = "check"
HELP: Final = "say whether a recording keeps a contract"
DEFAULT: Final = "page-write"

EXIT_BROKEN: Final = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    add_asked(parser)
    add_directory(parser, "to judge")
    verdict_format.add_arguments(parser)


def add_asked(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take what is asked: contracts, page size, rules left out, files."""
    parser.add_argument(
        "--contract",
        metavar="NAME",
        action="append",
        help=f"contract to hold: a built-in one, or a contract file (default: {DEFAULT})",
    )
    parser.add_argument(
        "--page-size", metavar="N", type=positive, help="bytes in a page (default: as recorded)"
    )
    parser.add_argument(
        "--without", metavar="RULE", action="append", default=[], help="leave this rule out"
    )
    parser.add_argument(
        "--path",
        metavar="GLOB",
        type=path_glob,
        action="append",
        default=[],
        help="only files with paths like GLOB",
    )


def run(args: argparse.Namespace) -> int:
    """Print the verdict; return the exit code."""
    return judge(
        args.recording,
        args.contract or [DEFAULT],
        page_size=args.page_size,
        without=args.without,
        paths=args.path,
        directory=args.dir,
        form=args.format,
        output=args.output,
    )


def judge(
    name: str | None,
    contracts: Sequence[str | Contract],
    *,
    page_size: int | None = None,
    without: Sequence[str] = (),
    paths: Sequence[str] = (),
    directory: str | None = None,
    form: str = TEXT,
    output: str | None = None,
    file: TextIO | None = None,
) -> int:
    """Judge the recording *name* (None: the latest), print the answer, return the exit code.

    Args:
        name: as `tracefs.journal.recordings.resolve` takes it.
        contracts: names, files or contracts; at least one.
        page_size: bytes; None: as recorded.
        without: rules to leave out.
        paths: globs that choose files; none: all.
        directory: of strace text, the only one to judge; None: where the command was run.
        form: one of `tracefs.report.formats.FORMATS`.
        output: file to write the answer to, whole or not at all; None: it is printed.
        file: where to print; None: standard output.

    Raises:
        UsageError: there is no such contract or rule, or a contract file can't be understood.
        RecordingError: the recording can't be found or read, or *output* can't be written.
    """
    source = Evidence(source=recording.find(name), directory=directory, paths=paths)
    if output is not None:
        recording.require_apart(output, source.source)
    with source.read() as trace:
        header = trace.header
        result = check(trace, contracts, page_size=page_size, without=without, paths=paths)
    if form == TEXT:
        style = PLAIN if output else style_for(file or sys.stdout)
        text = _text(source, result, page_size or header.page_size, header, style)
        verdict_format.put(text, output, file, locale=True)
    else:
        if header.notified:
            calls = _calls(source, _wanted(result))
            folders = form in WITH_FOLDERS
            result = located(result, calls, header.started, folders=folders)
        verdict_format.put(verdict_format.rendered(result, form, os.environ), output, file)
    return exit_code(result)


def judged(
    name: str,
    contracts: Sequence[str | Contract],
    *,
    without: Sequence[str] = (),
    paths: Sequence[str] = (),
) -> CheckResult:
    """Return what *contracts* say of the recording *name*, with the source of what is written out.

    Raises:
        UsageError: there is no such contract or rule.
        RecordingError: the recording can't be found or read.
    """
    source = Evidence(source=recording.find(name), paths=paths)
    with source.read() as trace:
        started = trace.header.started
        result = check(trace, contracts, without=without, paths=paths)
    return located(result, _calls(source, _wanted(result)), started)


def located(
    result: CheckResult, calls: Mapping[int, Call], started: str, *, folders: bool = False
) -> CheckResult:
    """Return *result* with the source of each finding whose call's stack is in *calls*.

    *started* is when the recording began, as its header says; *folders*: see `locator`.
    """
    locate = locator(started, folders=folders)

    def find(finding: Finding) -> Finding:
        call = None if finding.call is None else calls.get(finding.call)
        return finding if call is None else replace(finding, source=locate(call))

    contracts = tuple(
        replace(contract, findings=tuple(map(find, contract.findings)))
        for contract in result.contracts
    )
    return replace(result, contracts=contracts)


def _text(
    source: Evidence,
    result: CheckResult,
    page_size: int,
    header: Header,
    style: Style,
) -> str:
    timed = header.clock != UNTIMED
    lasting = header.clock not in WITHOUT_DURATIONS
    lines = CallLines(
        start_ns=header.start_ns, page_size=page_size, style=style, timed=timed, lasting=lasting
    )
    calls = _calls(source, _wanted(result))
    result = located(result, calls, header.started)
    text = VerdictText(seen=calls, lines=lines, style=style)
    return "".join(f"{line}\n" for line in (*text.render(result), *source.remarks))


def exit_code(result: CheckResult) -> int:
    """Return 0 for kept, 1 for broken, 4 for unknown or a recording that is incomplete."""
    if result.verdict is Verdict.BROKEN:
        return EXIT_BROKEN
    if result.verdict is Verdict.UNKNOWN or not result.trace.complete:
        return EXIT_UNKNOWN
    return 0


def _wanted(result: CheckResult) -> frozenset[int]:
    findings = (finding for contract in result.contracts for finding in written_out(contract))
    return frozenset(finding.call for finding in findings if finding.call is not None)


def _calls(source: Evidence, wanted: frozenset[int]) -> dict[int, Call]:
    """Return the calls with the indices *wanted*, from a second pass: the first keeps none."""
    seen: dict[int, Call] = {}
    if not wanted:
        return seen
    with source.again() as trace:
        for item in trace.items():
            if isinstance(item, Call) and item.index in wanted:
                seen[item.index] = item
                if len(seen) == len(wanted):
                    break
    return seen
