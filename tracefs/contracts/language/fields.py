"""What an expression can ask of a call, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tracefs.contracts.language.model import Kind

OF_CALL: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "call": Kind.TEXT,
        "family": Kind.TEXT,
        "path": Kind.TEXT,
        "target": Kind.TEXT,
        "errno": Kind.TEXT,  # "EIO"; "" for success
        "note": Kind.TEXT,
        "synced_by": Kind.TEXT,  # "O_DSYNC"; "" for none
        "flags": Kind.FLAGS,
        "offset": Kind.NUMBER,
        "length": Kind.NUMBER,
        "result": Kind.NUMBER,
        "position": Kind.NUMBER,
        "size": Kind.NUMBER,
        "fragments": Kind.NUMBER,
        "fd": Kind.NUMBER,
        "pid": Kind.NUMBER,
        "tid": Kind.NUMBER,
        "created": Kind.TRUTH,
        "datasync": Kind.TRUTH,
        "page_size": Kind.NUMBER,  # of the check
        "page": Kind.NUMBER,  # offset // page_size
        "short": Kind.TRUTH,  # it failed, or did less than it was asked for
        "unfinished": Kind.TRUTH,  # the same, and it is known what it left out
        "emulated": Kind.TRUTH,  # one of glibc's posix_fallocate, not the program's own
        "injected": Kind.TRUTH,  # a fault that was made on purpose decided its outcome
        "closed_again": Kind.TRUTH,  # its descriptor, which is gone; no recording tells
        "replaces": Kind.TRUTH,  # of a rename: another file had the new name
        "stored": Kind.TRUTH,  # a store through a shared mapping; when and how much isn't known
    }
)
"""Fields of the call itself, as in `tracefs.trace.call.Call` where nothing else is said."""

OF_FILE: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "changed": Kind.TRUTH,  # data or size of its file changed since its last sync
        "resized": Kind.TRUTH,  # its file's size changed since its last sync
        "restyled": Kind.TRUTH,  # attributes of its file changed since its last full sync
        "resumes": Kind.TRUTH,  # it writes what the last short write of its open left out
        "repeats": Kind.TRUTH,  # it writes the same as that one again
        "after_short": Kind.TRUTH,  # that one is not made up for yet
        "late_append": Kind.TRUTH,  # O_APPEND was set after the open (fcntl F_SETFL)
        "overwrites": Kind.TRUTH,  # what it writes over, or cuts off, was in its file before
        "lost": Kind.TRUTH,  # a sync of its file failed, and what that left unsaved is not anew
        "damaged": Kind.TRUTH,  # what its file had was cut off or written over since its last sync
        "restores": Kind.TRUTH,  # it may write back what was there; false, or not known
        "syncs": Kind.TRUTH,  # of a write: its open has O_SYNC or O_DSYNC, or it has such a flag
        "left_over": Kind.TRUTH,  # its thread's last write through its open is not made up for
        "continues": Kind.TRUTH,  # it writes of what a short or failed one left out, or all again
        "completes": Kind.TRUTH,  # and leaves nothing out
        "again": Kind.TRUTH,  # its thread made the same call with the same arguments, which failed
        "direct": Kind.TRUTH,  # its open has O_DIRECT, as it was opened or by fcntl F_SETFL
    }
)
"""Facts about the call's file or open just before the call, from what came before it."""

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(dict(OF_CALL) | dict(OF_FILE))
