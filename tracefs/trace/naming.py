"""Which system call a request belongs to, and how that is known.

A sighting names the call only when it can have caused this very request: the number is in the
machine's table, its family fits, and so do the arguments that the request repeats. Otherwise the
request alone decides, where it can, and where it can't the call is unknown, with the reason.
"""

from typing import Final, NamedTuple

from tracefs.events import Create, Event, Fsync, Fsyncdir, Header, Open, Setattr, Sighting
from tracefs.syscalls import CHOWNS, Syscall, table
from tracefs.trace.flags import FMODE_EXEC, O_ACCMODE, O_CREAT, O_TRUNC, o_directory, open_flags

UNKNOWN: Final = "unknown"
_ROOT: Final = 1
"""FUSE_ROOT_ID: requests know the traced directory by it, whatever its inode number is."""
_AT_REMOVEDIR: Final = 0x200

_ASYNCHRONOUS: Final = {
    "io_uring_enter": "io_uring: which operation is not visible",
    "io_uring_setup": "io_uring (kernel polling): which operation is not visible",
    "io_submit": "io_submit: which of its operations is not visible",
}
_BY_MODE: Final = {"chmod", "fchmod", "fchmodat", "fchmodat2"}
_SYNCING: Final = frozenset({"sync", "write"})
_XATTR: Final = frozenset({"xattr"})
_OPEN: Final = frozenset({"open", "ioctl"})
_RESIZE: Final = frozenset({"truncate", "open"})
_ATTRIBUTES: Final = frozenset({"attr", "write", "open", "truncate"})
"""With those whose calls make the kernel clear setuid bits in passing (``file_remove_privs``)."""
_NAMING: Final = ("rename", "unlink", "rmdir", "link", "symlink", "mkdir", "mknod")
_ALLOWED: Final = {family: frozenset({family}) for family in _NAMING} | {
    "rmdir": frozenset({"rmdir", "unlink"})
}
"""Families of the calls that cause a request of one family."""
FULL_SYNCS: Final = frozenset({"fsync"})
DATA_SYNCS: Final = frozenset({"fdatasync", "msync"})


class Name(NamedTuple):
    """A call's name as `Call.call`, `Call.known_by` and `Call.reason` tell it."""

    call: str
    known_by: str | None
    reason: str | None = None

    @property
    def sighted(self) -> bool:
        """A witness saw it: the arguments are the call's own."""
        return self.known_by not in {None, "fuse"}


def unknown(reason: str) -> Name:
    """Return the name of a call that can't be named."""
    return Name(UNKNOWN, None, reason)


