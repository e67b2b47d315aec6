"""Where the commands that record put the recording."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tracefs.errors import RecordingError, TracefsError, UsageError
from tracefs.journal.reader import JournalReader
from tracefs.journal.recordings import is_inside, new_folder, state_dir


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
