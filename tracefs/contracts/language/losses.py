"""What failed syncs did not save, and what was written over before its replacement was safe.

A sync that failed may have marked pages clean that are not on the disk, so a later one that
succeeds proves nothing of them (fsync(2), ERRORS; Rebello and others, 'Can Applications Recover
from fsync Failures?', USENIX ATC 2020): only writing them anew makes it mean something.
"""

from collections import deque
from errno import EINTR
from typing import Final

from tracefs.ranges import Ranges
from tracefs.trace.call import Call

_RECENT: Final = 256
"""Writes of a file that are looked at one by one when a sync may have begun before them."""
_SYNCING: Final = frozenset({"O_SYNC", "O_DSYNC", "RWF_SYNC", "RWF_DSYNC"})
_ENDLESS: Final = 1 << 64


class _File:
    __slots__ = ("anew", "cut", "damaged", "dirty", "lost", "recent", "vague")

    def __init__(self) -> None:
        self.dirty = Ranges()
        """Bytes that no sync has covered."""
        self.recent: deque[tuple[int, int, int]] = deque(maxlen=_RECENT)
        """End in nanoseconds, first byte and last of the latest writes among them."""
        self.lost = Ranges()
        """Bytes that a sync which failed was to save, and that were not written anew."""
        self.vague = False
        """More may be lost, which nobody knows the place of."""
        self.anew = False
        """Something was written, nobody knows where: it may have been what was lost."""
        self.damaged: bool | None = False
        self.cut = -1
        """The lowest size that it was cut off at since its last sync; -1: it was not."""


class Losses:
    """Follows files that are written; a few numbers for each, and for each gap in what waits."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._syncing: dict[int, bool] = {}
        """By open: it has O_SYNC or O_DSYNC."""

    def lost(self, call: Call) -> bool | None:
        """Return whether bytes of its file are lost to a failed sync, and not written anew."""
        if call.ino is None:
            files = self._files.values()
            return None if any(file.lost.total or file.vague for file in files) else False
        file = self._files.get(call.ino)
        if file is None:
            return False
        if file.lost.total and not file.anew:
            return True
        return None if file.lost.total or file.vague else False

    def damaged(self, call: Call) -> bool | None:
        """Return whether what its file had was cut off or written over since its last sync."""
        file = None if call.ino is None else self._files.get(call.ino)
        return False if file is None else file.damaged

    def restores(self, call: Call) -> bool | None:
        """Return whether *call*, a write, writes back what was there: not known, or it can't.

        Only where it goes over what was written since the last sync, or begins where the file was
        cut off, can it be that.
        """
        file = None if call.ino is None else self._files.get(call.ino)
        if file is None or file.damaged is False or not call.done:
            return False
        if call.offset is None or call.length is None:
            return None
        start, stop = call.offset, call.offset + call.length
        over = any(first < stop and start < last for first, last in file.dirty)
        return None if over or start <= file.cut else False

    def syncs(self, call: Call) -> bool | None:
        """Return whether *call*, a write, is to sync what it writes."""
        if not _SYNCING.isdisjoint(call.flags):
            return True
        return None if call.handle is None else self._syncing.get(call.handle)

    def after(self, call: Call, *, overwrites: bool | None) -> None:
        """Take in what *call* did, which *overwrites* what was in its file."""
        ino = call.ino
        if ino is None:
            return
        match call.family:
            case "open" if call.done:
                self._opened(ino, call, overwrites)
            case "write":
                self._wrote(self._files.setdefault(ino, _File()), call, overwrites)
            case "sync":
                self._synced(ino, call)
            case "truncate" if call.done:
                self._cut(self._files.setdefault(ino, _File()), call.length, overwrites)

    def _opened(self, ino: int, call: Call, overwrites: bool | None) -> None:
        if call.created:
            self._files.pop(ino, None)
        elif "O_TRUNC" in call.flags:
            self._cut(self._files.setdefault(ino, _File()), 0, overwrites)
        if call.handle is not None:
            self._syncing[call.handle] = not _SYNCING.isdisjoint(call.flags)

    def _wrote(self, file: _File, call: Call, overwrites: bool | None) -> None:
        start = call.offset
        if call.errno:
            if self.syncs(call) and call.errno != EINTR:
                self._lose(file, start, call.length)
            return
        if call.pretended or call.result == 0 or call.at_end:
            return
        file.damaged = _either(file.damaged, overwrites)
        if start is None or call.result is None:
            file.anew = True
            return
        stop = start + call.result
        file.lost.remove(start, stop)
        if call.synced_by is not None:
            file.dirty.remove(start, stop)
            return
        file.dirty.add(start, stop)
        file.recent.append((call.end_ns, start, stop))

    def _lose(self, file: _File, start: int | None, length: int | None) -> None:
        if start is None or length is None:
            file.vague = True
        else:
            file.lost.add(start, start + length)

    def _synced(self, ino: int, call: Call) -> None:
        if call.errno == EINTR or call.pretended:
            return
        file = self._files.get(ino)
        if file is None:
            if call.errno:
                # What was waiting was written before the trace began, or by others.
                self._files[ino] = file = _File()
                file.vague = True
            return
        later = [one for one in file.recent if one[0] > call.start_ns]
        for _, start, stop in later:
            file.dirty.remove(start, stop)
        if call.errno:
            file.vague = file.vague or file.anew or not file.dirty.total
            for start, stop in file.dirty:
                file.lost.add(start, stop)
        elif not later:
            file.damaged, file.cut = False, -1
        file.dirty.clear()
        file.recent.clear()
        for end_ns, start, stop in later:
            file.dirty.add(start, stop)
            file.recent.append((end_ns, start, stop))

    def _cut(self, file: _File, size: int | None, overwrites: bool | None) -> None:
        file.damaged = _either(file.damaged, overwrites)
        if size is None:
            return
        file.cut = size if file.cut < 0 else min(file.cut, size)
        file.dirty.remove(size, _ENDLESS)
        file.lost.remove(size, _ENDLESS)
        if not size:
            file.vague = file.anew = False
            file.recent.clear()

    def released(self, handle: int) -> None:
        """Forget an open."""
        self._syncing.pop(handle, None)


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False
