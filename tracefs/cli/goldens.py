"""Golden files and recordings, for the commands that compare them."""

import argparse
import os
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from tracefs.cli import recording
from tracefs.cli.arguments import path_glob
from tracefs.errors import UsageError
from tracefs.golden import Golden, Outcome, files, selected
from tracefs.golden.names import known
from tracefs.golden.recorded import golden_of
from tracefs.golden.temporary import glob
from tracefs.journal.reader import JournalReader, Source
from tracefs.pathtext import to_text
from tracefs.suggestion import closest
from tracefs.trace import Trace

EXIT_DIFFERENT: Final = 1
EXIT_CODES: Final = {
    Outcome.EQUAL: 0,
    Outcome.DIFFERENT: EXIT_DIFFERENT,
    Outcome.UNKNOWN: recording.EXIT_UNKNOWN,
}


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take what chooses calls."""
    parser.add_argument(
        "--path",
        metavar="GLOB",
        type=_glob,
        action="append",
        default=[],
        help="only calls on paths like GLOB",
    )
    parser.add_argument(
        "--only",
        metavar="NAME[,NAME]",
        type=_names,
        default=(),
        help="only these calls or families",
    )


def _glob(text: str) -> str:
    return glob(path_glob(text))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in known():
            near = closest(name, sorted(known()))
            hint = f"; did you mean {near}?" if near else ""
            raise argparse.ArgumentTypeError(f"there is no call or family {name!r}{hint}")
    return names


def name_of(source: Source | str) -> str:
    """Return how people are told of a file."""
    return "standard input" if source == "-" else to_text(os.fsencode(source))


def load(name: str, paths: Sequence[str] = (), only: Sequence[str] = ()) -> Golden:
    """Return the golden file or recording *name*; of the latter the calls that are chosen.

    Raises:
        TracefsError: there is none, or it can't be read.
    """
    file = golden_file(name)
    if file is not None:
        return narrowed(file, paths, only)
    return load_recording(recording.find(name), paths, only)


def narrowed(golden: Golden, paths: Sequence[str], only: Sequence[str]) -> Golden:
    """Return those of its calls that are chosen here, too."""
    return replace(golden, entries=selected(golden.entries, paths, only))


def load_recording(source: Source, paths: Sequence[str] = (), only: Sequence[str] = ()) -> Golden:
    """Return the calls of a recording as they are compared."""
    with JournalReader(source) as reader:
        return golden_of(Trace(reader), paths, only)


def golden_file(name: str) -> Golden | None:
    """Return the golden trace in the file *name*; None: there is none, or it is standard input."""
    return None if name == "-" else files.load(name)


def refuse_two_pipes(a: str, b: str) -> None:
    """Raise UsageError where both are standard input, which can be read once."""
    if a == b == "-":
        raise UsageError("only one of the two can be standard input")
