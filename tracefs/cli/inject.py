"""``tracefs inject``: change the faults of a mount that is being served."""

import argparse
from typing import Final

from tracefs.capture.messages import Change, Standing
from tracefs.capture.reach import Reached
from tracefs.errors import UsageError
from tracefs.pathtext import printable

NAME: Final = "inject"
HELP: Final = "change the faults that a living mount makes on purpose"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("mountpoint", metavar="MNT", help="where it is mounted, or what a run traces")
    parser.add_argument("rules", metavar="RULE", nargs="*", help="in place of those that hold")
    parser.add_argument("--add", action="store_true", help="beside those that hold")
    parser.add_argument("--clear", action="store_true", help="no rule is to hold any more")
    parser.add_argument(
        "--release", action="store_true", help="let the calls go on that a rule has stuck"
    )
    parser.add_argument("--list", action="store_true", help="print the rules that hold")


def run(args: argparse.Namespace) -> int:
    """Ask the server, and print what it answers: it answers when that holds."""
    rules = _rules(args)
    if args.clear and (rules or args.add):
        raise UsageError("--clear leaves no rule, so it goes with none, nor with --add")
    if args.add and not rules:
        raise UsageError("--add what? There is no rule")
    if not (rules or args.clear or args.release or args.list):
        raise UsageError(
            "no rule is told", repair=f"tracefs inject {args.mountpoint} 'fsync=EIO:when=2'"
        )
    with Reached(args.mountpoint) as reached:
        if rules or args.clear:
            holding = reached.inject(rules, Change.ADD if args.add else Change.SET)
        if args.release:
            ...
    return 0
