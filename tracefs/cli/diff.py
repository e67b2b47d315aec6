"""``tracefs diff``: say what two runs did differently."""

import argparse
import shlex
import sys
from typing import Final

from tracefs.cli import recording
from tracefs.cli.arguments import count
from tracefs.cli.goldens import EXIT_CODES, add_selection, golden_file, load, refuse_two_pipes
from tracefs.golden import Comparison, Order, Outcome, compare
from tracefs.report.comparison import CONTEXT, SHOWN, ComparisonText
from tracefs.report.comparison_json import comparison_line
from tracefs.report.quote import printable
from tracefs.report.style import style_for

NAME: Final = "diff"
HELP: Final = "say what two runs did differently"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    for name, what in (("a", "what is expected"), ("b", "what is compared with it")):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help=f"{what}: a golden file, or a recording's folder or name, a journal.jsonl, or - "
            "for standard input",
        )
    add_order(parser)
    add_selection(parser)
    parser.add_argument(
        "--context",
        metavar="N",
        type=count,
        default=CONTEXT,
        help=f"calls shown around a difference (default: {CONTEXT})",
    )
    parser.add_argument(
        "--all", action="store_true", help=f"show all differences, not the first {SHOWN}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def add_order(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take which order counts."""
    parser.add_argument(
        "--order",
        choices=[str(order) for order in Order],
        default=str(Order.EITHER),
        help="which order counts: of the whole run, of each thread, either of them, or none "
        f"(default: {Order.EITHER})",
    )


def run(args: argparse.Namespace) -> int:
    """Print what differs; return the exit code."""
    refuse_two_pipes(args.a, args.b)
    a, b = (load(name, args.path, args.only) for name in (args.a, args.b))
    found = compare(a, b, Order(args.order))
    if args.json:
        recording.print_json(comparison_line(found, args.a, args.b))
    else:
        text = ComparisonText(
            name_a=args.a,
            name_b=args.b,
            context=args.context,
            shown=None if args.all else SHOWN,
            style=style_for(sys.stdout),
        )
        print("\n".join([*text.render(found), *_next(found, args)]))
    return EXIT_CODES[found.outcome]


def _next(found: Comparison, args: argparse.Namespace) -> list[str]:
    """Return what to do when the new run is right and the golden file is not."""
    if found.outcome is not Outcome.DIFFERENT or found.b.incomplete is not None:
        return []
    if golden_file(args.a) is None or golden_file(args.b) is not None or args.b == "-":
        return []
    words = ["tracefs", "record-golden", "--update", "-o", args.a, "--from", args.b]
    return [f"to accept B: {printable(shlex.join(words))}"]
