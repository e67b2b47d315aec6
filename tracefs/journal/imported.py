"""A recording that is a text of strace: the text, and a card that says what it is.

It has no journal, since strace saw calls and no filesystem saw requests. What reads texts of
strace reads it; `tracefs.journal.recordings` finds, lists and deletes it like any other.
"""

import hashlib
import os
import shutil
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import Header
from tracefs.journal.format import IMPORT, TEXT
from tracefs.pathtext import to_bytes, to_text

FORMAT: Final = "tracefs-import"
VERSION: Final = 1
_AGAIN: Final = "import it again: tracefs import"


class Card(Struct, frozen=True, kw_only=True):
    """What is known of an imported text."""

    format: str = FORMAT
    version: int = VERSION
    header: Header
    """As those who read the text make it; *started* is when it was imported."""
    name: str
    """Of the text that was imported, path text."""
    directory: str | None
    """The directory that counts, absolute path text; None: where the command was run."""
    size: int
    sha256: str


def text_of(folder: Path) -> Path | None:
    """Return the text in the recording *folder*; None: it is no imported one."""
    try:
        return folder / TEXT if (folder / IMPORT).is_file() else None
    except OSError:  # it may not be looked at, which whoever reads it will tell
        return None


def directory_of(text: Path) -> str | None:
    """Return the directory that was chosen when *text* was imported; None: none was.

    Raises:
        RecordingError: it is not, byte for byte, the text that was imported.
    """
    if text.name != TEXT or text_of(text.parent) is None:
        return None
    card = read(text.parent)
    try:
        with text.open("rb") as file:
            same = os.fstat(file.fileno()).st_size == card.size and _hash(file) == card.sha256
    except OSError as error:
        raise RecordingError(f"cannot read {_name(text)}: {error.strerror}") from error
    if not same:
        raise RecordingError(f"{_name(text)} was changed since it was imported", repair=_AGAIN)
    return None if card.directory is None else os.fsdecode(to_bytes(card.directory))


def read(folder: Path) -> Card:
    """Return the card in *folder*.

    Raises:
        RecordingError: it can't be read, or is of another version.
    """
    place = folder / IMPORT
    try:
        card = msgspec.json.decode(place.read_bytes(), type=Card)
    except OSError as error:
        raise RecordingError(f"cannot read {_name(place)}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{_name(place)} is damaged: {error}", repair=_AGAIN) from error
    if (card.format, card.version) != (FORMAT, VERSION):
        raise RecordingError(f"{_name(place)} is of another version of tracefs", repair=_AGAIN)
    return card


def keep(folder: Path, text: BinaryIO) -> None:
    """Copy *text* to its end into *folder*, which is empty; without a card it is no recording.

    Raises:
        OSError: it can't be.
    """
    with open(folder / TEXT, "xb") as kept:
        shutil.copyfileobj(text, kept)
        kept.flush()
        os.fsync(kept.fileno())
    (folder / TEXT).chmod(0o600)


def seal(folder: Path, header: Header, name: str, directory: str | None) -> None:
    """Write the card of the text that is in *folder*.

    Raises:
        OSError: it can't be.
    """
    with open(folder / TEXT, "rb") as text:
        sha256 = _hash(text)
        size = os.fstat(text.fileno()).st_size
    card = Card(header=header, name=name, directory=directory, size=size, sha256=sha256)
    (folder / IMPORT).write_bytes(msgspec.json.format(msgspec.json.encode(card)) + b"\n")
    (folder / IMPORT).chmod(0o600)


def _hash(file: BufferedReader) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _name(path: Path) -> str:
    return to_text(os.fsencode(path))
