"""One call without what changes from run to run, and a sequence of them."""

from typing import Final

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
    guessed: bool = False
    """Nobody saw the name: it is the plainest of its family, ``rename`` for a ``renameat2`` too."""
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
    injected: bool = False
    """A fault that was made on purpose decided the outcome; not, that one made it late."""


FIELDS: Final = (
    "call", "path", "opened", "target", "flags", "offset", "length", "created", "synced_by",
    "errno", "result", "injected",
)  # fmt: skip
"""What may be otherwise in a call, in the order in which it is told."""
GUESSED: Final = "guessed"
_CONSEQUENCES: Final = frozenset({"offset", "length", "errno"})
"""Fields with which the result changes as a matter of course."""
_MAY_BE_UNSEEN: Final = frozenset({"path", "offset", "length", "result"})
"""Fields that every such call has, so that None says that nobody saw it."""


def changed(a: Entry, b: Entry) -> tuple[str, ...]:
    """Return the fields that differ; ``unknown`` alone where one of the two has no name.

    ``guessed`` stands for the name where only one of the two was seen.
    """
    if (a.call == UNKNOWN) != (b.call == UNKNOWN):
        return (UNKNOWN,)
    fields = [field for field in FIELDS if getattr(a, field) != getattr(b, field)]
    if a.guessed != b.guessed:
        fields = [GUESSED, *(field for field in fields if field != "call")]
    if _CONSEQUENCES & set(fields) and "result" in fields:
        fields.remove("result")
    return tuple(fields)


def certain(a: Entry, b: Entry) -> frozenset[str]:
    """Return those of the fields that differ whatever nobody saw of either."""
    return frozenset(
        field
        for field in changed(a, b)
        if field not in {UNKNOWN, GUESSED}
        and not (field in _MAY_BE_UNSEEN and None in (getattr(a, field), getattr(b, field)))
    )


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
