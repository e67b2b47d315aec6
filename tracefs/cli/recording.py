"""The RECORDING argument that several subcommands share."""

import argparse
import contextlib
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TextIO

from tracefs.errors import RecordingError, UsageError
from tracefs.events import Header
from tracefs.journal import recordings
from tracefs.journal.format import CARD, IMPORT, JOURNAL, KEPT, PAYLOAD, START, TABLE, TEXT
from tracefs.journal.imported import text_of
from tracefs.journal.reader import Source
from tracefs.pathtext import printable

_NAMES: Final = (JOURNAL, PAYLOAD, START, TABLE, CARD, IMPORT, TEXT)
"""Files that a recording may consist of, beside those in its folder `KEPT`."""
EXIT_UNKNOWN: Final = 4
"""The recording doesn't tell what was asked."""


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take a RECORDING."""
    parser.add_argument(
        "recording",
        metavar="RECORDING",
        nargs="?",
        help="a recording's folder or name, a journal.jsonl, or - for standard input "
        "(default: the latest recording)",
    )


def base() -> Path:
    """Return the folder that recordings lie in."""
    return recordings.state_dir(os.environ)


def find(name: str | None) -> Source:
    """Return the recording that *name* stands for; None is the latest.

    Raises:
        RecordingError: there is no such recording.
    """
    return recordings.resolve(name, base())


def folder(name: str | None, what: str) -> Path:
    """Return the folder of the recording that *name* stands for; *what* needs it.

    Raises:
        UsageError: it is another thing than a recording's folder, or has no journal.
        RecordingError: there is no such recording.
    """
    source = find(name)
    if source != "-" and source.is_dir():
        return source
    if source != "-" and text_of(source.parent) == source:
        raise UsageError(
            f"{what} needs what a filesystem sees, and this recording is strace's text",
            repair="record with tracefs run",
        )
    raise UsageError(f"{what} needs the recording's folder", repair="name the folder, or its name")


def require_apart(output: str, source: Source) -> None:
    """Require that to write the file *output* overwrites nothing of the recording *source*.

    Raises:
        UsageError: it would.
    """
    if any(_is_same(output, one) for one in _files(source)):
        raise UsageError(
            f"{printable(output)} belongs to the recording that is read",
            repair="name another file",
        )


def _is_same(output: str, one: Path | int) -> bool:
    """Tell whether the file *output*, if it is none yet its name, is the regular file *one*."""
    try:
        there = os.stat(output)
    except OSError:
        return isinstance(one, Path) and os.path.realpath(output) == os.path.realpath(one)
    with contextlib.suppress(OSError):
        return stat.S_ISREG(there.st_mode) and os.path.samestat(there, os.stat(one))
    return False


def _files(source: Source) -> Iterator[Path | int]:
    """Yield what a recording, or a text of strace, may consist of; an int is a descriptor."""
    if source == "-":
        yield 0
        return
    yield source
    folder = source.parent if source.name in {JOURNAL, TEXT} else source
    yield from (folder / name for name in _NAMES)
    with contextlib.suppress(OSError):
        yield from (folder / KEPT).iterdir()


def page_size(header: Header) -> int:
    """Return the page size in *header*.

    Raises:
        RecordingError: it is none.
    """
    if header.page_size < 1:
        raise RecordingError(f"the recording's header has a page size of {header.page_size}")
    return header.page_size


@contextmanager
def rereadable(recording: Source) -> Iterator[IO[bytes] | None]:
    """Let *recording* be read again later: give what its reader is to copy a pipe to.

    Afterwards standard input is that copy; None: it can be read again as it is. No more is copied
    than the reader reads, which stops at what is no journal: a pipe may have no end.
    """
    if recording != "-" or _seekable():
        yield None
        return
    with tempfile.TemporaryFile() as copy:
        yield copy
        copy.flush()
        os.dup2(copy.fileno(), 0)


def rewind(recording: Source) -> None:
    """Go back to the start of standard input; another *recording* is opened anew anyhow."""
    if recording == "-":
        os.lseek(0, 0, os.SEEK_SET)


def _seekable() -> bool:
    try:
        os.lseek(0, 0, os.SEEK_CUR)
    except OSError:
        return False
    return True


def print_json(line: str, file: TextIO | None = None) -> None:
    """Print *line* as UTF-8, which is what JSON is (RFC 8259), whatever the locale says."""
    stream = file or sys.stdout
    if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
        stream.reconfigure(encoding="utf-8")
    print(line, file=stream)
