"""What the commands that record share: which faults to inject."""

import argparse
import os
from typing import TYPE_CHECKING

from tracefs.witness.level_names import NONE

if TYPE_CHECKING:
    from tracefs.faults.model import Rule


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which calls are to fail on purpose."""
    parser.add_argument(
        "--inject",
        metavar="RULE",
        action="append",
        default=[],
        help="make calls fail on purpose: CALLS[(GLOB)]:error=EIO:when=3, and more; "
        "can be repeated",
    )
    add_file_argument(parser)


def add_file_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names files of rules."""
    parser.add_argument(
        "--inject-file",
        metavar="FILE",
        action="append",
        default=[],
        help="read such rules from a TOML file; can be repeated",
    )


def rules(args: argparse.Namespace, *, witness: str) -> "tuple[Rule, ...]":
    """Return the rules of the command line, then those of files; say what is doubtful in them.

    Args:
        args: As parsed.
        witness: Level of who looks for the caller.

    Raises:
        UsageError: A rule can't be understood, contradicts itself, or is there twice.
    """
    if not args.inject and not args.inject_file:
        return ()
    from tracefs.cli.target import say  # noqa: PLC0415  # it imports this module
    from tracefs.faults.lint import lint, refuse_twins  # noqa: PLC0415  # few runs have rules
    from tracefs.faults.spelling import parse  # noqa: PLC0415  # the same
    from tracefs.faults.table import load  # noqa: PLC0415  # the same

    found = tuple(map(parse, args.inject))
    for path in args.inject_file:
        found += load(path)
    refuse_twins(found)
    for warned in lint(found, witnessed=witness != NONE, machine=os.uname().machine):
        say(str(warned))
    return found
