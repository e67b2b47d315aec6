"""Syncs that come after one that failed, while nothing was written between.

The kernel takes for clean what a failed sync could not write, so that the next one has nothing to
do and succeeds ('Can Applications Recover from fsync Failures?', USENIX ATC 2020). It proves
nothing of what the first was to save.
"""

from typing import Any, Final

from tracefs.events import Copy, Create, Event, Fallocate, Open, Setattr, Write, is_pretended
from tracefs.trace.flags import O_TRUNC

CHANGING: Final = (Write, Copy, Fallocate, Setattr, Open, Create)
"""Events that can change what a file holds."""


class FailedSyncs:
    """By file the last sync that failed and that nothing has been written since; few have any."""

    def __init__(self) -> None:
        self._failed: dict[int, int] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._failed)

    def failed(self, ino: int, call: int) -> None:
        """A sync of *ino* failed, as *call* by index."""
        self._failed[ino] = call

    def before(self, ino: int | None) -> int | None:
        """Return the index of the failed sync that a sync of *ino* comes after."""
        return None if ino is None else self._failed.get(ino)

    def changed(self, ino: int | None) -> None:
        """The file was written, so that there is something to sync again."""
        if ino is not None:
            self._failed.pop(ino, None)

    def take(self, event: Any) -> None:
        """Take in an event of one of the kinds that can change a file."""
        if self._failed and changes(event):
            self._failed.pop(event.ino, None)


def changes(event: Event) -> bool:
    """Return whether the event, of one of `CHANGING`, has changed what a file holds."""
    if event.errno or (event.injected and is_pretended(event.injected)):
        return False
    if isinstance(event, Setattr):
        return event.size is not None
    if isinstance(event, Create) and not event.existed:
        return True  # a new file, which may have the number of one that is gone
    return not isinstance(event, Open | Create) or bool(event.flags & O_TRUNC)
