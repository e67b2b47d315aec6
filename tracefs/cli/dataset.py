"""``tracefs dataset``: many recordings in one folder, and questions about all of them."""

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tracefs.check import Trace as AnyTrace
from tracefs.check import check
from tracefs.cli import dataset_check, recording, target
from tracefs.cli.evidence import Evidence
from tracefs.errors import RecordingError, UsageError
from tracefs.findings import CheckResult
from tracefs.index.card import Unusable
from tracefs.index.dataset import add
from tracefs.index.questions import READY, Answer, query
from tracefs.journal.format import JOURNAL, TEXT
from tracefs.journal.reader import JournalReader
from tracefs.pathtext import printable, to_text
from tracefs.report.frame import plural
from tracefs.report.jsonline import line
from tracefs.report.shell import shell_line
from tracefs.trace import Trace

NAME: Final = "dataset"
HELP: Final = "check many recordings at once, ask them by SQL"
_WIDEST: Final = 60
"""Characters of a column in text."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    adding = commands.add_parser(
        "add", help="add recordings to a dataset", description="Add recordings to a dataset.",
        allow_abbrev=False,
    )  # fmt: skip
    adding.add_argument("dataset", metavar="DIR", type=Path, help="made if it is not there")
    adding.add_argument("recordings", metavar="RECORDING", nargs="+")
    adding.add_argument(
        "--contract", metavar="NAME", action="append", default=[],
        help="keep what this contract says, for the table verdicts",
    )  # fmt: skip
    adding.add_argument(
        "--again", action="store_true", help="in the place of what has the same name"
    )
    adding.set_defaults(run_dataset=_add)
    checking = commands.add_parser(
        "check", help="say whether recordings keep a contract", allow_abbrev=False,
        description="Say of each recording in a dataset whether it keeps a contract.",
    )  # fmt: skip
    dataset_check.configure(checking)
    checking.set_defaults(run_dataset=dataset_check.run)
    asking = commands.add_parser(
        "query", help="answer a question", allow_abbrev=False,
        description="Answer a question about the tables calls, recordings, verdicts and unsynced.",
    )  # fmt: skip
    asking.add_argument("dataset", metavar="DIR", type=Path)
    asking.add_argument("sql", metavar="SQL", nargs="?", help="as DuckDB understands it")
    asking.add_argument("--ready", metavar="NAME", choices=READY, help=f"one of {', '.join(READY)}")
    asking.add_argument("--format", choices=("text", "csv", "json"), default="text")
    asking.set_defaults(run_dataset=_query)


def run(args: argparse.Namespace) -> int:
    """Add or ask; return the exit code."""
    try:
        code: int = args.run_dataset(args)
    except Unusable as error:
        raise UsageError(str(error)) from error
    return code


def _add(args: argparse.Namespace) -> int:
    for each in args.recordings:
        source = recording.find(each)
        if source == "-":
            raise UsageError("a pipe can't be added", repair="name a recording")
        verdicts = _verdicts(source, args.contract)
        try:
            with _trace(source) as trace:
                made = add(args.dataset, _name(source), trace, verdicts, again=args.again)
        except OSError as error:
            raise RecordingError(f"it can't be added: {error.strerror}") from error
        target.say(f"added recording {printable(made.name)}: {plural(made.calls, 'call')}")
        if made.incomplete_because is not None:
            target.say(f"{printable(made.name)} is incomplete: {made.incomplete_because}")
    target.say(f"next: tracefs dataset check {shell_line([str(args.dataset)])}")
    return 0


def _name(source: Path) -> str:
    """Return the name of a recording's folder, or of a text of strace by itself."""
    folder = source.parent if source.name in {JOURNAL, TEXT} else source
    return to_text(os.fsencode(folder.resolve().name))


@contextmanager
def _trace(source: Path) -> Iterator[AnyTrace]:
    """Give what there is to add: of a journal with the fetches of pages, too."""
    if source.is_dir():
        with JournalReader(source) as reader:
            yield Trace(reader, reads=True)
    else:
        with Evidence(source=source).read() as trace:
            yield trace


def _verdicts(source: Path, contracts: list[str]) -> CheckResult | None:
    if not contracts:
        return None
    with Evidence(source=source).read() as trace:
        return check(trace, contracts)


def _query(args: argparse.Namespace) -> int:
    if (args.sql is None) == (args.ready is None):
        raise UsageError("there is no question, or two", repair="give SQL or --ready NAME")
    answer = query(args.dataset, READY[args.ready] if args.sql is None else args.sql)
    match args.format:
        case "json":
            for row in answer.rows:
                recording.print_json(line(dict(zip(answer.columns, map(_plain, row), strict=True))))
        case "csv":
            table = csv.writer(sys.stdout)
            table.writerow(answer.columns)
            table.writerows(answer.rows)
        case _:
            print("\n".join(_text(answer)))
    return 0


def _plain(value: object) -> object:
    """Return a value as JSON has it."""
    known = value is None or isinstance(value, int | float | str | bool | list | dict)
    return value if known else str(value)


def _text(answer: Answer) -> list[str]:
    rows = [answer.columns, *(tuple(map(_shown, row)) for row in answer.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(answer.columns))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [*lines, f"# {plural(len(answer.rows), 'row')}"]


def _shown(value: object) -> str:
    text = "-" if value is None else printable(str(value))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
