"""A file that holds what strace wrote: is it one, and its lines."""

import os
import stat
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import BinaryIO, Final

from tracefs.errors import RecordingError
from tracefs.journal.format import MAX_LINE
from tracefs.pathtext import to_text
from tracefs.strace.files import Scope
from tracefs.strace.lines import Kind, read
from tracefs.strace.survey import Survey, survey
from tracefs.strace.trace import StraceTrace

HEAD: Final = 64 << 10
"""Bytes from the beginning that are looked at."""
_AGAIN: Final = "Trace again with: strace -f -y -o FILE COMMAND"
_TELLING: Final = frozenset({Kind.CALL, Kind.BEGUN, Kind.RESUMED, Kind.EXIT, Kind.SUPERSEDED})


def looks_like(head: bytes) -> bool:
    """Tell whether *head*, the beginning of a file, is of a text of strace.

    One of the first lines has to be a call; a program's own output may stand around it.
    """
    text = head.decode("latin-1")
    whole, _, _ = text.rpartition("\n")
    lines = [read(line.rstrip("\r")) for line in whole.split("\n")[:50]]
    return any(line.kind in _TELLING and _is_call(line.text) for line in lines)


def _is_call(text: str) -> bool:
    return " = " in text or text.startswith("+++") or " resumed>" in text or "<" in text


class StraceText:
    """A text that can be read several times.

    Args:
        file: Open, and to be read from its beginning; stays open.
        name: What people call it.
        directory: The directory whose files alone are of interest, as the user gave it; a
            relative path starts where the first process did. None: where that is, or everything
            if files were chosen.
        chosen: Tells whether the user chose a file, by its path text; None: nobody chose.

    Raises:
        RecordingError: It has no paths beside descriptors.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        directory: str | None,
        chosen: Callable[[str], bool] | None,
    ) -> None:
        self._file = file
        self._chosen = chosen
        found = self.survey
        if found.bare and not found.paths:
            raise RecordingError(
                f"{name} is strace text without paths beside descriptors", repair=_AGAIN
            )
        base = found.directory
        if directory is not None:
            start = base or os.fsencode(os.getcwd())
            base = os.path.normpath(os.path.join(start, os.fsencode(directory)))
        only = base is not None and (directory is not None or chosen is None)
        self._scope = Scope(base, only=only)
        self._source = "/" if base is None else to_text(base)

    @cached_property
    def survey(self) -> Survey:
        """What the whole text tells beforehand."""
        return survey(self.lines())

    def lines(self) -> Iterator[str]:
        """Yield each line with its newline; the last, or one that is too long, may lack it."""
        self._file.seek(0)
        while line := self._file.readline(MAX_LINE):
            yield line.decode("latin-1")

    def trace(self) -> StraceTrace:
        """Return the calls in the text, to be read once."""
        found = self.survey
        births = {tid: list(each) for tid, each in found.births.items()}
        again = Survey(**{name: getattr(found, name) for name in found.__struct_fields__})
        again.births = births
        return StraceTrace(
            self.lines(), again, self._scope, source=self._source, chosen=self._chosen
        )


def open_text(
    file: BinaryIO,
    name: str,
    directory: str | None = None,
    chosen: Callable[[str], bool] | None = None,
) -> StraceText | None:
    """Return the text in *file*; None: it is none of strace's, or can be read only once."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return None
    file.seek(0)
    if not looks_like(file.read(HEAD)):
        return None
    return StraceText(file, name, directory, chosen)
