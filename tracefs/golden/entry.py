"""One call without what changes from run to run, and a sequence of them."""

from msgspec import Struct

UNKNOWN = "unknown"


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """What two runs of the same program have in common of one call; None: not known, or none.

    Paths are printable path text, in which ``{1}`` stands for what was made up on the spot.
    """

    call: str
    """Name as in ``man 2``, or ``unknown``."""
    family: str
    """As `tracefs.trace.call.Call.family`."""
    thread: int | None = None
    """Threads by first appearance, from 1; None: not known."""
    path: str | None = None
    opened: int = 1
    """Which of the opens that the file has at once, from 1."""
    target: str | None = None
    flags: tuple[str, ...] = ()
    offset: int | None = None
    length: int | None = None
    created: bool = False
    synced_by: str | None = None
    result: int | None = None
    """None too where it is a descriptor's number."""
    errno: int = 0


class Golden(Struct, frozen=True, kw_only=True):
    """The calls of one run as they are compared."""

    entries: tuple[Entry, ...]
    page_size: int
    witness: str
    """Level of the witness: what it doesn't see is not among the calls."""
    paths: tuple[str, ...] = ()
    """Globs that chose the calls by path; none: all."""
    only: tuple[str, ...] = ()
    """Names and families that chose the calls; none: all."""
    incomplete: str | None = None
    """Why calls may be missing; None: none are. A file never holds such a one."""

    @property
    def unknown(self) -> int:
        """How many calls have no name."""
        return sum(entry.call == UNKNOWN for entry in self.entries)
