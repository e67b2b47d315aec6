"""What a contract is: the protocol between `tracefs.check` and whatever judges a trace."""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from tracefs.events import Header
from tracefs.findings import ContractResult
from tracefs.pathtext import fits
from tracefs.trace.call import TraceItem


class Settings(Struct, frozen=True, kw_only=True):
    """What the user asked of a check."""

    page_size: int = 4096
    """Bytes in a page; at least 1."""
    without: tuple[str, ...] = ()
    """Rules left out; of one contract's rules only."""
    paths: tuple[str, ...] = ()
    """Globs (fnmatch) that choose the files to judge; empty: all."""

    def covers(self, path: str | None) -> bool:
        """Return whether *path* (path text), or its last component, matches one of the globs."""
        if not self.paths:
            return True
        if path is None:
            return False
        return any(fits(path, glob) for glob in self.paths)


class Covering(Protocol):
    """What chooses the files to judge: `Settings`, or anything like it."""

    def covers(self, path: str | None) -> bool:
        """Return whether the file *path* (path text) is to be judged."""


class Judge(Protocol):
    """One contract at work on one trace; used once."""

    def feed(self, item: TraceItem, /) -> None:
        """Take the next item, in the order of the trace."""

    def finish(self, *, complete: bool, why: str | None) -> ContractResult:
        """Return the result; nothing is fed afterwards.

        Args:
            complete: Whether the trace has its end. Without it, that something did not happen
                after the last item is not evidence.
            why: What cut the trace short; None when it is complete or that isn't known.
        """


@runtime_checkable
class OfCommand(Protocol):
    """A judge that wants to know how the command ended."""

    def exited(self, status: int | None, pid: int | None) -> None:
        """Take its exit status and process id, before `Judge.finish`; None: not known."""


class Contract(Protocol):
    """Something that must hold of a trace."""

    @property
    def id(self) -> str:
        """Name on the command line and in results."""

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that can be left out, in the order in which they are explained."""

    def start(self, header: Header, settings: Settings) -> Judge:
        """Return a judge for the trace that begins with *header*."""
