"""The journal, replayed: whether the same tree comes of it."""

import os
import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from soak.twins.tree import differences, scan
from tracefs.errors import RecordingError
from tracefs.journal.reader import JournalReader
from tracefs.journal.start import Entry
from tracefs.replay import Replay
from tracefs.rlimits import raise_descriptor_limit

_SHOWN: Final = 20


def replay(recording: Path, directory: Path, start: Iterable[Entry] | None = None) -> int:
    """Apply a recording to a directory; return how many events it has. *start*: as of `Replay`."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_descriptor_limit()
    try:
        with JournalReader(recording) as reader, Replay(directory, recording, start) as replaying:
            replaying.run(reader.events())
            doubt = replaying.doubt(reader.ending)
            if doubt is not None:
                raise RecordingError(f"the replayed tree proves nothing: {doubt}")
            return reader.ending.events
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def compare(source: Path, replayed: Path) -> list[str]:
    """Say where a replayed tree is not as the one that was recorded."""
    ours, theirs = (scan(os.fsencode(path), contents=True) for path in (source, replayed))
    return differences(ours, theirs, ("recorded", "replayed"))[:_SHOWN]
