"""Golden traces in files."""

import os
from collections.abc import Sequence
from pathlib import Path

from tracefs.errors import RecordingError
from tracefs.golden.entry import Golden
from tracefs.golden.format import MAGIC, is_golden, read, written
from tracefs.pathtext import to_text
from tracefs.wholefile import write_whole


def load(path: str | os.PathLike[str]) -> Golden | None:
    """Return the golden trace in a file; None: there is no such file, or it is meant for no golden.

    Raises:
        GoldenError: it is meant to be one, and can't be read.
        RecordingError: the system refused it.
    """
    file = Path(path)
    name = to_text(os.fsencode(file))
    try:
        if not file.is_file():  # neither waits for a FIFO nor reads a device
            return None
        with file.open("rb") as stream:
            head = stream.read(len(MAGIC))
            return read(head + stream.read(), name) if is_golden(head) else None
    except OSError as error:
        raise RecordingError(f"cannot read {name}: {error.strerror}") from error


def save(path: str | os.PathLike[str], golden: Golden, remarks: Sequence[str] = ()) -> None:
    """Write a golden trace, whole or not at all; *remarks* stand in it for people.

    Raises:
        ValueError: it is incomplete.
        RecordingError: it can't be written.
    """
    name = to_text(os.fsencode(path))
    data = written(golden, remarks).encode()
    if read(data, name) != golden:  # a forged recording holds anything
        raise RecordingError("the recording holds calls that no golden file can")
    try:
        write_whole(os.fsencode(path), data)
    except OSError as error:
        raise RecordingError(f"cannot write {name}: {error.strerror}") from error
