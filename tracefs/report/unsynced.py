"""Bytes that no sync has covered yet, file by file, in bounded memory.

A sync covers the writes that were answered before it arrived, through whatever descriptor of the
file they came (fsync(2)), and the stores through mappings that the kernel wrote out for it. Bytes
that a truncate cut off are not waiting for anything any more.

A sync that fails leaves them waiting for good: the kernel takes what it could not write for clean,
so that a later sync succeeds without writing it ('Can Applications Recover from fsync Failures?',
USENIX ATC 2020). Only what is written again can be synced again.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from tracefs.ranges import Ranges
from tracefs.report.effects import STORE
from tracefs.trace.call import Call

RANGE_LIMIT: Final = 1 << 16
"""Separate byte ranges that are followed at once, over all files."""
RECENT_LIMIT: Final = 1024
"""Writes per file that are looked back at for overlap with a sync under way."""


class Waiting(Struct, frozen=True, kw_only=True):
    """One file's bytes that were not synced at some point."""

    path: str
    bytes: int
    deleted: bool = False
    """A name of the file was removed."""
    lost: int = 0
    """Of *bytes* those that a sync had failed to write, and that were not written again since."""
    failed: int | None = None
    """Index of the last such sync."""
    errno: int = 0
    """Its error number; 0: it claimed success."""
    sync: str | None = None
    """Its name."""


class _Write(NamedTuple):
    end_ns: int
    start: int
    stop: int
    store: bool
    """Through a mapping: the kernel writes it out at the latest when it does a sync of the file,
    in the time of that call."""


class _File:
    __slots__ = ("deleted", "dirty", "failed", "lost", "path", "recent")

    def __init__(self) -> None:
        self.path = "?"
        self.deleted = False
        self.dirty = Ranges()
        self.lost = Ranges()
        """No bytes of *dirty*."""
        self.failed: Call | None = None
        """The sync that lost the last of them."""
        self.recent: deque[_Write] = deque(maxlen=RECENT_LIMIT)
        """The last writes since the last sync."""

    def __len__(self) -> int:
        """Return the number of ranges."""
        return len(self.dirty) + len(self.lost)

    @property
    def total(self) -> int:
        return self.dirty.total + self.lost.total


