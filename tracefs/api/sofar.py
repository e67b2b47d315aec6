"""The trace of a recording that may still be going on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tracefs.api.folder import Folder
from tracefs.api.names import Chosen
from tracefs.api.reading import Reading
from tracefs.api.trace import Trace
from tracefs.capture.messages import Settled
from tracefs.events import AnyEvent, Header
from tracefs.journal.reader import Ending, JournalReader
from tracefs.report.selection import Selection


class RecordedTrace(Trace):
    """A `Trace` of *folder*, which, if it is temporary, is there at least as long as this is.

    While the recording goes on, each question is about all that was done until it is asked; what
    came so far counts as complete.

    Args:
        folder: Where the recording is.
        settle: Has the server put everything there, and tells how that went; None: it has ended.
        root: As for `Trace`.
        is_new: *root* was made for this recording: what was opened before it lies elsewhere.
    """

    def __init__(
        self,
        folder: Folder | Path,
        settle: Callable[[], Settled | None],
        root: str = "",
        *,
        is_new: bool = False,
    ) -> None:
        super().__init__(folder.path if isinstance(folder, Folder) else folder, root)
        self._folder = folder
        self._settle = settle
        self._is_new = is_new
        self._settled: Settled | None = None

    @contextmanager
    def _read(
        self, only: Chosen | None = None, path: str | None = None, pid: int | None = None
    ) -> Iterator[Reading]:
        self._settled = self._settle()
        with super()._read(only, path, pid) as reading:
            yield reading

    def _reading(self, reader: JournalReader, only: Chosen | None, selection: Selection) -> Reading:
        settled = self._settled
        return Reading(
            reader if settled is None else _SoFar(reader, settled.failed),
            self._root,
            only,
            selection,
            section=self._section,
            is_new=self._is_new,
        )


class _SoFar:
    """A journal that need not have a footer; *failed*: it lacks something all the same."""

    def __init__(self, reader: JournalReader, failed: str | None) -> None:
        self._reader = reader
        self._failed = failed

    @property
    def header(self) -> Header:
        return self._reader.header

    @property
    def ending(self) -> Ending:
        found = self._reader.ending
        if not found.unfinished:
            return found
        return msgspec.structs.replace(
            found, complete=self._failed is None, reason=self._failed, unfinished=False
        )

    def events(self) -> Iterator[AnyEvent]:
        return self._reader.events()
