"""``tracefs doctor``: whether this machine can mount, and how to mend what keeps it from that."""

import argparse
import os
from typing import Final

from tracefs.cli.recording import print_json
from tracefs.doctor import Report, examine
from tracefs.journal.recordings import state_dir
from tracefs.pathtext import printable
from tracefs.report.jsonline import line

NAME: Final = "doctor"
HELP: Final = "find out what keeps tracefs from working here"

EXIT_CANNOT_MOUNT: Final = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``tracefs doctor`` to *parser*."""
    parser.description = (
        "Try what tracefs needs from this machine and say what to do about what is missing. "
        "Exit code: 0 if it can mount, 3 if it can't. Nothing is left mounted."
    )
    parser.add_argument("--json", action="store_true", help="print the checks as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Examine the machine and print what was found; return 0 if it can mount, else 3."""
    report = examine(os.fspath(state_dir(os.environ)))
    if args.json:
        print_json(line(report))
    else:
        print(render(report))
    return 0 if report.can_mount else EXIT_CANNOT_MOUNT


def render(report: Report) -> str:
    """Return *report* as text: one line a check, its repair below it; lines are never broken."""
    width = max(len(check.name) for check in report.checks)
    lines = []
    for check in report.checks:
        lines.append(f"{check.status:<7}  {check.name:<{width}}  {printable(check.seen)}")
        if check.repair is not None:
            lines.append(f"{'':<{width + 11}}repair: {printable(check.repair)}")
    can = "tracefs can mount here." if report.can_mount else "tracefs cannot mount here."
    return "\n".join([*lines, "", can])
