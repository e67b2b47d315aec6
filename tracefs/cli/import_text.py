"""``tracefs import``: keep what strace wrote as a recording."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tracefs.cli import recording, target
from tracefs.cli.evidence import add_directory
from tracefs.cli.progress import Progress
from tracefs.errors import RecordingError, UsageError
from tracefs.journal import imported
from tracefs.journal.format import IMPORT, TEXT
from tracefs.journal.recordings import new_folder
from tracefs.pathtext import printable, to_text
from tracefs.report.frame import plural
from tracefs.report.shell import shell_line
from tracefs.strace.text import StraceText, open_text
from tracefs.strace.trace import StraceTrace

NAME: Final = "import"
HELP: Final = "keep what strace wrote as a recording"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("text", metavar="FILE", help="what strace -f -y wrote; - is standard input")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", help="recording (default: a new one, named by FILE)"
    )
    add_directory(parser)


def run(args: argparse.Namespace) -> int:
    """Import; return the exit code: 4 if the text doesn't show all."""
    name = "standard input" if args.text == "-" else to_text(os.fsencode(args.text))
    with _folder(args.output, args.text) as folder:
        _copy(args.text, folder, name)
        with open(folder / TEXT, "rb") as file:
            text = open_text(file, printable(name), args.dir)
            if text is None:
                raise RecordingError(
                    f"{printable(name)} is no text of strace",
                    repair="Trace with: strace -f -y -o FILE COMMAND",
                )
            trace = _read(text)
        header = replace(trace.header, started=datetime.now().astimezone().isoformat())
        directory = None if args.dir is None else trace.header.source
        try:
            imported.seal(folder, header, name, directory)
        except OSError as error:
            raise _unwritten(folder, error) from error
    summary = trace.summary()
    for remark in trace.remarks():
        target.say(remark)
    target.say(f"imported {plural(summary.calls, 'call')} into {printable(str(folder))}")
    if not summary.complete:
        target.say(f"the recording is incomplete: {summary.incomplete_because}")
    target.say(f"next: tracefs check {shell_line([str(folder)])}")
    return 0 if summary.complete else recording.EXIT_UNKNOWN


@contextlib.contextmanager
def _folder(output: str | None, text: str) -> Iterator[Path]:
    """Give an empty folder for the recording; if it doesn't become one all is as it was."""
    there = False
    if output is None:
        name = "strace" if text == "-" else text
        folder = new_folder(name, datetime.now().astimezone(), recording.base())
    else:
        folder = Path(output)
        there = folder.exists()
        try:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            used = any(folder.iterdir())
        except OSError as error:
            raise _unwritten(folder, error) from error
        if used:
            raise UsageError(
                f"cannot import into {printable(str(folder))}: it is not empty",
                repair="name a new folder, or delete this one",
            )
    try:
        yield folder
    except BaseException:
        with contextlib.suppress(OSError):
            for file in (IMPORT, TEXT):
                (folder / file).unlink(missing_ok=True)
            if not there:
                folder.rmdir()
        raise


def _copy(text: str, folder: Path, name: str) -> None:
    try:
        source = sys.stdin.buffer if text == "-" else open(text, "rb")  # noqa: SIM115  # below
    except OSError as error:
        raise RecordingError(f"cannot read {printable(name)}: {error.strerror}") from error
    try:
        imported.keep(folder, source)
    except OSError as error:
        raise _unwritten(folder, error) from error
    finally:
        if text != "-":
            source.close()


def _read(text: StraceText) -> StraceTrace:
    trace = text.trace()
    with Progress("import") as progress:
        for number, _ in enumerate(trace.items()):
            if not number & 1023:
                progress.count("calls", number)
    return trace


def _unwritten(folder: Path, error: OSError) -> RecordingError:
    return RecordingError(f"cannot import into {printable(str(folder))}: {error.strerror}")
