"""What the clauses of a contract file share when they run over a trace."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from tracefs.contracts.language.evaluate import View
from tracefs.contracts.language.model import Per
from tracefs.events import Header
from tracefs.trace.call import Call, Released


class Now(Struct, kw_only=True):
    """The call that is judged at the moment, and what the rules may ask about it."""

    view: View
    judged: bool = False
    """It is on a file and through an open that the contract judges."""
    through: bool = False
    """It is through such an open, or none, whatever its file."""
    header: Header
    opens: Mapping[int | None, set[int]] = {}
    """Handles of the opens that are not released, by file."""
    status: int | None = None
    """Exit status of the command, known at the end of the trace; None: not known."""
    pid: int | None = None
    """Process id of the command, likewise."""

    def reported(self, call: Call) -> bool | None:
        """Return whether the process of *call* ended with an exit status that isn't 0.

        That of the command alone is known; one that isn't 0 says so for all that it started.
        """
        if self.status is None or self.status:
            return None if self.status is None else True
        return False if call.pid is not None and call.pid == self.pid else None


Scope = tuple[int | None, int | None]
"""What is judged by itself: its group, and the open where those are judged each by itself."""


class Clause(Protocol):
    """One rule at work on one trace."""

    def concerns(self, name: str, family: str) -> bool:
        """Return whether calls of this name and family are to be given to `take`."""

    def take(self, call: Call) -> None:
        """Take a call, in the order of the trace."""

    def released(self, item: Released, *, last: bool) -> None:
        """An open is over; *last*: of its file."""

    def renewed(self, ino: int) -> None:
        """The number *ino* belongs to a new file from here on (inode(7): they are used again)."""

    def finish(self, *, complete: bool, cut: str | None) -> None:
        """The trace is over; *cut*: why it ended early."""

    @property
    def began(self) -> bool | None:
        """Whether a call that the clause begins with was seen; None: it has no beginning."""


def group(per: Per, call: Call) -> int | None:
    """Return what *call* is judged together with: numbers of files, processes, or all."""
    match per:
        case Per.OPEN | Per.FILE:
            return call.ino
        case Per.PROCESS:
            return call.tid if call.pid is None else call.pid
        case Per.THREAD:
            return call.tid
        case Per.TRACE:
            return 0


def scope(per: Per, call: Call) -> Scope:
    """Return what *call* is judged in."""
    return group(per, call), call.handle if per is Per.OPEN else None
