"""What is remembered of each file and each open while a trace goes by: constant in its length."""

import math
from typing import Final, Self

from msgspec import Struct

from tracefs.contracts.page_write.directories import NewName
from tracefs.trace.call import Call

_KEEP_SIZE: Final = "FALLOC_FL_KEEP_SIZE"
NOT_KNOWN: Final = -1
"""For `Open.expected` and `File.size`: take the next one that is seen."""


class _Linked(Struct, eq=False):
    """What can be reached from itself: deepcopy has to know the copy before its fields are."""

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        import copy  # noqa: PLC0415  # who copies has it already

        made = memo[id(self)] = copy.copy(self)
        for name in self.__struct_fields__:
            setattr(made, name, copy.deepcopy(getattr(self, name), memo))
        return made


class File(_Linked, kw_only=True, eq=False):
    """A file with at least one open that is judged."""

    ino: int | None
    size: int
    """Lower bound in bytes; `NOT_KNOWN` before anything is known."""
    largest: float
    """Upper bound in bytes of every size the file has had since it was first opened; may be inf."""
    opens: int = 0
    """Number of judged opens that are not released."""
    dirty: Call | None = None
    """The last write, while no sync covers it."""
    writer: "Open | None" = None
    """The open that *dirty* went through."""
    closed: Call | None = None
    """The last close of *writer* while *dirty* was dirty."""
    elsewhere: Call | None = None
    """Sync of another file that came between *dirty* and *closed*."""
    early: Call | None = None
    """Sync that succeeded but had started before *dirty* ended, or is not enough of one."""
    covered: Call | None = None
    """The last write that a sync covered."""
    sync_end: int = 0
    """When that sync ended, nanoseconds; a write that started before did not wait for it."""
    changed: bool = False
    """Something other than *dirty* was changed since the last sync."""
    resized: bool = False
    """The size changed since the last sync, or may have."""
    attributes: bool = False
    """Mode, owner, times or extended attributes changed since the last fsync."""
    written: bool = False
    """A write succeeded."""
    name: NewName | None = None
    """The name it was created under in this trace."""

    def extend(self, write: Call) -> None:
        """Bytes up to the end of *write*, which succeeded, now exist."""
        if write.offset is None or write.result is None:
            self.resized, self.largest = True, math.inf
            return
        end = write.offset + write.result
        if end > self.size:
            self.size, self.resized = end, True
            self.largest = max(self.largest, end)

    def resize(self, size: int | None) -> None:
        """The file now has *size* bytes; None: not known."""
        self.changed = self.resized = True
        if size is None:
            self.size, self.largest = NOT_KNOWN, math.inf
        else:
            self.size, self.largest = size, max(self.largest, size)

    def allocate(self, call: Call) -> None:
        """A fallocate; without FALLOC_FL_KEEP_SIZE the file reaches to its end now, at least."""
        self.changed = True
        if call.result is None or call.offset is None or call.length is None:
            self.resized, self.largest = True, math.inf
        elif _KEEP_SIZE not in call.flags and call.offset + call.length > self.size:
            self.size, self.resized = call.offset + call.length, True
            self.largest = max(self.largest, self.size)

    def touch(self, write: Call) -> None:
        """Take note of a write that is not judged as a page write."""
        self.changed = True
        if write.done:
            self.extend(write)


class Short(Struct, frozen=True):
    """A write that did less than it was asked for."""

    call: Call
    resume: int
    """Offset of the first byte that is missing."""
    end: int
    """Offset behind the last byte that is missing."""


class Open(_Linked, kw_only=True, eq=False):
    """One open for writing (an open file description)."""

    file: File
    append: bool = False
    write_only: bool = False
    expected: int = 0
    """File position to be seen next, in bytes, or `NOT_KNOWN`."""
    looked: bool = False
    """The file position was seen at least once."""
    wrote: bool = False
    """A write through it succeeded."""
    unseen: Call | None = None
    """The first write whose file position was not seen."""
    short: Short | None = None
    """A write that the program has not come back to."""
    suspect: tuple[Call, Call, Call | None] | None = None
    """Write, close and sync elsewhere: a violation if that close proves to be the last one."""
