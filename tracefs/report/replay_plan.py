"""Calls as steps that a program can do again: which file, by which open, where, how much.

What can't be done again in the same way is not done, and is counted with its reason: calls that
failed, calls without a name, changes of which the recording has no value.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from tracefs.pathtext import parent
from tracefs.trace.call import Call, Released, TraceItem

Do = Literal[
    "open", "pwrite64", "pwritev", "pwritev2", "write", "writev", "fsync", "fdatasync", "syncfs",
    "sync", "fsyncdir", "lseek", "close", "ftruncate", "truncate", "fallocate", "rename", "link",
    "linkfd", "unlink", "symlink", "mkdir", "rmdir",
]  # fmt: skip
"""What a replay can do, named as in ``replay_head.c`` and ``replay_head.py.txt``. linkfd gives the
file of an open, which has none, a name."""
_WRITES: Final[dict[str, Do]] = {
    "pwrite64": "pwrite64", "pwritev": "pwritev", "pwritev2": "pwritev2", "write": "write",
    "writev": "writev",
    # The bytes of these come from elsewhere.
    "mmap": "pwrite64", "sendfile": "pwrite64", "splice": "pwrite64", "copy_file_range": "pwrite64",
}  # fmt: skip
"""By the name of the call."""
_AT_POSITION: Final = frozenset({"write", "writev"})
_SYNCS: Final[dict[str, Do]] = {"fsync": "fsync", "fdatasync": "fdatasync", "syncfs": "syncfs"}
_NAMES: Final[dict[str, Do]] = {
    "rename": "rename", "link": "link", "unlink": "unlink", "symlink": "symlink", "mkdir": "mkdir",
    "rmdir": "rmdir",
}  # fmt: skip
"""By the family of the call."""
_NOTHING: Final = frozenset({"read", "dup", "flags", "map"})
"""Families that change nothing by themselves; they are no loss."""


class Step(Struct, frozen=True, kw_only=True):
    """One call to make; numbers that it doesn't need are 0."""

    index: int
    """Of the call in its trace."""
    do: Do
    slot: int = 0
    """Number of the open; those that are closed are used again."""
    path: str = ""
    """Path text, relative to the traced directory; of an open with O_TMPFILE the directory."""
    target: str = ""
    """New name of a rename, existing name of a link, contents of a symbolic link."""
    flags: tuple[str, ...] = ()
    offset: int = 0
    """Of a write that appends -1, where nobody knows it."""
    length: int = 0
    at_ns: int = 0
    """When it began."""


def closed_early(items: Iterable[TraceItem]) -> frozenset[int]:
    """Return the closes after which the same open was used still: another descriptor was closed.

    Processes that fork and descriptors that are copied share an open.
    """
    early: set[int] = set()
    last: dict[int, int] = {}
    """Number of the open -> its last close, as long as nothing came after it."""
    for item in items:
        if item.handle is None:
            continue
        before = last.pop(item.handle, None)
        if isinstance(item, Released) or item.index < 0:
            continue
        if before is not None and item.family != "open":
            early.add(before)
        if item.family == "close" and not item.errno:
            last[item.handle] = item.index
    return frozenset(early)


