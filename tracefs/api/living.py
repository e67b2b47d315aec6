"""A recording that goes on, up to now."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from tracefs.api.names import Chosen
from tracefs.api.reading import Reading
from tracefs.api.trace import Trace
from tracefs.events import AnyEvent, Header
from tracefs.journal.reader import Ending, JournalReader
from tracefs.report.selection import Selection


class LivingTrace(Trace):
    """The calls so far, as often as it is asked: complete if nothing is missing up to now.

    Args:
        recording: Its folder.
        root: As for `Trace`; made for this recording.
        settle: Returns once all that was answered can be read, and says what is missing (None:
            nothing).
    """

    def __init__(
        self,
        recording: str | os.PathLike[str],
        root: str,
        settle: Callable[[], str | None],
    ) -> None:
        super().__init__(recording, root)
        self._settle: Callable[[], str | None] | None = settle
        self._missing: str | None = None

    def has_ended(self) -> None:
        """Take in that nothing more comes, and the recording has its end."""
        self._settle = None

    @contextmanager
    def _read(
        self, only: Chosen | None = None, path: str | None = None, pid: int | None = None
    ) -> Iterator[Reading]:
        self._missing = None if self._settle is None else self._settle()
        with super()._read(only, path, pid) as reading:
            yield reading

    def _reading(self, reader: JournalReader, only: Chosen | None, selection: Selection) -> Reading:
        journal = reader if self._settle is None else _SoFar(reader, self._missing)
        return Reading(journal, self._root, only, selection, section=self._section, is_new=True)


class _SoFar:
    """A journal that is being written; what is there was settled before it is read."""

    def __init__(self, reader: JournalReader, missing: str | None) -> None:
        self._reader = reader
        self._missing = missing

    @property
    def header(self) -> Header:
        return self._reader.header

    @property
    def ending(self) -> Ending:
        ending = self._reader.ending
        if not ending.unfinished:
            return ending
        return replace(ending, complete=self._missing is None, reason=self._missing)

    def events(self) -> Iterator[AnyEvent]:
        return self._reader.events()