class Unsynced:
    """Follows writes and syncs; only files with unsynced bytes take memory."""

    def __init__(self, range_limit: int = RANGE_LIMIT) -> None:
        self._files: dict[int, _File] = {}
        self._ranges = 0
        self._range_limit = range_limit
        self.not_followed = 0
        """Writes that found no room; above 0, byte counts are lower bounds."""
        self.uncertain = 0
        """Syncs that ran beside more writes than are looked back at; their coverage is assumed."""

    def write(self, ino: int, call: Call, start: int, stop: int) -> None:
        """Take in that *call* wrote the bytes of *ino* from *start* up to *stop*."""
        if call.synced_by is not None:
            self._cut(ino, start, stop)
            return
        if self._ranges >= self._range_limit:
            self.not_followed += 1
            return
        file = self._files.setdefault(ino, _File())
        file.path = call.path or file.path
        before = len(file)
        if file.failed is not None and call.start_ns < file.failed.end_ns:
            # The sync may have met it, though it ended later.
            file.lost.add(start, stop)
        else:
            file.recent.append(_Write(call.end_ns, start, stop, call.call == STORE))
            file.dirty.add(start, stop)
            file.lost.remove(start, stop)
        self._ranges += len(file) - before

    def sync(self, call: Call) -> None:
        """Take in a sync of a file that succeeded."""
        if call.ino is not None:
            self._covered(call.ino, call.start_ns, stores=True)

    def sync_all(self, start_ns: int) -> None:
        """Take in a sync of all files that began at *start_ns*."""
        for ino in list(self._files):
            # Which of the filesystems it did first nobody knows.
            self._covered(ino, start_ns, stores=False)

    def failed(self, call: Call) -> None:
        """Take in a sync that failed, or has lost what it claims to have written."""
        file = None if call.ino is None else self._files.get(call.ino)
        if file is None or not file.dirty.total:
            return
        before = len(file)
        for start, stop in file.dirty:
            file.lost.add(start, stop)
        file.dirty.clear()
        file.recent.clear()
        file.failed = call
        self._ranges += len(file) - before

    def truncate(self, ino: int, size: int) -> None:
        """Take in that file *ino* now ends at *size*."""
        self._cut(ino, size, 1 << 64)

    def deleted(self, ino: int) -> None:
        """Take in that a name of *ino* was removed."""
        if ino in self._files:
            self._files[ino].deleted = True

    def forget(self, ino: int) -> None:
        """Drop *ino*: its number now names a new file."""
        file = self._files.pop(ino, None)
        if file is not None:
            self._ranges -= len(file)

    def waiting(self, ino: int) -> int:
        """Return the number of unsynced bytes of *ino*."""
        file = self._files.get(ino)
        return 0 if file is None else file.total

    def lost(self, ino: int) -> int:
        """Return how many of them a sync had failed to write."""
        file = self._files.get(ino)
        return 0 if file is None else file.lost.total

    def is_deleted(self, ino: int) -> bool:
        """Return whether a name of *ino* was removed, while bytes of it waited."""
        return ino in self._files and self._files[ino].deleted

    def ranges(self, ino: int) -> tuple[Ranges, Ranges]:
        """Return the bytes of *ino* that wait for a sync, and those that one failed to write."""
        file = self._files.get(ino)
        return (Ranges(), Ranges()) if file is None else (file.dirty, file.lost)

    def total(self) -> int:
        """Return the number of unsynced bytes of all files."""
        return sum(file.total for file in self._files.values())

    def all_waiting(self) -> Iterator[Waiting]:
        """Yield each file that has unsynced bytes."""
        for file in self._files.values():
            if file.total:
                yield _waiting(file)

    def _covered(self, ino: int, since_ns: int, *, stores: bool) -> None:
        file = self._files.get(ino)
        if file is None:
            return
        recent = file.recent
        if len(recent) == RECENT_LIMIT and recent[0].end_ns > since_ns:
            self.uncertain += 1
        left = [one for one in recent if one.end_ns > since_ns and not (stores and one.store)]
        self.forget(ino)
        if left or file.lost.total:
            self._restore(ino, file, left)

    def _restore(self, ino: int, file: _File, left: list[_Write]) -> None:
        """Keep of *file* only the writes in *left*, which ended after the sync had arrived."""
        file.dirty.clear()
        file.recent.clear()
        for one in left:
            file.recent.append(one)
            file.dirty.add(one.start, one.stop)
        self._files[ino] = file
        self._ranges += len(file)

    def _cut(self, ino: int, start: int, stop: int) -> None:
        file = self._files.get(ino)
        if file is None:
            return
        before = len(file)
        file.dirty.remove(start, stop)
        file.lost.remove(start, stop)
        self._ranges += len(file) - before
        if not file.total:
            del self._files[ino]
            return
        # What was cut must not come back with a sync that overlaps an earlier write.
        kept = deque(_without(file.recent, start, stop), maxlen=RECENT_LIMIT)
        file.recent = kept


def _waiting(file: _File) -> Waiting:
    failed = file.failed if file.lost.total else None
    return Waiting(
        path=file.path,
        bytes=file.total,
        deleted=file.deleted,
        lost=file.lost.total,
        failed=None if failed is None else failed.index,
        errno=0 if failed is None else failed.errno,
        sync=None if failed is None else failed.call,
    )


def _without(writes: deque[_Write], start: int, stop: int) -> Iterator[_Write]:
    for one in writes:
        low, high = one.start, one.stop
        if low < min(high, start):
            yield one._replace(stop=min(high, start))
        if max(low, stop) < high:
            yield one._replace(start=max(low, stop))
