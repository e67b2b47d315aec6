"""Where the parts of the join put what they have found."""

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tracefs.events import Fallen
    from tracefs.trace.call import Marked, TraceItem

MOST_FALLEN: Final = 1024


class Output:
    """Items that wait to be yielded, and the counts so far."""

    __slots__ = ("calls", "fallen", "items", "unknown")

    def __init__(self) -> None:
        self.items: list[TraceItem | Marked] = []
        self.calls = 0
        """Number of calls so far, and so the index of the next one."""
        self.unknown = 0
        """How many of them have no name."""
        self.fallen: deque[Fallen] = deque(maxlen=MOST_FALLEN)
        """What went back to what the disk had; the last of it."""
