"""What the commands that record share: what to run, how to record it, and where to."""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from tracefs.capture.runner import Options
from tracefs.cli.arguments import positive
from tracefs.errors import RecordingError, TracefsError, UsageError
from tracefs.journal.reader import JournalReader
from tracefs.journal.recordings import is_inside, new_folder, state_dir
from tracefs.pathtext import printable

EXIT_TOOL_FAILED: Final = 125
"""As timeout(1): tracefs itself failed, the command was not run or not traced to its end."""


def command_words(args: argparse.Namespace, name: str) -> list[str]:
    """Return the command to run, for the subcommand *name*.

    Raises:
        UsageError: there is none.
    """
    words: list[str] = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not words:
        raise UsageError("no command to run", repair=f"tracefs {name} -- COMMAND ARG…")
    return words


def say(line: str) -> None:
    """Tell the user, beside what the command says; a terminal or pipe may be gone by then."""
    with contextlib.suppress(OSError):
        print(f"tracefs: {printable(line)}", file=sys.stderr, flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how to record and where to."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="folder to record into (default: a new one in the state directory)",
    )
    parser.add_argument(
        "--page-size",
        metavar="N",
        type=positive,
        default=4096,
        help="bytes in a page (default: 4096)",
    )
    parser.add_argument(
        "--direct-io",
        action="store_true",
        help="pass every read and write on as it is; no shared mappings then",
    )
    parser.add_argument("--payload", action="store_true", help="keep the bytes written")
    parser.add_argument("--hash", action="store_true", help="keep a hash of the bytes written")
    parser.add_argument(
        "--all", action="store_true", help="record requests that only ask, too: lookup, getattr…"
    )


def options(
    args: argparse.Namespace,
    *,
    default_witness: str,
    visible: bool = False,
    stacks: tuple[str, ...] = (),
) -> Options:
    """Return how to record.

    Args:
        args: as parsed.
        default_witness: level for who named none; given up for the next lower one if need be.
        visible: mount for everybody.
        stacks: calls whose stacks are kept, where the witness is notified of any.
    """
    return Options(
        direct_io=args.direct_io,
        witness=args.witness or default_witness,
        fall_back=args.witness is None,
        stacks=stacks,
        queries=args.all,
        payload=args.payload,
        digests=args.hash,
        page_size=args.page_size,
        visible=visible,
    )


def folder(output: str | None, command: str, when: datetime, *outside: str) -> Path:
    """Return the folder to record into: *output*, or a new one named by command and time.

    It must lie outside the directories *outside*.

    Raises:
        UsageError: it lies inside the traced directory.
        RecordingError: it can't be made.
    """
    base = state_dir(os.environ)
    place = base if output is None else Path(output).absolute()
    if any(is_inside(place, Path(directory)) for directory in outside):
        raise UsageError(
            f"the recording ({place}) would lie inside the traced directory",
            repair="name a folder outside it with -o, or trace a smaller directory with --dir",
        )
    return new_folder(command, when, base) if output is None else place


@contextlib.contextmanager
def discarded_on_failure(recording: Path) -> Iterator[None]:
    """Remove the folder of a recording that never began; what holds an event is kept."""
    known = recording.exists() and any(recording.iterdir())
    try:
        yield
    except TracefsError:
        if not known and not _has_events(recording):
            shutil.rmtree(recording, ignore_errors=True)
        raise


def _has_events(recording: Path) -> bool:
    try:
        with JournalReader(recording) as reader:
            return next(iter(reader.events()), None) is not None
    except RecordingError:
        return False