class Namer:
    """The rules for one recording."""

    def __init__(self, header: Header) -> None:
        self.machine = header.machine
        self.witness = header.witness
        self.look = "none" if header.witness == "none" else "proc"
        """What names a call whose request was looked at (`Call.known_by`)."""
        self.calls = table(header.machine)

    def identify(self, seen: Sighting | None, families: frozenset[str], what: str) -> Syscall | str:
        """Return the call of one of *families* that was seen, or the reason why there is none.

        Args:
            seen: the sighting in the event.
            families: as in `tracefs.syscalls.Syscall.family`.
            what: what the request is, with its article.
        """
        if self.witness == "none":
            return "recorded without a witness"
        if seen is None:
            return "nobody looked at the caller"
        if seen.nr < 0:
            return seen.missing or "the system call could not be read"
        call = self.calls.get(seen.nr)
        if call is not None and call.name in _ASYNCHRONOUS:
            return _ASYNCHRONOUS[call.name]
        if call is None or call.family not in families:
            known = "" if call is None else f" ({call.name})"
            return (
                f"system call {seen.nr}{known} is not {what} in the {self.machine} table: "
                "a 32-bit program?"
            )
        return call

    def numbers(self, names: frozenset[str]) -> dict[int, Syscall]:
        """Return number -> call for some names; empty when nobody looked for callers."""
        if self.witness == "none":
            return {}
        return {nr: call for nr, call in self.calls.items() if call.name in names}

    def sync(self, event: Fsync | Fsyncdir) -> Name:
        """Name an FSYNC or FSYNCDIR; without a witness fsync, fdatasync and msync look alike."""
        if not event.tid and self.witness != "none":
            return unknown("asked for by the kernel, or by a thread not visible here")
        call = self.identify(event.seen, _SYNCING, "a sync")
        if isinstance(call, str):
            return unknown(call)
        if call.family == "write":
            return unknown(f"{call.name} was seen, but no write or flag of it explains this sync")
        if call.name not in (DATA_SYNCS if event.datasync else FULL_SYNCS):
            kind = "a data-only" if event.datasync else "a full"
            return unknown(f"{call.name} was seen, but {kind} sync was asked for")
        return self._of_file(call, event, event.ino)

    def opening(self, event: Open | Create) -> Name | None:
        """Name an open; None: the kernel made it to pass an ioctl on, no call of its own.

        Otherwise the request itself is evidence enough that there was one.
        """
        call = self.identify(event.seen, _OPEN, "an open")
        if isinstance(call, str):
            if not event.flags & ~o_directory(self.machine) and isinstance(event, Open):
                # fuse_priv_ioctl_prepare (fs/fuse/ioctl.c); open(2) adds O_LARGEFILE.
                return unknown(f"open of a 32-bit program, or the kernel's own for ioctl: {call}")
        elif call.family == "ioctl":
            return None
        elif self._same_access(call, event):
            return Name(call.name, self.look)
        return Name("execve" if event.flags & FMODE_EXEC else "open", "fuse")

    def opening_flags(self, event: Open | Create, name: Name) -> tuple[str, ...]:
        """Return the flags that the program gave; of the request's own where they aren't visible.

        The kernel removes O_CREAT, O_EXCL and O_NOCTTY from what it passes on.
        """
        bits = self._argument_flags(event.seen) if name.sighted else None
        if bits is None:
            bits = event.flags | (O_CREAT if isinstance(event, Create) else 0)
            if name.call == "creat":
                bits |= O_CREAT | O_TRUNC
        return open_flags(bits, self.machine)

    def by_family(self, seen: Sighting | None, family: str) -> Name:
        """Name a request that only one kind of call can cause: rename, unlink, mkdir."""
        call = self.identify(seen, _ALLOWED[family], f"a {family}")
        if isinstance(call, str) or seen is None:
            return Name(family, "fuse")
        if family == "rmdir" and call.family == "unlink" and not _removes_directory(call, seen):
            return Name(family, "fuse")
        return Name(call.name, self.look)

    def of_one(self, seen: Sighting | None, name: str) -> Name:
        """Name a request that the call *name* alone causes: FALLOCATE, COPY_FILE_RANGE, IOCTL."""
        call = None if seen is None else self.calls.get(seen.nr)
        return Name(name, "fuse" if call is None or call.name != name else self.look)

    def xattr(self, seen: Sighting | None, plain: str) -> Name:
        """Name a SETXATTR or REMOVEXATTR, whose plain call is *plain*."""
        call = self.identify(seen, _XATTR, f"a {plain}")
        if isinstance(call, str) or not call.name.endswith(plain):
            return Name(plain, "fuse")
        return Name(call.name, self.look)

    def setattr(self, event: Setattr) -> Name | None:
        """Name a change of attributes; None: the kernel made it in passing, no call of its own.

        That is the clearing of setuid bits by a write, and O_TRUNC of an open that succeeded.
        """
        if event.size is not None:
            return self._resize(event)
        call = self.identify(event.seen, _ATTRIBUTES, "a change of attributes")
        if isinstance(call, str):
            return _attributes_alone(event, call)
        if call.family != "attr":
            if _may_clear_setid(event):
                return None
            return unknown(f"{call.name} was seen, which changes no owner or time")
        if not _changes(call.name, event):
            return unknown(f"{call.name} was seen, but the request changes something else")
        return self._of_file(call, event, event.ino)

    def _resize(self, event: Setattr) -> Name | None:
        call = self.identify(event.seen, _RESIZE, "a truncation")
        if isinstance(call, str):
            plain = "truncate" if event.fh is None else "ftruncate"
            if event.size:
                return Name(plain, "fuse")
            return unknown(f"{plain}, or the O_TRUNC of an open: {call}")
        if call.family == "open":
            return self._opened_to_truncate(call, event)
        asked = argument(event.seen, call.length)
        if asked != event.size:
            return unknown(f"{call.name} to {asked} bytes was seen, the request says {event.size}")
        return self._of_file(call, event, event.ino)

    def _opened_to_truncate(self, call: Syscall, event: Setattr) -> Name | None:
        bits = self._argument_flags(event.seen)
        truncates = call.name == "creat" or bits is None or bits & O_TRUNC
        if event.size or not truncates:
            return unknown(f"{call.name} was seen, which doesn't ask for this size")
        if event.errno:
            return unknown(f"the O_TRUNC of {call.name} failed, and so did that call")
        return None

    def _of_file(self, call: Syscall, event: Event, ino: int) -> Name:
        """Name it unless the descriptor is known to be of another file."""
        seen: Sighting | None = getattr(event, "seen", None)
        if seen is not None and seen.fd_ino not in {None, ino} and ino != _ROOT:
            return unknown(other_file(call.name, seen.fd_ino))
        return Name(call.name, self.look)

    def _same_access(self, call: Syscall, event: Open | Create) -> bool:
        if call.flags is None:
            return True
        bits = self._argument_flags(event.seen)
        return bits is None or bits & O_ACCMODE == event.flags & O_ACCMODE

    def _argument_flags(self, seen: Sighting | None) -> int | None:
        if seen is None:
            return None
        call = self.calls.get(seen.nr)
        return None if call is None else argument(seen, call.flags)


