"""What a ready checker is."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from tracefs.errors import TracefsError


class CheckerError(TracefsError):
    """A checker can't answer: an acknowledgement isn't understood, or a program isn't there."""


def _nothing() -> None:
    return None


class Ready(Struct, frozen=True, kw_only=True):
    """A checker that comes with tracefs."""

    name: str
    help: str
    """What it looks for, in one line."""
    acks: str
    """Forms of an acknowledgement's text."""
    ask: Callable[[Path, Sequence[str]], str | None]
    """Gets the directory of a state, which it may change, and the acknowledgements made before the
    crash, in order. Returns None where all is good, else what is wrong, in one line. Raises
    `CheckerError` where it can't tell."""
    transient: tuple[tuple[str, str], ...] = ()
    """Globs of files whose content does not count after a restart, each with the reason."""
    lacks: Callable[[], str | None] = _nothing
    """Returns what has to be installed before it can be asked, None where nothing has."""
