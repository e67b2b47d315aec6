"""What a call does to the bytes of its file: said once, for all who follow files."""

from typing import Final, Literal

from msgspec import Struct

from tracefs.trace.call import Call

Kind = Literal[
    "none", "write", "store", "synced write", "unplaced", "sync", "sync all", "loses", "cut",
    "emptied", "made", "unlinked",
]  # fmt: skip
"""A store is a write through a mapping. A synced write has its bytes on the disk when it returns.
An unplaced one is to a file, an offset or of a length that is not known. A sync of all covers every
file; one that loses has failed, and no later one writes what waited. A file is emptied by its open.
One that is made is new: what is known of its inode number is of another one. Unlinked is a name of
it. None: there is none that can be told."""
STORE: Final = "mmap"
"""Name of a write through a shared mapping (`tracefs.trace.call.Call`)."""


class Effect(Struct, frozen=True, gc=False):
    """What a call does; its file is known, but of kinds ``none``, ``unplaced``, ``sync all``."""

    kind: Kind
    start: int = 0
    """Of a write that has a place its first byte; of a cut the file's new size."""
    stop: int = 0
    """Of a write that has a place the byte behind its last."""


_NONE: Final = Effect("none")
_UNPLACED: Final = Effect("unplaced")
_SYNC_ALL: Final = Effect("sync all")
_LOSES: Final = Effect("loses")
_MADE: Final = Effect("made")
_EMPTIED: Final = Effect("emptied")
_BY_FAMILY: Final = {
    "sync": Effect("sync"),
    "syncdir": Effect("sync"),
    "unlink": Effect("unlinked"),
}


def effect(call: Call) -> Effect:
    """Return what *call* does; one that was not done does nothing, but a sync may lose."""
    if not call.done:
        lost = call.family == "sync" and call.ino is not None and call.loses
        return _LOSES if lost else _NONE
    if call.family == "write":
        return _of_write(call)
    if call.family == "syncfs":
        # Of syncfs(2) a recording has no result; strace's text has.
        return _SYNC_ALL if call.result == 0 else _NONE
    return _NONE if call.ino is None else _of_file(call)


def _of_write(call: Call) -> Effect:
    if call.result == 0 or call.idle:
        return _NONE
    if call.ino is None or call.offset is None or call.result is None:
        return _UNPLACED
    kind: Kind = "store" if call.call == STORE else "write"
    if call.synced_by is not None:
        kind = "synced write"
    return Effect(kind, call.offset, call.offset + call.result)


def _of_file(call: Call) -> Effect:
    if call.family == "truncate":
        return _NONE if call.length is None else Effect("cut", call.length)
    if call.family == "open":
        if call.created:
            return _MADE
        return _EMPTIED if "O_TRUNC" in call.flags else _NONE
    return _BY_FAMILY.get(call.family, _NONE)
