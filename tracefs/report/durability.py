"""What each call does to the bytes that wait for a sync."""

from tracefs.report.effects import Effect, effect
from tracefs.report.unsynced import Unsynced
from tracefs.trace.call import Call


class Durability:
    """Takes calls in order, and follows which bytes no sync has covered."""

    def __init__(self, unsynced: Unsynced | None = None) -> None:
        self.unsynced = Unsynced() if unsynced is None else unsynced
        self.unplaced = 0
        """Writes of which the place is not known; above 0, byte counts are lower bounds."""

    @property
    def lower_bound(self) -> bool:
        """Whether there may be more bytes: not all ranges are followed, or places are unknown."""
        return self.unsynced.not_followed > 0 or self.unplaced > 0

    def take(self, call: Call) -> Effect:
        """Take in *call*, and return what it does to its file."""
        done, ino = effect(call), call.ino
        if done.kind == "unplaced":
            self.unplaced += 1
        elif done.kind == "sync all":
            self.unsynced.sync_all(call.start_ns)
        elif ino is not None:
            self._take(call, ino, done)
        return done

    def _take(self, call: Call, ino: int, done: Effect) -> None:
        match done.kind:
            case "write" | "store" | "synced write":
                self.unsynced.write(ino, call, done.start, done.stop)
            case "sync":
                self.unsynced.sync(call)
            case "loses":
                self.unsynced.failed(call)
            case "cut" | "emptied":
                self.unsynced.truncate(ino, done.start)
            case "made":
                self.unsynced.forget(ino)
            case "unlinked":
                self.unsynced.deleted(ino)
