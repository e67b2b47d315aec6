"""Between handlers and journal: what is recorded of a request."""

from time import monotonic_ns
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from tracefs.events import AnyEvent, Query, Sighting
from tracefs.journal.payload import digest
from tracefs.journal.writer import JournalWriter
from tracefs.witness.proc import ProcWitness

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_REASON: Final = 200


class Wanted(Struct, frozen=True, kw_only=True):
    """What the user asked to have recorded."""

    queries: bool = False
    """Also requests that only ask: lookup, getattr, readdir …"""
    payload: bool = False
    """Also the bytes written."""
    digests: bool = False
    """Also a hash of the bytes written."""


class Recorder:
    """Writes events; nothing here raises or stops the program's own I/O."""

    def __init__(self, journal: JournalWriter, witness: ProcWitness | None, wanted: Wanted) -> None:
        self._witness = witness
        self.looks = witness is not None
        """Somebody looks at callers."""
        self.queries = wanted.queries
        """Requests that only ask are to be recorded."""
        self._wanted = wanted
        self._journal = journal
        self.record: Callable[[AnyEvent], None] = journal.event

    def look(self, tid: int) -> Sighting | None:
        """Return what the held thread does; None: nobody looks, or the kernel itself asks."""
        if self._witness is None or not tid:
            return None
        try:
            return self._witness.look(tid)
        except Exception as error:  # noqa: BLE001  # whatever it is, the program's call goes on
            return _failed(error)

    def look_apart(self, tid: int) -> Sighting | None:
        """Return what `look` does; may be called in any thread, and left waiting there."""
        if self._witness is None or not tid:
            return None
        try:
            return self._witness.look_apart(tid)
        except Exception as error:  # noqa: BLE001  # as above
            return _failed(error)

    def miss(self, what: str) -> None:
        """End recording, since the request *what* may have had an effect that no line tells."""
        self._journal.stop(what)

    def query(
        self, operation: str, start_ns: int, tid: int, failed: int, ino: int, path: str
    ) -> None:
        """Record a request that only asks."""
        self.record(
            Query(
                start_ns=start_ns,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                operation=operation,
                ino=ino,
                path=path,
            )
        )

    @property
    def wants_contents(self) -> bool:
        """Whether the bytes written are to be kept, or hashed."""
        return self._wanted.payload or self._wanted.digests

    def contents(self, data: bytes, result: int) -> tuple[int | None, str | None]:
        """Keep the *result* bytes of *data* that were written, without making a copy of them.

        Returns:
            Their offset in the side file, and their hash, as far as wanted.
        """
        if not self.wants_contents:
            return None, None
        hashed = digest(memoryview(data)[:result]) if self._wanted.digests else None
        return self._journal.payload(data, result) if self._wanted.payload else None, hashed

    def value(self, data: bytes) -> int | None:
        """Keep the value of an extended attribute, if bytes are wanted; return its offset."""
        return self._journal.payload(data) if self._wanted.payload else None


def _failed(error: Exception) -> Sighting:
    return Sighting(missing=f"the witness failed: {error!r}"[:_MAX_REASON])
