"""``tracefs torture``: run a command with a fault at each of its calls, one at a time."""

import argparse
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from tracefs import __version__
from tracefs.cli import target
from tracefs.cli.arguments import path_glob, positive
from tracefs.cli.progress import Progress
from tracefs.cli.torture_folder import folder
from tracefs.contracts import find_all, names
from tracefs.errors import MountError, UsageError
from tracefs.report.style import style_for
from tracefs.report.torture import table
from tracefs.report.torture_json import lines
from tracefs.torture import kinds
from tracefs.torture.checker import PLACE
from tracefs.torture.plan import Asked
from tracefs.torture.results import Results
from tracefs.tortures import Outcome, Report
from tracefs.trials.content import content_hash
from tracefs.witness.level_names import LEVELS, PROC

if TYPE_CHECKING:
    from tracefs.torture.campaign import Made

NAME: Final = "torture"
HELP: Final = "run a command with a fault at each of its calls"

EXIT_FAILED: Final = 1
EXIT_UNKNOWN: Final = 4
EXIT_INTERRUPTED: Final = 128 + signal.SIGINT
_MOST_RUNS: Final = 1000
"""With --pairs, where nobody says how many."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.usage = "tracefs torture [OPTION]... -- COMMAND [ARG]..."
    _add_faults(parser)
    _add_judges(parser)
    parser.add_argument(
        "--dir", metavar="DIR", default=".",
        help="directory to trace, in a fresh copy each time (default: the current one)",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", metavar="S", type=positive,
        help="seconds after which a run is hung (default: 10 times a run without a fault, "
        "at least 5)",
    )  # fmt: skip
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=positive, default=2 * (os.cpu_count() or 1),
        help="runs at once (default: two for each processor, for they wait for the disk)",
    )  # fmt: skip
    parser.add_argument(
        "--witness", choices=LEVELS, help=f"who looks for the caller, as for run (default: {PROC})"
    )
    parser.add_argument(
        "--page-size", metavar="N", type=positive, default=4096, help="bytes in a page"
    )
    parser.add_argument(
        "--keep",
        metavar="DIR",
        help="new folder for what did not pass: recording, directory, output",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="write each result to FILE at once; an interrupted command goes on from it",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="form of the answer"
    )
    parser.add_argument("--all", action="store_true", help="show the runs that passed, too")
    parser.add_argument("-q", "--quiet", action="store_true", help="no word of what is under way")
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def _add_faults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--faults", metavar="NAME[,NAME]", default=",".join(kinds.DEFAULT),
        help=f"faults to make: errors, short, ext4-ordered… (default: {','.join(kinds.DEFAULT)})",
    )  # fmt: skip
    parser.add_argument(
        "--calls",
        metavar="NAME[,NAME]",
        default="",
        help="only at these calls or families of calls",
    )
    parser.add_argument(
        "--path", metavar="GLOB", type=path_glob, action="append", default=[],
        help="only at calls on paths like GLOB",
    )  # fmt: skip
    parser.add_argument(
        "--pairs", action="store_true", help="also a second fault at each call after the first"
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive,
        help=f"make N runs at most, chosen by --seed (default: all; with --pairs {_MOST_RUNS})",
    )  # fmt: skip
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="chooses the runs (default: 0)"
    )


def _add_judges(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--check", metavar="CMD",
        help="command for sh that ends with 0 if all is well with the directory {dir}",
    )  # fmt: skip
    parser.add_argument(
        "--contract", metavar="NAME", action="append", default=[],
        help="contract to hold in each run, beside those about the faults",
    )  # fmt: skip
    parser.add_argument(
        "--check-only", action="store_true", help="judge by --check and --contract alone"
    )


def run(args: argparse.Namespace) -> int:
    """Make all runs and print what came of them; return the exit code."""
    words = target.command_words(args, "torture")
    words, check = _check_at_end(words, args.check)
    _require_place(check)
    if args.check_only and check is None and not args.contract:
        raise UsageError("there is nothing to judge by", repair="name a --check or a --contract")
    directory = _directory(args.dir)
    asked = _asked(args, words, check, directory)
    results = nullcontext() if args.output is None else Results.open(args.output, asked)
    with results as file, folder(args.keep, directory) as work:
        made = _make(args, asked, directory, work, file)
    report = Report(
        command=tuple(words),
        directory=args.dir,
        check=check,
        rows=made.rows,
        coverage=made.coverage,
        remarks=made.remarks,
    )
    _print(report, args)
    if made.interrupted:
        _tell_interrupted(args.output)
        return EXIT_INTERRUPTED
    return exit_code(report)


def exit_code(report: Report) -> int:
    """Return 0 if all passed, 1 if one failed or hung, 4 if it can't be told of one."""
    outcomes = {row.result.outcome for row in report.rows}
    if outcomes & {Outcome.FAILED, Outcome.HUNG}:
        return EXIT_FAILED
    return EXIT_UNKNOWN if Outcome.UNKNOWN in outcomes else 0


