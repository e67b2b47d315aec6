"""What each call does to the bytes that wait for a sync."""

from tracefs.report.unsynced import Unsynced
from tracefs.trace.call import Call


def covers_all(call: Call) -> bool:
    """Return whether *call* is known to have synced all files, as sync(2) and syncfs(2) do.

    Of syncfs a recording has no result; strace's text has.
    """
    return call.family == "syncfs" and call.done and call.result == 0


class Durability:
    """Takes calls in order, and follows which bytes no sync has covered."""

    def __init__(self, unsynced: Unsynced | None = None) -> None:
        self.unsynced = Unsynced() if unsynced is None else unsynced
        self.unplaced = 0
        """Writes of which the place is not known; above 0, byte counts are lower bounds."""
        self._effects = {
            "open": self._opened,
            "write": self._wrote,
            "sync": self.unsynced.sync,
            "syncdir": self.unsynced.sync,
            "syncfs": self._synced_all,
            "truncate": self._truncated,
            "unlink": self._unlinked,
        }

    def take(self, call: Call) -> None:
        """Take in *call*; one that did nothing changes nothing, unless it is a sync that loses."""
        if not call.done:
            if call.family == "sync" and call.loses:
                self.unsynced.failed(call)
            return
        effect = self._effects.get(call.family)
        if effect is not None:
            effect(call)

    def _synced_all(self, call: Call) -> None:
        if covers_all(call):
            self.unsynced.sync_all(call.start_ns)

    def _opened(self, call: Call) -> None:
        if call.ino is None:
            return
        if call.created:
            self.unsynced.forget(call.ino)
        elif "O_TRUNC" in call.flags:
            self.unsynced.truncate(call.ino, 0)

    def _wrote(self, call: Call) -> None:
        if call.result == 0:
            return
        if call.ino is None or call.offset is None or call.result is None:
            self.unplaced += 1
            return
        self.unsynced.write(call.ino, call, call.offset, call.offset + call.result)

    def _truncated(self, call: Call) -> None:
        if call.ino is not None and call.length is not None:
            self.unsynced.truncate(call.ino, call.length)

    def _unlinked(self, call: Call) -> None:
        if call.ino is not None:
            self.unsynced.deleted(call.ino)
