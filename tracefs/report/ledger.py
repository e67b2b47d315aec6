"""Which bytes no sync had covered: after each call, at each close, and at the end."""

from msgspec import Struct

from tracefs.report.durability import Durability
from tracefs.report.effects import Effect
from tracefs.trace.call import Call


class Owed(Struct, frozen=True, kw_only=True):
    """Bytes of one file that were not synced."""

    file: int
    """Number of the file, as `Ledger.take` gives it."""
    path: str
    bytes: int
    because: int | None
    """Index of the last call that wrote them; None: not known."""
    at: int | None = None
    """Index of the close; None: the end."""
    lost: int = 0
    """Of *bytes* those that a sync had failed to write: no later one does."""
    deleted: bool = False
    """At the end: a name of the file was removed."""


class Changed(Struct, frozen=True, kw_only=True):
    """What a call changed of a file that it was not about."""

    call: int
    """Index of the call."""
    file: int
    bytes: int
    """That wait then."""


class Entry(Struct, frozen=True, gc=False):
    """What came of one call."""

    file: int | None
    """Number of its file; None: it has none."""
    waiting: int
    """Bytes of the file that wait then."""
    effect: Effect


class Ledger:
    """Follows calls in order.

    Files are told apart by inode number, and by their creation where one comes again.
    """

    def __init__(self, most: int) -> None:
        """Keep *most* closes; `closes` counts them all."""
        self._most = most
        self._durability = Durability()
        self._files: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._waiting: dict[int, int] = {}
        """By inode number: after the last call."""
        self.total = 0
        """Bytes of all files that wait."""
        self.paths: list[str | None] = []
        """Of each file the name that it was last seen with."""
        self.at_close: list[Owed] = []
        self.closes = 0
        """Closes of files with unsynced bytes."""
        self.elsewhere: list[Changed] = []
        """What calls changed of other files than their own."""

    def take(self, call: Call) -> Entry:
        """Take in *call*, and return what came of it."""
        effect, ino = self._durability.take(call), call.ino
        if effect.kind == "sync all":
            self._swept(call)
        if ino is None:
            return Entry(None, 0, effect)
        number = self._number(call, ino, new=effect.kind == "made")
        if effect.kind in {"write", "store"}:
            self._last[ino] = call.index
        waiting = self._now(ino)
        # One that failed has closed its descriptor all the same (close(2)).
        if waiting and call.family == "close" and not call.pretended:
            self._closed(call, ino, waiting)
        return Entry(number, waiting, effect)

    def at_end(self) -> list[Owed]:
        """Return each file with bytes that are not synced, most first."""
        unsynced = self._durability.unsynced
        found = [
            Owed(
                file=number,
                path=self.paths[number] or "?",
                bytes=unsynced.waiting(ino),
                because=self._last.get(ino),
                lost=unsynced.lost(ino),
                deleted=unsynced.is_deleted(ino),
            )
            for ino, number in self._files.items()
            if unsynced.waiting(ino)
        ]
        return sorted(found, key=lambda one: (-one.bytes, one.path))

    @property
    def lower_bound(self) -> bool:
        """See `Durability`."""
        return self._durability.lower_bound

    @property
    def unplaced(self) -> int:
        """Writes of which the place is not known."""
        return self._durability.unplaced

    def _number(self, call: Call, ino: int, *, new: bool) -> int:
        number = self._files.get(ino)
        if number is None or new:
            if number is not None and self._waiting.get(ino):
                self.elsewhere.append(Changed(call=call.index, file=number, bytes=0))
            self._last.pop(ino, None)
            number = self._files[ino] = len(self.paths)
            self.paths.append(call.path)
        elif call.path is not None:
            self.paths[number] = call.path
        return number

    def _now(self, ino: int) -> int:
        """Note, and return, how many bytes of a file wait now."""
        waiting = self._durability.unsynced.waiting(ino)
        self.total += waiting - self._waiting.get(ino, 0)
        self._waiting[ino] = waiting
        return waiting

    def _closed(self, call: Call, ino: int, waiting: int) -> None:
        self.closes += 1
        if len(self.at_close) < self._most:
            self.at_close.append(
                Owed(
                    file=self._files[ino],
                    path=call.path or "?",
                    bytes=waiting,
                    because=self._last.get(ino),
                    at=call.index,
                )
            )

    def _swept(self, call: Call) -> None:
        for ino, before in self._waiting.items():
            if (waiting := self._now(ino)) != before:
                number = self._files[ino]
                self.elsewhere.append(Changed(call=call.index, file=number, bytes=waiting))
