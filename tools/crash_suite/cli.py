"""The command: explore the cases, or put results into a page."""

import argparse
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from mounting import Guard

from crash_suite import runner, tables
from crash_suite.cases import CASES, Case, Expected
from crash_suite.judging import Result
from crash_suite.runner import CaseError, Recorded

_NOT_INSTALLED: Final = 3


def main(arguments: Sequence[str]) -> int:
    """Do what the command line tells.

    Returns 0 where all is as expected, 1 where something is not, 3 where a program is missing.
    """
    args = _parser().parse_args(arguments)
    if args.into is not None:
        lines = args.out.read_bytes().splitlines()
        results = [msgspec.json.decode(line, type=Result) for line in lines]
        args.into.write_text(tables.put_into(args.into.read_text(), tables.page(results)))
        return 0
    chosen = [
        case
        for case in CASES
        if (case.name in args.only if args.only else case.short or not args.short)
    ]
    if args.missing:
        sources = {one.source for case in chosen for one in case.needs if one.path is None}
        print(*sorted(sources), sep="\n")
        return 0
    args.out.parent.mkdir(parents=True, exist_ok=True)
    guard = Guard()
    try:
        if args.keep is not None:
            return _run(chosen, args, args.keep.resolve(), guard)
        with tempfile.TemporaryDirectory(prefix=".c", dir=args.dir.resolve()) as name:
            return _run(chosen, args, Path(name), guard)
    finally:
        guard.close()


def _run(cases: Sequence[Case], args: argparse.Namespace, work: Path, guard: Guard) -> int:
    status = 0
    options = shlex.split(args.options)
    with args.out.open("ab") as file:
        for case in cases:
            if lacking := runner.missing(case):
                print(f"{case.name}: not installed: {', '.join(lacking)}", flush=True)
                status = status or _NOT_INSTALLED
                continue
            try:
                recorded = runner.record(case, work / case.name, guard)
                if args.record:
                    print(f"{case.name}: recorded; {len(recorded.acks)} acknowledgements, good")
                    continue
                for expected in case.expected:
                    result = runner.explore(recorded, expected, options)
                    file.write(msgspec.json.encode(result) + b"\n")
                    file.flush()
                    _say(result)
                    if result.failures:
                        print(
                            f"     {_again(case, recorded, expected, kept=args.keep is not None)}"
                        )
                    status = 1 if result.wrong else status
            except (CaseError, subprocess.CalledProcessError) as error:
                print(f"{case.name}: ERROR: {error}", flush=True)
                status = 1
    return status


def _say(result: Result) -> None:
    found = ", ".join(f"{loss.value} {count}" for loss, count in sorted(result.found.items()))
    print(
        f"{'FAIL' if result.wrong else 'ok':<5}{result.case:<24}{result.profile:<13}"
        f"{result.states:>6} states {result.seconds:>6.1f} s  {found or 'kept'}",
        flush=True,
    )
    for line in filter(None, (result.wrong, *result.failures)):
        print(f"     {line}", flush=True)


def _again(case: Case, recorded: Recorded, expected: Expected, *, kept: bool) -> str:
    """Return the command that finds it again."""
    if kept:
        return f"tracefs {shlex.join(runner.command(recorded, expected))}"
    return f"python tools/crash_suite --only {case.name} --keep DIR"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crash_suite",
        description="Explore what a power failure may leave of programs of which that is known.",
        epilog="cases:\n" + "\n".join(f"  {case.name:<22} {case.title}" for case in CASES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--missing", action="store_true", help="print what to install, a line each, and end")
    add("--only", type=_names, default=(), metavar="NAMES", help="these alone: git,redb")
    add("--short", action="store_true", help="those alone that `make test` explores")
    add("--record", action="store_true", help="record alone, and ask the checkers about the end")
    add("--options", default="", metavar="TEXT", help="further options of tracefs crash")
    add("--out", type=Path, default=Path("build/crash_suite.jsonl"), metavar="FILE",
        help="where results are added, a line each (build/crash_suite.jsonl)")  # fmt: skip
    add("--into", type=Path, metavar="PAGE", help="run nothing: put the results into this page")
    add("--keep", type=Path, metavar="DIR", help="keep recordings, in this new folder")
    add("--dir", type=Path, default=Path(os.curdir), metavar="DIR",
        help="where to work (default: here)")  # fmt: skip
    return parser


def _names(text: str) -> tuple[str, ...]:
    """Read names of cases, separated by commas."""
    known = {case.name for case in CASES}
    names = tuple(text.split(","))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no case is called {name}")
    return names
