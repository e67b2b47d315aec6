"""What a program did: one structure for each system call."""

from errno import EINTR
from typing import Final

from msgspec import Struct

from tracefs.events import HELD, LOSES, Frame, Injected, is_pretended

_COPIES: Final = frozenset({"sendfile", "splice", "copy_file_range"})


class Call(Struct, frozen=True, gc=False):
    """One system call on a traced file, joined from events and sightings.

    None stands for what is not known. Paths are path text (`tracefs.pathtext`). Build it by
    keyword; only the joining of writes and syncs, where it is most of the cost, goes by position.
    """

    index: int
    """Number of the call in its trace, from 0, in the order in which calls were complete; -1 for
    the fetching of pages (family read), which is no call."""
    call: str
    """Name as in ``man 2``; ``mmap`` for a store through a shared mapping, too (family write);
    ``exit`` where the end of a process closed a file; ``unknown``."""
    family: str
    """What it does: open, write, sync, syncdir, close, truncate, attr, xattr, rename, link, unlink,
    symlink, mkdir, rmdir, mknod, read, allocate. Of what a filesystem never hears: seek, dup,
    flags, map, syncfs (sync, syncfs), range (sync_file_range, which promises nothing), ring; none:
    a call that reached nothing."""
    known_by: str | None
    """How the name is known: ``seccomp``, ``proc``, ``fuse``, ``strace``; None when it isn't."""
    path: str | None
    start_ns: int
    end_ns: int
    tid: int | None
    """None: not known, as for stores through a mapping."""
    pid: int | None = None
    comm: str | None = None
    ino: int | None = None
    """Identifies the file, whatever its name."""
    handle: int | None = None
    """Identifies the open (``fh`` in the journal)."""
    fd: int | None = None
    offset: int | None = None
    """Bytes from the start of the file; of lseek its argument."""
    length: int | None = None
    """Bytes the program asked for; new size for a truncate."""
    result: int | None = None
    """What the call returned where that is known; None for a failed call. Of lseek the new
    position."""
    errno: int = 0
    """Error number; 0: success."""
    flags: tuple[str, ...] = ()
    """open(2) flags, or RWF_*, RENAME_*, SEEK_*, MS_*, F_* and such, by name."""
    fragments: int = 0
    """Number of WRITE requests that the kernel made of it."""
    position: int | None = None
    """File position of the descriptor while the call was held, in bytes; before an lseek."""
    synced_by: str | None = None
    """Flag that made the write synchronous and was seen to take effect: O_DSYNC, O_SYNC,
    RWF_DSYNC, RWF_SYNC."""
    target: str | None = None
    """New name for rename, existing name for link, contents for symlink."""
    created: bool | None = False
    """The open made the file; None: not known (strace's text)."""
    size: int | None = None
    """File size in bytes right after an open."""
    datasync: bool = False
    """The sync left out times (FUSE_FSYNC_FDATASYNC)."""
    note: str | None = None
    """A label: who is really behind the call (glibc's posix_fallocate)."""
    writable: bool | None = None
    """Of a seek: the descriptor can write. None: not known, or no seek."""
    stack: tuple[Frame, ...] = ()
    """Where it was called from, innermost first; empty where nobody looked."""
    unstacked: str | None = None
    """Why *stack* is missing or cut short."""
    reason: str | None = None
    """Why the name, or something else above, is not known."""
    replaced: bool | None = None
    """Of a rename: another file had the new name, and has it no longer. None: not known, or no
    rename."""
    injected: tuple[Injected, ...] = ()
    """Faults that were made on purpose; *errno* and *result* are then not the directory's own."""

    after_failed: int | None = None
    """Of a sync that succeeded: index of the last one of the file, which failed, with nothing
    written between. What that was to save this one does not save."""

    @property
    def faults(self) -> tuple[Injected, ...]:
        """Those of *injected* that made the outcome; others only made it late."""
        return tuple(one for one in self.injected if one.kind not in HELD)

    @property
    def pretended(self) -> bool:
        """It was said to be done, and nothing was: whatever it claims, no byte moved."""
        return bool(self.injected) and is_pretended(self.injected)

    @property
    def loses(self) -> bool:
        """A sync that failed, or will be known to have; no later one writes what it was to."""
        lost = any(one.kind == LOSES for one in self.injected)
        # An interrupted one has lost nothing.
        return lost or self.errno not in {0, EINTR}

    @property
    def idle(self) -> bool:
        """A write of which no request came: it failed, or had nothing to do (end of its source)."""
        return (
            self.family == "write" and self.known_by == "seccomp"
            and self.result is None and not self.fragments
        )  # fmt: skip

    @property
    def at_end(self) -> bool:
        """A copy of which no request came: its source had ended, or could not be read."""
        return self.idle and self.call in _COPIES

    @property
    def done(self) -> bool:
        """It succeeded, and did what it says."""
        return not self.errno and not self.pretended

    @property
    def proves(self) -> bool:
        """It was done, and a sync has not only come after one that failed."""
        return not self.errno and self.after_failed is None and not self.pretended


class Released(Struct, frozen=True, kw_only=True, gc=False):
    """The last descriptor and mapping of an open are gone (RELEASE); no call of the program."""

    handle: int
    ino: int
    end_ns: int


class Marked(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody has marked this place in the trace; no call of the program."""

    text: str
    at_ns: int
    tid: int | None
    """Thread that asked for it; None: not known."""


TraceItem = Call | Released
"""What a trace yields, in order."""
