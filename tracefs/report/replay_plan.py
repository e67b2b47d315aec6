"""Calls as steps that a program can do again: which file, by which open, where, how much.

What can't be done again in the same way is not done, and is counted with its reason: calls that
failed, calls without a name, changes of which the recording has no value.
"""

from collections import Counter
from typing import Final

from msgspec import Struct

from tracefs.trace.call import Call

_WRITES: Final = frozenset({"pwrite64", "pwritev", "pwritev2", "write", "writev"})
_MOVED_BY_KERNEL: Final = frozenset({"mmap", "sendfile", "splice", "copy_file_range"})
"""Writes whose bytes come from elsewhere: their place and length are done by pwrite64(2)."""
_AT_POSITION: Final = frozenset({"write", "writev"})
_SYNCS: Final = frozenset({"fsync", "fdatasync", "syncfs"})
_NAMES: Final = frozenset({"rename", "link", "unlink", "symlink", "mkdir", "rmdir"})
_NOTHING: Final = frozenset({"read", "dup", "flags", "map"})
"""Families that change nothing by themselves; they are no loss."""


class Step(Struct, frozen=True, kw_only=True):
    """One call to make; numbers that it doesn't need are 0."""

    index: int
    """Of the call in its trace."""
    do: str
    """open, pwrite64, pwritev, pwritev2, write, writev, fsync, fdatasync, syncfs, sync, fsyncdir,
    lseek, close, ftruncate, truncate, fallocate, rename, link, unlink, symlink, mkdir, rmdir."""
    slot: int = 0
    """Number of the open; those that are closed are used again."""
    path: str = ""
    """Path text, relative to the traced directory."""
    target: str = ""
    """New name of a rename, existing name of a link, contents of a symbolic link."""
    flags: tuple[str, ...] = ()
    offset: int = 0
    length: int = 0
    at_ns: int = 0
    """When it began."""


class Plan:
    """Makes steps of calls, in their order; threads are done one after the other."""

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}
        """Number of the open in the trace -> slot."""
        self._free: list[int] = []
        self._positions: dict[int, int | None] = {}
        """Slot -> file position; None: not known."""
        self._fds: dict[int, int | None] = {}
        """Slot -> descriptor that the open returned."""
        self._appends: set[int] = set()
        self.slots = 0
        """Slots that are needed at most."""
        self.failed = 0
        """Calls that failed, and so changed nothing; they are not done again."""
        self.left_out: Counter[str] = Counter()
        """Reason -> calls that are not done again."""
        self.changed: Counter[str] = Counter()
        """Reason -> calls that are done by another call."""

    def step(self, call: Call) -> Step | None:
        """Return what is to be done; None: nothing, and `left_out` may say why."""
        if call.index < 0 or call.family in _NOTHING or call.call == "exit":
            return None
        if call.errno:
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
        return _named(call) if call.family in _NAMES else f"a replay has no {call.call}"

    def _open(self, call: Call) -> Step | str:
        if call.path is None or call.handle is None:
            return "which file it opened is not known"
        if "O_TMPFILE" in call.flags or "O_PATH" in call.flags:
            return "a replay has no files without a name"
        if (slot := self._slots.get(call.handle)) is None:
            slot = self._free.pop() if self._free else self.slots
            self.slots = max(self.slots, slot + 1)
        self._slots[call.handle] = slot
        self._positions[slot] = 0
        self._fds[slot] = call.fd
        self._appends.discard(slot)
        if "O_APPEND" in call.flags:
            self._appends.add(slot)
        # A file that is there again is made anew as the program did.
        return self._of(call, "open", slot=slot, path=call.path, flags=call.flags)

    def _write(self, call: Call) -> Step | str:
        slot, count = self._slot(call), call.result
        if slot is None:
            return "its open is not in the recording"
        if call.offset is None or count is None:
            return "where it wrote, or how much, is not known"
        do = call.call
        if do in _MOVED_BY_KERNEL:
            self.changed[f"{do} is done by pwrite64"] += 1
            do = "pwrite64"
        elif do not in _WRITES:
            return f"a replay has no {do}"
        if do in _AT_POSITION and slot not in self._appends:
            if self._positions[slot] != call.offset:
                self.changed[f"{do} is done by pwrite64, as its position came from elsewhere"] += 1
                do = "pwrite64"
            else:
                self._positions[slot] = call.offset + count
        return self._of(
            call, do, slot=slot, path=call.path or "", flags=call.flags, offset=call.offset,
            length=count,
        )  # fmt: skip

    def _seek(self, call: Call) -> Step | str:
        slot = self._slot(call)
        if slot is None:
            return "its open is not in the recording"
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
        slot = self._slot(call)
        if slot is None or call.call not in _SYNCS:
            return (
                f"a replay has no {call.call}"
                if slot is not None
                else ("its open is not in the recording")
            )
        return self._of(call, call.call, slot=slot, path=call.path or "")

    def _close(self, call: Call) -> Step | str:
        slot = self._slot(call)
        if slot is None or call.handle is None:
            return "its open is not in the recording"
        if None not in (call.fd, self._fds.get(slot)) and call.fd != self._fds[slot]:
            return "it closed another descriptor of the same open"
        del self._slots[call.handle]
        self._free.append(slot)
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
        if slot is None or call.offset is None or call.length is None:
            return "its open is not in the recording, or its range is not known"
        return self._of(
            call, "fallocate", slot=slot, offset=call.offset, length=call.length, flags=call.flags
        )

    def _slot(self, call: Call) -> int | None:
        return None if call.handle is None else self._slots.get(call.handle)

    def _of(
        self, call: Call, do: str, *, slot: int = 0, path: str = "", flags: tuple[str, ...] = (),
        offset: int = 0, length: int = 0,
    ) -> Step:  # fmt: skip
        return Step(
            index=call.index, do=do, slot=slot, path=path, flags=flags, offset=offset,
            length=length, at_ns=call.start_ns,
        )  # fmt: skip


def _never(call: Call) -> str | None:
    """Return why a call is not done again, whatever it is; None: it may be."""
    if call.pretended:
        return "it was only said to be done"
    return "its name is not known" if call.call == "unknown" else None


def _named(call: Call) -> Step | str:
    if call.path is None or (call.family in {"rename", "link", "symlink"} and call.target is None):
        return "the names are not known"
    if call.family == "rename" and "RENAME_WHITEOUT" in call.flags:
        return "a replay leaves no whiteouts"
    return Step(
        index=call.index, do=call.family, path=call.path, target=call.target or "",
        flags=call.flags if call.family == "rename" else (), at_ns=call.start_ns,
    )  # fmt: skip


def told(plan: Plan) -> list[str]:
    """Return what a replay doesn't do as the program did, in sentences."""
    return [
        *([f"{plan.failed} left out: failed"] if plan.failed else []),
        *(f"{count} left out: {reason}" for reason, count in plan.left_out.most_common()),
        *(f"{count} done otherwise: {reason}" for reason, count in plan.changed.most_common()),
    ]
