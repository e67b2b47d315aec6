"""What an index says of itself, and whether it belongs to a journal as that is now.

An index is used only if its journal is, byte for byte, what it was made from, if this tracefs would
join the same calls from it, and if the table is whole. A file that was not touched since is known
by its inode and times: no program can set its ctime back (inode(7)). Any other is hashed.
"""

import hashlib
import os
import time
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

import tracefs
from tracefs.findings import TraceSummary
from tracefs.journal.format import CARD
from tracefs.report.frame import WentBack

FORMAT: Final = "tracefs-index"
VERSION: Final = 1

_SETTLED_NS: Final = 2_000_000_000
"""A change within the tick of the file system's clock leaves the times as they are: a file this old
has no change that its times don't show."""
_BLOCK: Final = 1 << 20


class Mark(Struct, frozen=True, kw_only=True):
    """A file as stat(2) tells it from what it becomes by any change."""

    dev: int
    ino: int
    mtime_ns: int
    ctime_ns: int


class Content(Struct, frozen=True, kw_only=True):
    """The bytes of a file."""

    size: int
    sha256: str
    mark: Mark | None = None
    """None: it had just been changed, so that its times tell nothing."""


class Card(Struct, frozen=True, kw_only=True):
    """What is known of an index."""

    format: str = FORMAT
    version: int = VERSION
    rules: str
    """Stands for how calls are joined: see `rules`."""
    journal: Content
    table: Content
    rows: int
    exact: int
    """Rows that use the column ``exact``."""
    summary: TraceSummary
    fallen: tuple[WentBack, ...] = ()


class Unusable(Exception):  # noqa: N818  # no fault: the journal is read instead
    """Why an index is not used, in a few words."""


def identity(status: os.stat_result) -> Mark:
    """Return what changes with the file."""
    return Mark(
        dev=status.st_dev,
        ino=status.st_ino,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
    )


def mark_of(status: os.stat_result) -> Mark | None:
    """Return what tells the file from a changed one; None: it was changed a moment ago."""
    age = time.time_ns() - max(status.st_ctime_ns, status.st_mtime_ns)
    return None if age < _SETTLED_NS else identity(status)


def read(folder: Path) -> Card | None:
    """Return the card of the index in *folder*; None: there is none.

    Raises:
        Unusable: it can't be read.
    """
    try:
        text = (folder / CARD).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unusable(f"it can't be read: {error.strerror}") from error
    try:
        card = msgspec.json.decode(text, type=Card)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unusable("it is damaged") from error
    if (card.format, card.version) != (FORMAT, VERSION):
        raise Unusable("it is of another version of tracefs")
    return card


def require_same(descriptor: int, content: Content, changed: str) -> None:
    """Return if the open file is still *content*.

    Raises:
        Unusable: with the reason *changed*: it is not.
        OSError: it can't be read.
    """
    status = os.fstat(descriptor)
    if status.st_size != content.size:
        raise Unusable(changed)
    if content.mark is not None and mark_of(status) == content.mark:
        return
    if hash_of(descriptor) != content.sha256:
        raise Unusable(changed)


def content_of(path: Path) -> Content:
    """Return the content of a file that has just been written, and will be renamed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return Content(size=os.fstat(descriptor).st_size, sha256=hash_of(descriptor))
    finally:
        os.close(descriptor)


def hash_of(descriptor: int) -> str:
    """Return the SHA-256 of all bytes of an open file."""
    found, offset = hashlib.sha256(), 0
    while block := os.pread(descriptor, _BLOCK, offset):
        found.update(block)
        offset += len(block)
    return found.hexdigest()


@cache
def rules() -> str:
    """Return what stands for how this tracefs makes calls of events: a hash of its source.

    A version number would be forgotten; a needless rebuild costs a minute, a wrong answer more.
    """
    home = Path(tracefs.__file__).parent
    sources = [home / "events.py", home / "syscalls.py", *sorted((home / "trace").glob("*.py"))]
    found = hashlib.sha256(tracefs.__version__.encode())
    for source in sources:
        found.update(source.read_bytes())
    return found.hexdigest()