class Plan:
    """Makes steps of calls, in their order; threads are done one after the other."""

    def __init__(self) -> None:
        self._early: frozenset[int] = frozenset()
        """Closes after which the open was used still."""
        self._slots: dict[int, int] = {}
        """Number of the open in the trace -> slot."""
        self._free: list[int] = []
        self._positions: dict[int, int | None] = {}
        """Slot -> file position; None: not known."""
        self._nameless: dict[int, int] = {}
        """Inode number of a file without a name -> its slot."""
        self._appends: set[int] = set()
        self.slots = 0
        """Slots that are needed at most."""
        self.failed = 0
        """Calls that failed or had nothing to do, and changed nothing; they are not done again."""
        self.left_out: Counter[str] = Counter()
        """Reason -> calls that are not done again."""
        self.changed: Counter[str] = Counter()
        """Reason -> calls that are done by another call."""

    def learn(self, items: Iterable[TraceItem]) -> None:
        """Look at the whole trace, before the first step."""
        self._early = closed_early(items)

    def step(self, call: Call) -> Step | None:
        """Return what is to be done; None: nothing, and `left_out` may say why."""
        if call.index < 0 or call.family in _NOTHING:
            return None
        if call.errno or call.idle:
            self.failed += 1
            return None
        made = _never(call) or self._made(call)
        if isinstance(made, str):
            self.left_out[made] += 1
            return None
        return made

    def _made(self, call: Call) -> Step | str:
        make = {
            "open": self._open,
            "write": self._write,
            "seek": self._seek,
            "sync": self._sync,
            "syncfs": self._sync,
            "syncdir": self._sync,
            "close": self._close,
            "truncate": self._truncate,
            "allocate": self._allocate,
        }.get(call.family)
        if make is not None:
            return make(call)
        if call.family == "link" and call.path is not None and call.ino in self._nameless:
            slot = self._nameless.pop(call.ino)
            return self._of(call, "linkfd", slot=slot, path=call.path)
        return _named(call)

    def _open(self, call: Call) -> Step | str:
        if call.path is None or call.handle is None:
            return "which file it opened is not known"
        if "O_PATH" in call.flags:
            return "a replay has no O_PATH"
        if (slot := self._slots.get(call.handle)) is None:
            slot = self._free.pop() if self._free else self.slots
            self.slots = max(self.slots, slot + 1)
        self._slots[call.handle] = slot
        self._positions[slot] = 0
        self._appends.discard(slot)
        if "O_APPEND" in call.flags:
            self._appends.add(slot)
        path = call.path
        if "O_TMPFILE" in call.flags:
            path = parent(path)
            if call.ino is not None:
                self._nameless[call.ino] = slot
        # A file that is there again is made anew as the program did.
        return self._of(call, "open", slot=slot, path=path, flags=call.flags)

    def _write(self, call: Call) -> Step | str:
        slot, count = self._slot(call), call.result
        if slot is None:
            return _openless(call)
        appends = call.call in _AT_POSITION and slot in self._appends
        if count is None or (call.offset is None and not appends):
            return "where it wrote, or how much, is not known"
        do = _WRITES.get(call.call)
        if do is None:
            return f"a replay has no {call.call}"
        if do != call.call:
            self.changed[f"{call.call} is done by {do}"] += 1
        if call.offset is not None and do in _AT_POSITION and not appends:
            if self._positions[slot] != call.offset:
                self.changed[f"{do} is done by pwrite64, as its position came from elsewhere"] += 1
                do = "pwrite64"
            else:
                self._positions[slot] = call.offset + count
        return self._of(
            call, do, slot=slot, path=call.path or "", flags=call.flags,
            offset=-1 if call.offset is None else call.offset, length=count,
        )  # fmt: skip

    def _seek(self, call: Call) -> Step | str:
        slot = self._slot(call)
        if slot is None:
            return _openless(call)
        if call.result is None or call.offset is None or not call.flags:
            self._positions[slot] = None
            return "where it moved to is not known"
        self._positions[slot] = call.result
        return self._of(call, "lseek", slot=slot, offset=call.result, flags=("SEEK_SET",))

    def _sync(self, call: Call) -> Step | str:
        if call.call == "sync":
            return self._of(call, "sync")
        if call.family == "syncdir":
            if call.path is None:
                return "which directory it synced is not known"
            return self._of(call, "fsyncdir", path=call.path)
        slot, do = self._slot(call), _SYNCS.get(call.call)
        if slot is None:
            return _openless(call)
        if do is None:
            return f"a replay has no {call.call}"
        return self._of(call, do, slot=slot, path=call.path or "")

    def _close(self, call: Call) -> Step | str:
        slot = self._slot(call)
        if slot is None or call.handle is None:
            return _openless(call)
        if call.index in self._early:
            return "it closed one of several descriptors of the same open"
        del self._slots[call.handle]
        self._free.append(slot)
        if call.ino is not None:
            self._nameless.pop(call.ino, None)
        return self._of(call, "close", slot=slot, path=call.path or "")

    def _truncate(self, call: Call) -> Step | str:
        slot, length = self._slot(call), call.length
        if length is None:
            return "to which size it cut is not known"
        if call.call == "ftruncate" and slot is not None:
            return self._of(call, "ftruncate", slot=slot, length=length)
        if call.path is None:
            return "which file it cut is not known"
        return self._of(call, "truncate", path=call.path, length=length)

    def _allocate(self, call: Call) -> Step | str:
        slot = self._slot(call)
        if slot is None:
            return _openless(call)
        if call.offset is None or call.length is None:
            return "its range is not known"
        if call.result is None:
            return "what came of it is not known"
        return self._of(
            call, "fallocate", slot=slot, offset=call.offset, length=call.length, flags=call.flags
        )

    def _slot(self, call: Call) -> int | None:
        return None if call.handle is None else self._slots.get(call.handle)

    def _of(
        self, call: Call, do: Do, *, slot: int = 0, path: str = "", flags: tuple[str, ...] = (),
        offset: int = 0, length: int = 0,
    ) -> Step:  # fmt: skip
        return Step(
            index=call.index, do=do, slot=slot, path=path, flags=flags, offset=offset,
            length=length, at_ns=call.start_ns,
        )  # fmt: skip


def _openless(call: Call) -> str:
    if call.handle is None:
        return "through which open it came is not known"
    return "its open is not in the recording"


def _never(call: Call) -> str | None:
    """Return why a call is not done again, whatever it is; None: it may be."""
    if call.pretended:
        return "it was only said to be done"
    return "its name is not known" if call.call == "unknown" else None


def _named(call: Call) -> Step | str:
    do = _NAMES.get(call.family)
    if do is None:
        return f"a replay has no {call.call}"
    if call.path is None or (call.family in {"rename", "link", "symlink"} and call.target is None):
        return "the names are not known"
    if call.family == "rename" and "RENAME_WHITEOUT" in call.flags:
        return "a replay leaves no whiteouts"
    return Step(
        index=call.index, do=do, path=call.path, target=call.target or "",
        flags=call.flags if call.family == "rename" else (), at_ns=call.start_ns,
    )  # fmt: skip


def told(plan: Plan) -> list[str]:
    """Return what a replay doesn't do as the program did, in sentences."""
    return [
        *([f"{plan.failed} left out: failed, or had nothing to do"] if plan.failed else []),
        *(f"{count} left out: {reason}" for reason, count in plan.left_out.most_common()),
        *(f"{count} done otherwise: {reason}" for reason, count in plan.changed.most_common()),
    ]
