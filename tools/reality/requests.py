"""What is asked of a worker and what it answers."""

from msgspec import Struct

from tracefs.events import AnyEvent
from tracefs.persistence.seen import Seen


class Cut(Struct, frozen=True, order=True):
    """A power failure after the first *point* events, and a nudge."""

    point: int
    nudge: str = "nothing"


class Work(Struct, frozen=True):
    """Events, and where the power is cut; each work begins with a new filesystem."""

    recording: str
    """Folder with the bytes that the events write."""
    before: tuple[AnyEvent, ...]
    """Done and synced beforehand: they make the starting tree."""
    events: tuple[AnyEvent, ...]
    cuts: tuple[Cut, ...]


class Request(Struct, frozen=True):
    """What is to be done on one kind of filesystem."""

    profile: str
    """Which of `reality.filesystems`."""
    works: tuple[Work, ...]


class Observation(Struct, frozen=True):
    """What was there after one cut; one line of JSON."""

    work: int
    """Number of the work, from 0."""
    cut: Cut
    tree: tuple[Seen, ...] = ()
    error: str | None = None
    """Why there is no tree: the copy could not be mounted or read."""
