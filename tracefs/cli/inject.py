"""``tracefs inject``: change the faults of a mount that is being served."""

import argparse
import os
import shlex
from collections.abc import Sequence
from typing import Final

from tracefs.capture.messages import Change, Standing
from tracefs.capture.reach import Reached
from tracefs.cli import faults
from tracefs.errors import UsageError
from tracefs.faults.model import Rule
from tracefs.pathtext import printable, quoted
from tracefs.witness.level_names import PROC

NAME: Final = "inject"
HELP: Final = "change the faults that a living mount makes on purpose"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument(
        "mountpoint", metavar="MNT", help="where it is mounted, or what a run traces"
    )
    parser.add_argument("rules", metavar="RULE", nargs="*", help="in place of those that hold")
    faults.add_file_argument(parser)
    parser.add_argument(
        "--add",
        metavar="RULE",
        nargs="*",
        help="these, and all others told, beside those that hold",
    )
    parser.add_argument("--clear", action="store_true", help="let no rule hold any more")
    parser.add_argument(
        "--release", action="store_true", help="let the calls go on that rules have stuck"
    )
    parser.add_argument(
        "--list", action="store_true", help="only say which rules hold, and what they have struck"
    )


def run(args: argparse.Namespace) -> int:
    """Ask the server, and print what it answers: it answers when that holds."""
    args.inject = [*args.rules, *(args.add or ())]
    _require_mount_first(args)
    # Who looks for callers there isn't known here; a mount's default is told no doubts in vain.
    rules = faults.rules(args, witness=PROC)
    _require_sense(args, rules)
    with Reached(args.mountpoint) as reached:
        where = printable(args.mountpoint)
        if rules or args.clear:
            holding = reached.inject(rules, Change.SET if args.add is None else Change.ADD)
            print("\n".join(_told(f"{where}: from now on", holding.rules)))
            for rule in holding.ended:
                print(f"  no longer {printable(rule.rule)}, which {_struck(rule)}")
        if args.release:
            print(f"{where}: {_calls(reached.release())} let go")
        if args.list:
            print("\n".join(_told(f"{where}:", reached.rules().rules)))
    return 0


def _require_mount_first(args: argparse.Namespace) -> None:
    """Raise UsageError where a rule stands in the place of the mount."""
    from tracefs.faults.spelling import parse  # noqa: PLC0415  # `faults.rules` says why

    first = args.mountpoint
    if "=" not in first or os.path.lexists(first):
        return
    try:
        parse(first)
    except UsageError:
        return
    where = args.inject[0] if args.inject and "=" not in args.inject[0] else "MNT"
    raise UsageError(
        f"expected where the mount is before all rules, saw the rule {quoted(first)}",
        repair=f"tracefs inject {shlex.join([where, first])}",
    )


def _require_sense(args: argparse.Namespace, rules: Sequence[Rule]) -> None:
    """Raise UsageError where what is asked for contradicts itself, or is nothing."""
    adds = args.add is not None
    if args.clear and (rules or adds):
        raise UsageError("--clear leaves no rule, and so goes with none")
    if args.list and (rules or args.clear):
        raise UsageError("--list changes nothing: a change prints the rules that hold then")
    if adds and not rules:
        raise UsageError("there is no rule to add")
    if not (rules or args.clear or args.release or args.list):
        raise UsageError(
            "there is no rule", repair=f"tracefs inject {args.mountpoint} fsync=EIO:when=2"
        )


def _told(head: str, rules: Sequence[Standing]) -> list[str]:
    """Return *head* and a line for each rule: what it says, and what came of it."""
    if not rules:
        return [f"{head} no rule holds"]
    width = max(len(rule.rule) for rule in rules)
    lines = [f"  {printable(rule.rule):{width}}  {_struck(rule)}" for rule in rules]
    return [f"{head} {'this rule holds' if len(rules) == 1 else 'these rules hold'}", *lines]


def _struck(rule: Standing) -> str:
    where = f", below {printable(rule.below)}" if rule.below else ""
    return rule.outcome + where


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"
