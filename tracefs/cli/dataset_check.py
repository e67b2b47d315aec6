"""``tracefs dataset check``: say of each recording in a dataset whether it keeps a contract."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.check import require
from tracefs.cli import recording, target
from tracefs.cli.arguments import positive
from tracefs.cli.check import DEFAULT, EXIT_BROKEN, add_asked, exit_code
from tracefs.cli.progress import Progress
from tracefs.contracts import find_all, is_file
from tracefs.errors import RecordingError, UsageError
from tracefs.findings import ContractResult, Severity, TraceSummary, Verdict
from tracefs.index.checking import Asked, Checked
from tracefs.index.dataset import keep
from tracefs.index.partition import folders, name_of
from tracefs.index.workers import Outcome, outcomes
from tracefs.pathtext import printable
from tracefs.report.finding import heading
from tracefs.report.frame import plural
from tracefs.report.jsonline import line
from tracefs.report.shell import shell_line

_NAMED: Final = 5
"""Recordings that a message names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("dataset", metavar="DIR", type=Path)
    add_asked(parser)
    parser.add_argument(
        "--recording", metavar="GLOB", action="append", default=[],
        help="only recordings with names like GLOB",
    )  # fmt: skip
    parser.add_argument("--keep", action="store_true",
                          help="put what is said into the table verdicts")  # fmt: skip
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=positive, default=os.cpu_count() or 1,
        help="recordings checked at once (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="have the workers of this Dask scheduler check"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Say what contracts say of each recording; return the exit code."""
    asked = _asked(args)
    there = folders(args.dataset)
    if not there:
        raise UsageError(
            f"there is no dataset in {printable(str(args.dataset))}", repair="tracefs dataset add"
        )
    chosen = [
        folder for folder in there
        if not args.recording or any(fnmatchcase(name_of(folder), glob) for glob in args.recording)
    ]  # fmt: skip
    if not chosen:
        names = ", ".join(printable(name_of(folder)) for folder in there[:_NAMED])
        raise UsageError(
            f"{printable(str(args.dataset))} has no recording like "
            f"{' or '.join(map(printable, args.recording))}",
            repair=f"it has {names}{', ...' if len(there) > _NAMED else ''}",
        )
    tally = _Tally()
    found = outcomes(chosen, asked, jobs=args.jobs, scheduler=args.scheduler)
    with Progress("dataset check") as progress:
        for folder, outcome in zip(chosen, found, strict=True):
            progress(tally.recordings, len(chosen))
            tally.count(outcome)
            if args.keep:
                _keep(folder, outcome)
            progress.end()
            if args.format == "json":
                recording.print_json(line(_json(outcome)))
            else:
                print("\n".join(_text(outcome)))
    if args.format == "text":
        # Before what is said on standard error, also where both are one file.
        print(tally.line(), flush=True)
    if tally.exit_code:
        target.say(
            f"next: tracefs dataset check {shell_line([str(args.dataset)])} --recording NAME "
            "--format json has every finding"
        )
    return tally.exit_code


def _keep(folder: Path, outcome: Outcome) -> None:
    if not isinstance(outcome, Checked):
        return
    try:
        keep(folder, outcome.result)
    except OSError as error:
        raise RecordingError(f"the verdicts can't be kept: {error.strerror}") from error


def _asked(args: argparse.Namespace) -> Asked:
    names = args.contract or [DEFAULT]
    if args.keep and (args.without or args.path or args.page_size):
        raise UsageError(
            "the table verdicts has what whole contracts say of all files",
            repair="leave out --keep, or --without, --path and --page-size",
        )
    # Before there are processes that would all say the same.
    require([each for name in names for each in find_all(name)], args.page_size, args.without)
    return Asked(
        # Workers may have another working directory.
        contracts=tuple(os.path.abspath(name) if is_file(name) else name for name in names),
        page_size=args.page_size,
        without=tuple(args.without),
        paths=tuple(args.path),
    )


class _Judged(Struct, frozen=True, kw_only=True):
    """A recording's line of JSON: as of ``tracefs check --json``, with its name."""

    recording: str
    verdict: Verdict
    contracts: tuple[ContractResult, ...]
    trace: TraceSummary


class _NotJudged(Struct, frozen=True, kw_only=True):
    """The line of one that could not be judged."""

    recording: str
    error: str
    repair: str | None


def _json(outcome: Outcome) -> _Judged | _NotJudged:
    if not isinstance(outcome, Checked):
        return _NotJudged(recording=outcome.recording, error=outcome.why, repair=outcome.repair)
    result = outcome.result
    return _Judged(
        recording=outcome.recording,
        verdict=result.verdict,
        contracts=result.contracts,
        trace=result.trace,
    )


def _text(outcome: Outcome) -> Iterator[str]:
    name = printable(outcome.recording)
    if not isinstance(outcome, Checked):
        yield f"not judged  {name}: {printable(outcome.why)}"
        if outcome.repair is not None:
            yield f"  repair: {printable(outcome.repair)}"
        return
    for contract in outcome.result.contracts:
        counted = [each for each in contract.findings if each.severity is Severity.ERROR]
        yield f"{contract.verdict:<10}  {name}  {printable(contract.id)}"
        # What a verdict rests on first.
        counted.sort(key=lambda each: each.verdict is not Verdict.BROKEN)
        for first in counted[:1]:
            yield f"  {heading(first)}"
            yield f"  {printable(first.message)}"
            yield f"  repair: {printable(first.repair)}"
        if len(counted) > 1:
            yield f"  and {plural(len(counted) - 1, 'more finding')}"


class _Tally:
    """What was said of all recordings so far."""

    def __init__(self) -> None:
        self.exit_code = 0
        self._calls = 0
        self._verdicts: Counter[Verdict | None] = Counter()

    @property
    def recordings(self) -> int:
        """How many there were."""
        return self._verdicts.total()

    def count(self, outcome: Outcome) -> None:
        """Take the next; the gravest exit code counts: one that was not judged is an error."""
        if isinstance(outcome, Checked):
            self._verdicts[outcome.result.verdict] += 1
            self._calls += outcome.result.trace.calls
            code = exit_code(outcome.result)
        else:
            self._verdicts[None] += 1
            code = RecordingError.exit_code
        self.exit_code = max(self.exit_code, code, key=_GRAVITY.index)

    def line(self) -> str:
        """Return the last line of text."""
        parts = [f"{self._verdicts[each]} {each}" for each in Verdict if self._verdicts[each]]
        if self._verdicts[None]:
            parts.append(f"{self._verdicts[None]} not judged")
        counted = f"{plural(self.recordings, 'recording')}, {plural(self._calls, 'call')}"
        return f"# {counted}: {', '.join(parts)}"


_GRAVITY: Final = (0, recording.EXIT_UNKNOWN, EXIT_BROKEN, RecordingError.exit_code)
"""Exit codes, the gravest last."""
