"""What a verdict rests on: a recording of tracefs, or a text of strace."""

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from msgspec import Struct

from tracefs.check import Trace as AnyTrace
from tracefs.cli import recording
from tracefs.contracts.base import Settings
from tracefs.errors import RecordingError, UsageError
from tracefs.journal.imported import directory_of
from tracefs.journal.reader import JournalReader, Source
from tracefs.pathtext import to_text
from tracefs.trace import Trace

if TYPE_CHECKING:
    from tracefs.strace.text import StraceText

_STDIN: Final = 0


def _is_text(copy: IO[bytes]) -> bool:
    """Tell whether the beginning of a pipe, which is all that *copy* has, is of strace's text."""
    from tracefs.strace.text import HEAD, looks_like  # noqa: PLC0415  # most evidence is recordings

    copy.flush()
    copy.seek(0)
    beginning = copy.read(HEAD)
    copy.seek(0, os.SEEK_END)
    return looks_like(beginning)


def add_directory(parser: argparse.ArgumentParser, what: str = "that counts") -> None:
    """Let *parser* take ``--dir``, whose help calls it the directory *what*."""
    parser.add_argument(
        "--dir",
        metavar="DIR",
        help=f"of strace text: the directory {what} (default: where the command was run)",
    )


class Evidence(Struct, kw_only=True):
    """A recording, or a file that strace wrote."""

    source: Source
    directory: str | None = None
    """The directory that a text of strace is judged for; None: where its command was run, or all
    where *paths* choose files."""
    paths: Sequence[str] = ()
    """Globs that choose files; none: all."""
    remarks: Sequence[str] = ()
    """Once it was read: lines on what it is and what it leaves out; none for a recording."""

    @contextmanager
    def read(self) -> Iterator[AnyTrace]:
        """Give what it shows, to be read once; afterwards it can be read again, a pipe too.

        Raises:
            RecordingError: It is neither, or can't be read.
            UsageError: A directory is named for a recording.
        """
        with recording.rereadable(self.source) as copy:
            try:
                reader = JournalReader(self.source, copy=copy)
            except RecordingError:
                file = self._file(copy)
                if file is None:
                    raise
                with file:
                    text = self._text(file)
                    if text is None:
                        raise
                    trace = text.trace()
                    yield trace
                    self.remarks = trace.remarks()
                return
            with reader:
                if self.directory is not None:
                    raise UsageError(
                        "--dir is for strace text; a recording is of one directory anyhow"
                    )
                yield Trace(reader)

    @contextmanager
    def again(self) -> Iterator[AnyTrace]:
        """Give the same a second time."""
        recording.rewind(self.source)
        with self.read() as trace:
            yield trace

    def _file(self, copy: IO[bytes] | None) -> BinaryIO | None:
        """Return the source as a file that can be read several times; None: it is none."""
        if self.source != "-":
            return self.source.open("rb") if self.source.is_file() else None
        if copy is None:
            return os.fdopen(os.dup(_STDIN), "rb")
        if not _is_text(copy):
            return None  # a pipe may have no end
        with open(_STDIN, "rb", buffering=0, closefd=False) as rest:
            shutil.copyfileobj(rest, copy)
        copy.flush()
        return os.fdopen(os.dup(copy.fileno()), "rb")

    def _text(self, file: BinaryIO) -> "StraceText | None":
        from tracefs.strace.text import open_text  # noqa: PLC0415  # most evidence is recordings

        name = "standard input" if self.source == "-" else to_text(os.fsencode(self.source))
        chosen = Settings(paths=tuple(self.paths)).covers if self.paths else None
        directory = self.directory
        if self.source != "-":
            kept = directory_of(self.source)
            directory = kept if directory is None else directory
        return open_text(file, name, directory, chosen)