def argument(seen: Sighting | None, index: int | None) -> int | None:
    """Return one argument of the call that was seen; None: it has none such, or it isn't known."""
    if seen is None or index is None or index >= len(seen.args):
        return None
    return seen.args[index]


def other_file(call: str, ino: int | None) -> str:
    """Return the reason why a call on another descriptor isn't the one that caused a request."""
    return f"{call} was seen on another file (inode {ino})"


def _removes_directory(call: Syscall, seen: Sighting) -> bool:
    return call.name == "unlinkat" and bool((argument(seen, 2) or 0) & _AT_REMOVEDIR)


def _may_clear_setid(event: Setattr) -> bool:
    """Tell whether the kernel may have asked for it in passing, to have setuid bits cleared.

    It gives the mode alone, or nothing where the filesystem is to find the mode (fuse_setattr in
    fs/fuse/dir.c).
    """
    others = (event.uid, event.gid, event.atime_ns, event.mtime_ns)
    return all(field is None for field in others)


def _changes(call: str, event: Setattr) -> bool:
    """Tell whether *call* can change what *event* changes."""
    owner = event.uid is not None or event.gid is not None
    if call in _BY_MODE:
        return event.mode is not None and not owner
    if call in CHOWNS:
        return event.atime_ns is None and event.mtime_ns is None
    return not owner and event.mode is None


def _attributes_alone(event: Setattr, why: str) -> Name:
    """Name a change of attributes whose caller nobody saw."""
    if _may_clear_setid(event):
        # chown(path, -1, -1) asks for nothing, too.
        call = "chown" if event.mode is None else "chmod"
        return unknown(f"{call}, or the kernel clearing setuid bits: {why}")
    if event.uid is not None or event.gid is not None:
        return Name("chown", "fuse")
    return Name("utimensat", "fuse")
