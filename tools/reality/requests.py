"""What is asked of a worker and what it answers, one JSON line each."""

from msgspec import Struct
from tracefs.events import AnyEvent
from tracefs.persistence.seen import Seen


class Cut(Struct, frozen=True, order=True):
    """A power failure after the first *point* events, and a nudge."""

    point: int
    nudge: str = "nothing"


class Request(Struct, frozen=True):
    """Events done on one filesystem, and where the power is cut."""

    profile: str
    """Which of `reality.filesystems`."""
    recording: str
    """Folder with the bytes that the events write."""
    before: tuple[AnyEvent, ...]
    """Done and synced beforehand: they make the starting tree."""
    events: tuple[AnyEvent, ...]
    cuts: tuple[Cut, ...]


class Observation(Struct, frozen=True):
    """What was there after one cut."""

    cut: Cut
    tree: tuple[Seen, ...] = ()
    error: str | None = None
    """Why there is no tree: the copy could not be mounted or read."""
