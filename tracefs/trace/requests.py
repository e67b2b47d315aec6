"""Requests that are one call each: syncs, opens, closes, names and attributes."""

from collections.abc import Callable
from errno import EINTR, errorcode
from typing import Any, Final

from msgspec.structs import replace

from tracefs.events import (
    LOSES,
    Copy,
    Create,
    Event,
    Fallocate,
    Flush,
    Fsync,
    Fsyncdir,
    Ioctl,
    Link,
    Mkdir,
    Mknod,
    Open,
    Read,
    Removexattr,
    Rename,
    Rmdir,
    Setattr,
    Setxattr,
    Sighting,
    Symlink,
    Unlink,
    is_pretended,
)
from tracefs.trace.call import Call
from tracefs.trace.flags import O_TMPFILE, fallocate_flags, rename_flags
from tracefs.trace.handles import NOT_OPENED, Handles
from tracefs.trace.naming import DATA_SYNCS, FULL_SYNCS, UNKNOWN, Name, Namer, argument
from tracefs.trace.notices import Notices
from tracefs.trace.output import Output
from tracefs.trace.retried import FailedSyncs

_FETCHED: Final = "pages that the kernel fetched: which call wanted them is not visible"

_NOBODY: Final = Sighting()
"""Stands for a sighting where there is none."""
_SHORTENED: Final = "what was asked for is in the caller alone: the kernel ends it with the file"


UNCACHED: Final = "past the kernel's cache for the sake of a rule: no shared mapping of it"
"""Label of an open."""


