"""What `tracefs run` does once its server has been started."""

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from tracefs.capture.runner import Outcome, run_traced
from tracefs.capture.spawn import Spawned
from tracefs.cli import target
from tracefs.cli.destination import discarded_on_failure, folder
from tracefs.cli.format_names import TEXT
from tracefs.cli.main import complain, complain_of
from tracefs.errors import TracefsError, UsageError
from tracefs.journal.lost import find_lost
from tracefs.report.quote import printable
from tracefs.witness.level_names import FULL, NONE, PROC, SECCOMP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracefs.contracts.base import Contract
    from tracefs.faults.model import Rule

_ALWAYS: Final = ("lseek",)
"""Never right in a page writer, and rare elsewhere: their source line is kept."""
JUDGED_FULLY: Final = (
    "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate", "sync_file_range", "msync",
)  # fmt: skip
"""Where each call is notified, those that may be wrong too."""


def run(args: argparse.Namespace, words: list[str], server: Spawned) -> int:
    """Run the command *words*; return its exit code, or what the judgement makes of it."""
    if args.contract:
        args.contract = _contracts(args.contract)
    elif args.verdict or args.format != TEXT:
        raise UsageError("there is no verdict to write", repair="name a --contract")
    options = target.options(
        args, default_witness=SECCOMP, visible=args.visible, stacks=_stacks(args)
    )
    options = structs.replace(options, ack_stdout=args.ack_stdout)
    try:
        recording = folder(args.output, words[0], datetime.now().astimezone(), args.dir)
        with discarded_on_failure(recording):
            outcome = run_traced(
                args.dir,
                [os.fsencode(word) for word in words],
                recording,
                options,
                target.say,
                server,
            )
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
    except OSError as error:
        return complain_of(error, target.EXIT_TOOL_FAILED)
    _tell_struck(options.faults, outcome)
    return _conclude(args, outcome, recording)


def _stacks(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the calls whose places are kept, so that a finding, or a loss, can name its line."""
    if not args.contract and not args.payload:
        return _ALWAYS
    from tracefs.report.stray import CALLS  # noqa: PLC0415  # judging is not needed to record

    more = JUDGED_FULLY if args.witness == FULL else ()
    return (*CALLS, *more)


def _conclude(args: argparse.Namespace, outcome: Outcome, recording: Path) -> int:
    if not args.quiet:
        target.say(f"recorded {outcome.events} events in {recording}")
    if outcome.failed:
        target.say(f"the recording is incomplete: {outcome.failed}")
    if args.witness not in (NONE, PROC):
        _tell_lost(recording)
    verdict = _judge(args, recording) if args.contract else 0
    return outcome.status or verdict or (target.EXIT_TOOL_FAILED if outcome.failed else 0)


def _tell_struck(rules: "Sequence[Rule]", outcome: Outcome) -> None:
    """Say which rules struck nothing: a run without its fault proves nothing."""
    for rule, struck in zip(rules, outcome.struck, strict=False):
        if not struck:
            target.say(f"the rule {rule.text} struck no call")
    if outcome.untold:
        target.say(
            f"{outcome.untold} requests came from calls that could not be named: "
            "rules for single calls may have missed them; a family, as write, strikes them all"
        )


def _tell_lost(recording: Path) -> None:
    """Say so if the seccomp witness ended before the command did; the command went on unseen."""
    try:
        lost = find_lost(recording)
    except (TracefsError, OSError):
        return  # that the journal can't be read was said, or is by whoever reads it
    if lost is not None:
        after_ns, reason = lost
        target.say(
            f"the witness was lost: from {after_ns / 1e9:.6f} s on, calls like lseek went unseen: "
            f"{printable(reason)}"
        )
        from tracefs.report.shell import shell_line  # noqa: PLC0415  # it is rare

        shown = shell_line(["tracefs", "show", str(recording)])
        target.say(f"next: run it again; {shown} has what was seen")


def _contracts(names: list[str]) -> "list[Contract]":
    """Return the contracts now: the command may change the files that they stand in."""
    from tracefs.contracts import find_all  # noqa: PLC0415  # judging is not needed to record

    return [contract for name in names for contract in find_all(name)]


def _judge(args: argparse.Namespace, recording: Path) -> int:
    from tracefs.cli.check import judge  # noqa: PLC0415  # judging is not needed to record

    try:
        return judge(
            str(recording), args.contract, form=args.format, output=args.verdict, file=sys.stderr
        )
    except TracefsError as error:
        return complain(str(error), error.repair, target.EXIT_TOOL_FAILED)