def _make(
    args: argparse.Namespace, asked: Asked, directory: Path, work: Path, results: Results | None
) -> "Made":
    # It imports what serves mounts, which help needs not.
    from tracefs.torture.attempt import Order  # noqa: PLC0415
    from tracefs.torture.campaign import Campaign  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    order = Order(
        command=asked.command,
        directory=directory,
        # Read now: the command may change the files that they stand in.
        contracts={name: find_all(name) for name in (*asked.contracts, *asked.by_fault)},
        held=asked.contracts,
        check=asked.check,
        limit_s=0.0,
        page_size=asked.page_size,
        witness=asked.witness,
        fall_back=args.witness is None,
        keeps=args.keep is not None,
        pairs=asked.pairs,
    )
    with Progress("torture") as progress:

        def shown(done: int, total: int) -> None:
            if not args.quiet:
                progress(done, total)

        return Campaign(asked, order, work, args.jobs, results, shown).make()


def _print(report: Report, args: argparse.Namespace) -> None:
    if args.format == "json":
        printed = lines(report)
    else:
        printed = table(report, passed=args.all, style=style_for(sys.stdout))
    for line in printed:
        print(line)


def _asked(
    args: argparse.Namespace,
    words: list[str],
    check: str | None,
    directory: Path,
) -> Asked:
    files = [name for name in args.contract if os.path.exists(name)]
    about = sorted({kinds.AT_SYNC, *kinds.CONTRACTS.values()} & set(names()))
    return Asked(
        command=tuple(words),
        directory=str(directory),
        content=""
        if args.output is None
        else content_hash(str(directory), [*words, *files], check),
        check=check,
        contracts=tuple(args.contract),
        by_fault=() if args.check_only else tuple(about),
        faults=kinds.chosen(args.faults),
        calls=kinds.calls(args.calls),
        paths=tuple(args.path),
        pairs=args.pairs,
        limit=args.limit or (_MOST_RUNS if args.pairs else None),
        seed=args.seed,
        page_size=args.page_size,
        limit_s=args.timeout,
        witness=args.witness or PROC,
        tool=f"tracefs {__version__}",
    )


def _check_at_end(words: list[str], check: str | None) -> tuple[list[str], str | None]:
    """Take ``--check 'CMD {dir}'`` from the end of the command, where some will write it."""
    if check is None and len(words) > 2 and words[-2] == "--check" and PLACE in words[-1]:
        return words[:-2], words[-1]
    return words, check


def _require_place(check: str | None) -> None:
    if check is not None and PLACE not in check:
        raise UsageError(
            f"--check has no {PLACE}, and so can't look at the run's directory",
            repair=f"--check '{check} {PLACE}'",
        )


def _directory(name: str) -> Path:
    directory = Path(os.path.realpath(name))
    if not directory.is_dir():
        raise MountError(f"{name}: no such directory")
    return directory


def _tell_interrupted(output: str | None) -> None:
    if output is None:
        target.say("interrupted; with --output FILE it could go on from there")
    else:
        target.say(f"interrupted; the same command goes on from {output}")


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    """Do at SIGTERM what is done at Ctrl-C: end what was started."""
    raise KeyboardInterrupt