class Requests:
    """Turns each request into its call."""

    def __init__(
        self,
        namer: Namer,
        handles: Handles,
        notices: Notices,
        output: Output,
        failed: Callable[[int, int], None],
    ) -> None:
        """*failed* is told of a sync that failed: inode number, and index of the call."""
        self._namer = namer
        self._handles = handles
        self._out = output
        self._witness = namer.look
        self._notices = notices
        self._full = namer.numbers(FULL_SYNCS)
        self._data = namer.numbers(DATA_SYNCS)
        self._failed = failed
        self.failed_syncs = FailedSyncs()

    def fsync(self, event: Fsync) -> None:
        """FSYNC that no write implies."""
        seen = event.seen
        if seen is not None:
            call = (self._data if event.datasync else self._full).get(seen.nr)
            handle = self._handles.get(event.fh)
            if (
                call is not None
                and handle is not None
                and seen.fd_ino in {None, event.ino}
                and not (event.errno or event.injected)
                and not self.failed_syncs
            ):
                out = self._out
                out.items.append(
                    # By position: keywords cost as much as all the rest.
                    Call(
                        out.calls, call.name, "sync", self._witness, handle.path, event.start_ns,
                        event.end_ns, event.tid, seen.pid, seen.comm, event.ino, event.fh, seen.fd,
                        None, None, 0, 0, (), 0, seen.position, None, None, False, None,
                        event.datasync,
                    )
                )  # fmt: skip
                out.calls += 1
                return
        index, loses = self._out.calls, _loses(event)
        self._on_handle(
            event,
            self._namer.sync(event),
            "sync",
            result=_zero(event),
            datasync=event.datasync,
            after_failed=None if event.errno or loses else self.failed_syncs.before(event.ino),
        )
        if loses:
            self._failed(event.ino, index)

    def fsyncdir(self, event: Fsyncdir) -> None:
        """FSYNCDIR."""
        name = self._namer.sync(event)
        self._named(event, name, "syncdir", datasync=event.datasync)

    def open(self, event: Open | Create) -> None:
        """OPEN or CREATE."""
        name = self._namer.opening(event)
        ok = _is_done(event)
        if ok:
            self._handles.opened(event)
        if name is None:
            return
        self._named(
            event,
            name,
            "open",
            handle=event.fh if ok else None,
            returns=False,  # the descriptor's number is made after the reply
            flags=self._namer.opening_flags(event, name),
            created=_makes_name(event),
            size=event.size if ok else None,
            note=UNCACHED if event.uncached else None,
        )

    def copy(self, event: Copy) -> None:
        """COPY_FILE_RANGE: a write, whose length is in the call alone."""
        name = self._namer.of_one(event.seen, "copy_file_range")
        length = argument(event.seen, 4) if name.sighted else None
        self._on_handle(
            event,
            name if length is not None else name._replace(reason=_SHORTENED),
            "write",
            target=self._path(event.from_fh),
            offset=event.offset,
            length=length,
            result=None if event.errno else event.result,
            fragments=1,
        )

    def fallocate(self, event: Fallocate) -> None:
        """FALLOCATE."""
        self._on_handle(
            event,
            self._namer.of_one(event.seen, "fallocate"),
            "allocate",
            result=_zero(event),
            offset=event.offset,
            length=event.size,
            flags=fallocate_flags(event.mode),
        )

    def ioctl(self, event: Ioctl) -> None:
        """IOCTL that set inode flags."""
        self._named(event, self._namer.of_one(event.seen, "ioctl"), "attr")

    def flush(self, event: Flush) -> None:
        """FLUSH."""
        closing = self._notices.closing(event)
        note = closing.note
        if event.errno and not closing.tells:
            failed = f"FLUSH failed with {errorcode.get(event.errno, event.errno)}, told to nobody"
            note = failed if note is None else f"{note}; {failed}"
            event = replace(event, errno=0)
        self._on_handle(
            event,
            closing.name,
            "close",
            fd=closing.fd,
            note=note,
            result=closing.result if closing.returns and not event.errno else None,
        )

    def setattr(self, event: Setattr) -> None:
        """SETATTR, unless the kernel made it in passing."""
        name = self._namer.setattr(event)
        if name is None:
            return
        family = "attr" if event.size is None else "truncate"
        self._named(event, name, family, handle=event.fh, length=event.size)

    def rename(self, event: Rename) -> None:
        """RENAME."""
        if _is_done(event):
            self._handles.renamed(event)
        name = self._namer.by_family(event.seen, "rename")
        flags = rename_flags(event.flags)
        self._named(
            event,
            name,
            "rename",
            path=event.old,
            target=event.path,
            flags=flags,
            # 0 may mean that nobody knows what had the name.
            replaced=True if event.replaced and not event.errno else None,
        )

    def unlink(self, event: Unlink) -> None:
        """UNLINK."""
        if _is_done(event):
            self._handles.unlinked(event)
        self._by_family(event, "unlink")

    def rmdir(self, event: Rmdir) -> None:
        """RMDIR."""
        self._by_family(event, "rmdir")

    def link(self, event: Link) -> None:
        """LINK."""
        if _is_done(event):
            self._handles.linked(event)
        self._by_family(event, "link", target=event.old)

    def symlink(self, event: Symlink) -> None:
        """SYMLINK."""
        self._by_family(event, "symlink", target=event.target)

    def mkdir(self, event: Mkdir) -> None:
        """MKDIR."""
        self._by_family(event, "mkdir")

    def mknod(self, event: Mknod) -> None:
        """MKNOD."""
        self._by_family(event, "mknod")

    def setxattr(self, event: Setxattr) -> None:
        """SETXATTR."""
        name = self._namer.xattr(event.seen, "setxattr")
        self._named(event, name, "xattr", length=event.size)

    def removexattr(self, event: Removexattr) -> None:
        """REMOVEXATTR."""
        self._named(event, self._namer.xattr(event.seen, "removexattr"), "xattr")

    def read(self, event: Read) -> None:
        """READ: not a call, so it is neither numbered nor counted."""
        self._out.items.append(
            Call(
                index=-1,
                call=UNKNOWN,
                family="read",
                known_by=None,
                path=self._path(event.fh),
                start_ns=event.start_ns,
                end_ns=event.end_ns,
                tid=event.tid or None,
                ino=event.ino,
                handle=event.fh,
                offset=event.offset,
                length=event.size,
                result=None if event.errno else event.result,
                errno=event.errno,
                reason=_FETCHED,
                injected=event.injected,
            )
        )

    def _by_family(self, event: Any, family: str, target: str | None = None) -> None:
        self._named(event, self._namer.by_family(event.seen, family), family, target=target)

    def _path(self, fh: int) -> str | None:
        handle = self._handles.get(fh)
        return None if handle is None else handle.path

    def _on_handle(
        self,
        event: Fsync | Flush | Copy | Fallocate,
        name: Name,
        family: str,
        *,
        result: int | None = None,
        fd: int | None = None,
        offset: int | None = None,
        length: int | None = None,
        flags: tuple[str, ...] = (),
        fragments: int = 0,
        target: str | None = None,
        datasync: bool = False,
        note: str | None = None,
        after_failed: int | None = None,
    ) -> None:
        """Append the call of a request that names an open, not a path."""
        path = self._path(event.fh)
        reason = name.reason
        if path is None:
            reason = NOT_OPENED if reason is None else f"{reason}; {NOT_OPENED}"
        seen: Sighting = getattr(event, "seen", None) or _NOBODY
        sighted = seen is not _NOBODY and name.sighted
        out = self._out
        out.items.append(
            # By position: keywords cost as much as all the rest.
            Call(
                out.calls, name.call, family, name.known_by, path, event.start_ns, event.end_ns,
                event.tid or None, seen.pid, seen.comm, event.ino, event.fh,
                seen.fd if sighted else fd, offset, length, result, event.errno, flags, fragments,
                seen.position if sighted else None, None, target, False, None, datasync, note,
                None, (), None, reason, None, event.injected, after_failed,
            )
        )  # fmt: skip
        out.calls += 1
        out.unknown += name.call == UNKNOWN

    def _named(
        self,
        event: Any,
        name: Name,
        family: str,
        *,
        path: str | None = None,
        handle: int | None = None,
        length: int | None = None,
        returns: bool = True,
        flags: tuple[str, ...] = (),
        target: str | None = None,
        created: bool = False,
        size: int | None = None,
        datasync: bool = False,
        note: str | None = None,
        replaced: bool | None = None,
    ) -> None:
        """Append the call of a request that names a path; *path*: another than the request's.

        It *returns* 0 unless it failed, or another number, which is not known.
        """
        errno, seen, sighted = event.errno, event.seen or _NOBODY, name.sighted
        out = self._out
        out.items.append(
            # By position, as above.
            Call(
                out.calls, name.call, family, name.known_by, event.path if path is None else path,
                event.start_ns, event.end_ns, event.tid or None, seen.pid, seen.comm,
                event.ino or None, handle, seen.fd if sighted else None, None, length,
                None if errno or not returns else 0, errno, flags, 0,
                seen.position if sighted else None, None, target, created, size, datasync, note,
                None, (), None, name.reason, replaced, event.injected,
            )
        )  # fmt: skip
        out.calls += 1
        out.unknown += name.call == UNKNOWN


def _zero(event: Event) -> int | None:
    """Return the result of a call that returns 0 if *event* succeeds."""
    return None if event.errno else 0


def _is_done(event: Event) -> bool:
    """Tell whether *event* succeeded, and did what it says."""
    return not event.errno and not (event.injected and is_pretended(event.injected))


def _makes_name(event: Open | Create) -> bool:
    """Tell whether a file and its name were made: an O_TMPFILE has none."""
    if not isinstance(event, Create) or not _is_done(event) or event.existed:
        return False
    return not event.flags & O_TMPFILE


def _loses(event: Fsync) -> bool:
    """Return whether what the sync was to save may be lost; an interrupted one loses nothing."""
    return event.errno not in {0, EINTR} or any(one.kind == LOSES for one in event.injected)
