"""What a thread's failed and short calls left undone, and which later call makes up for it."""

from typing import Final

from msgspec import Struct

from tracefs.contracts.language.vocabulary import UNKNOWN
from tracefs.contracts.page_write.writes import is_fallocate
from tracefs.trace.call import Call

TO_ITS_END: Final = frozenset({"sendfile", "splice", "copy_file_range"})
"""Calls that end where their source does: doing less than was asked leaves nothing undone."""
_MOST_CALLS: Final = 1024
"""Failed calls of a thread that are remembered."""
_MOST_THREADS: Final = 4096

_Signature = tuple[str, str, tuple[object, ...], tuple[str, ...]]


class Left(Struct, kw_only=True):
    """Bytes that a write was asked to write, and did not."""

    tid: int | None
    """Thread that made it."""
    start: int
    stop: int
    whole: tuple[int, int]
    """Offset and length that it was asked for."""


class Attempts:
    """Follows opens and threads; constant for each of them."""

    def __init__(self) -> None:
        self._left: dict[int | None, dict[int | None, Left]] = {}
        """By open, then by thread."""
        self._failed: dict[int | None, dict[_Signature, None]] = {}
        """By thread: calls that failed, and were not made again."""

    def left_over(self, call: Call) -> bool:
        """Return whether its thread's last write through the same open is not made up for."""
        return call.tid in self._left.get(call.handle, {})

    def continues(self, call: Call) -> bool | None:
        """Return whether it begins where a short or failed write left off, or is that again."""
        if call.handle not in self._left or not _is_own(call):
            return False
        if call.offset is None or call.length is None:
            return None
        return self._taken_up(call) is not None

    def completes(self, call: Call) -> bool | None:
        """Return whether nothing is left undone after it of what it continues."""
        if not self.continues(call):
            return self.continues(call)
        left, done = self._taken_up(call), _done(call)
        if left is None or call.offset is None or done is None:
            return None
        return call.offset + done >= left.stop

    def again(self, call: Call) -> bool | None:
        """Return whether the thread made the same call, with the same arguments, and it failed."""
        failed = self._failed.get(call.tid)
        if not failed:
            return False
        if _signature(call) in failed:
            return True
        alike = [name for name, family, *_ in failed if family == call.family]
        return None if alike and UNKNOWN in {call.call, *alike} else False

    def _taken_up(self, call: Call) -> Left | None:
        """Return what *call* continues, its own thread's first; None: nothing."""
        lefts = self._left.get(call.handle, {})
        own = [lefts[call.tid]] if call.tid in lefts else []
        return next((left for left in (*own, *lefts.values()) if _fits(left, call)), None)

    def after(self, call: Call) -> None:
        """Take in what *call* did."""
        if call.family == "write" and _is_own(call):
            self._wrote(call)
        self._note(call)

    def _wrote(self, call: Call) -> None:
        lefts = self._left.setdefault(call.handle, {})
        left, offset, length, done = self._taken_up(call), call.offset, call.length, _done(call)
        if left is not None and offset is not None and done is not None:
            left.start = offset + done
            if left.start >= left.stop:
                lefts.pop(left.tid)
        else:
            lefts.pop(call.tid, None)
            if offset is not None and length is not None and done is not None and done < length:
                lefts[call.tid] = Left(
                    tid=call.tid, start=offset + done, stop=offset + length, whole=(offset, length)
                )
        if not lefts:
            del self._left[call.handle]

    def _note(self, call: Call) -> None:
        failed = self._failed.get(call.tid)
        if not call.errno:
            if failed:
                failed.pop(_signature(call), None)
            return
        if failed is None:
            failed = self._failed[call.tid] = {}
            if len(self._failed) > _MOST_THREADS:
                del self._failed[next(iter(self._failed))]
        failed[_signature(call)] = None
        if len(failed) > _MOST_CALLS:
            del failed[next(iter(failed))]

    def released(self, handle: int) -> None:
        """Forget an open."""
        self._left.pop(handle, None)


def _is_own(write: Call) -> bool:
    """Return whether the program chose where *write* ends."""
    return write.call != "mmap" and write.call not in TO_ITS_END and not is_fallocate(write)


def _done(write: Call) -> int | None:
    return 0 if write.errno else write.result


def _fits(left: Left, call: Call) -> bool:
    """Return whether *call* writes of *left* from its beginning on, or the whole again."""
    if call.offset is None or call.length is None:
        return False
    rest = call.offset == left.start and call.length <= left.stop - left.start
    return rest or (call.offset, call.length) == left.whole


def _signature(call: Call) -> _Signature:
    # What an open returns is another each time.
    handle = None if call.family == "open" else call.handle
    where = (call.path, call.target, handle, call.offset, call.length)
    return call.call, call.family, where, call.flags
