"""Where the parts of the join put what they have found."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracefs.trace.call import Marked, TraceItem


class Output:
    """Items that wait to be yielded, and the counts so far."""

    __slots__ = ("calls", "items", "unknown")

    def __init__(self) -> None:
        self.items: list[TraceItem | Marked] = []
        self.calls = 0
        """Number of calls so far, and so the index of the next one."""
        self.unknown = 0
        """How many of them have no name."""
