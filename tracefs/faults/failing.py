"""Who hears of a sync that failed, and when: one file, its pages and its opens.

An open hears of an error once, and all hear of it that were open when it happened; one opened
later hears of it if nobody has yet (``errseq_t``, Documentation/core-api/errseq.rst).
"""

from typing import Final

from msgspec import Struct

from tracefs.faults.model import Mode
from tracefs.faults.pages import Back, Pages

_WRITE_FIRST: Final = frozenset({Mode.EXT4_ORDERED, Mode.XFS})
"""Where a sync that tells of an earlier error has written what is dirty now
(file_write_and_wait_range in mm/filemap.c); elsewhere it does nothing else."""


class Struck(Struct, frozen=True, kw_only=True):
    """A rule strikes a sync."""

    rule: str
    errno: int
    mode: Mode


class Answer(Struct, frozen=True, kw_only=True):
    """What becomes of a sync."""

    errno: int = 0
    """Of the reply; 0: that of the file's own sync, or success where it is not synced."""
    syncs: bool = True
    """The file is synced, and if that succeeds it has `Pages.saved`."""
    back: Back | None = None
    """What the program sees from now on as the disk has it."""
    rule: str | None = None
    """Whose doing it is; None: nobody's."""


PLAIN: Final = Answer()


class Errors:
    """What ``errseq_t`` does, for one file."""

    def __init__(self) -> None:
        self._last: Struck | None = None
        self._count = 0
        self._heard = True
        self._since: dict[int, int] = {}

    def opened(self, handle: int) -> None:
        """*handle* is a new open of the file."""
        self._since[handle] = self._count if self._heard else self._count - 1

    def closed(self, handle: int) -> None:
        """The open is over."""
        self._since.pop(handle, None)

    def happened(self, struck: Struck) -> None:
        """An error, of which nobody has heard yet."""
        if self._heard:
            self._count += 1
        self._heard, self._last = False, struck

    def next(self, handle: int) -> Struck | None:
        """Return what *handle* has not heard of; it has now."""
        # What was open before anybody counted has heard of nothing.
        if self._since.get(handle, 0) == self._count:
            return None
        self._since[handle] = self._count
        self._heard = True
        return self._last


class FailingFile:
    """A file whose syncs may fail as a filesystem's do."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.errors = Errors()

    def sync(self, handle: int, struck: Struck | None) -> Answer:
        """Return what becomes of a sync through *handle*, struck by a rule or by none."""
        late = None
        if struck is None or struck.mode is Mode.EXT4_DATA:
            late = self.errors.next(handle)
        if late is not None:
            return Answer(errno=late.errno, syncs=late.mode in _WRITE_FIRST, rule=late.rule)
        if struck is None:
            return PLAIN
        back = self.pages.failed(struck.mode)
        self.errors.happened(struck)
        if struck.mode is Mode.EXT4_DATA:
            # The journal has the data, so that this sync succeeds; the data never gets further.
            return Answer(syncs=False, rule=struck.rule)
        self.errors.next(handle)
        return Answer(errno=struck.errno, syncs=False, back=back, rule=struck.rule)
