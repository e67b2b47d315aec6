"""Requests for attributes, extended ones, and the state of the filesystem."""

import errno
import os
from time import monotonic_ns

from tracefs import events
from tracefs.capture.request import current  # before pyfuse3

# isort: split
import pyfuse3

from tracefs.capture.backing import NOTHING, Changes
from tracefs.capture.callers import calls_chown
from tracefs.capture.inodes import Node
from tracefs.capture.operations.handlers import (
    attempt,
    attempt_unless,
    guarded,
    injected,
)
from tracefs.capture.operations.played import PlayedOperations
from tracefs.capture.replies import attributes, statvfs
from tracefs.faults.asked import TRUNCATE
from tracefs.pathtext import to_text


class AttributeOperations(PlayedOperations):
    """Requests for attributes, extended ones, and the state of the filesystem."""

    @guarded
    async def getattr(self, inode: int, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        """Return the attributes of the backing file."""
        start = monotonic_ns()
        node = self._inodes[inode]
        failed, info = attempt(self._backing.getattr, node)
        self._query("getattr", start, ctx.pid, failed, node)
        if info is None:
            raise pyfuse3.FUSEError(failed)
        return attributes(node, info)

    @guarded
    async def setattr(
        self,
        inode: int,
        attr: pyfuse3.EntryAttributes,
        fields: pyfuse3.SetattrFields,
        fh: int | None,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Change mode, owner, size or times, by descriptor where the request has one."""
        start = monotonic_ns()
        tid, _, kills_setid = current()
        seen = self._look(ctx.pid)
        node = self._inodes[inode]
        opened = None if fh is None else self._files.get(fh)
        if opened is not None:
            opened.closed = False
        changes = Changes(
            mode=attr.st_mode & 0o7777 if fields.update_mode else None,
            uid=attr.st_uid if fields.update_uid else None,
            gid=attr.st_gid if fields.update_gid else None,
            size=attr.st_size if fields.update_size else None,
            atime_ns=attr.st_atime_ns if fields.update_atime else None,
            mtime_ns=attr.st_mtime_ns if fields.update_mtime else None,
        )
        # The kernel asks at every change of owner, though root's keeps some bits (chown_common). A
        # request for nothing is chown(path, -1, -1), or comes before a write, a copy or an
        # allocation, which anybody may (file_modified).
        asks_nothing = changes == NOTHING
        kills_setid = kills_setid or asks_nothing
        killer = tid if kills_setid and (fields.update_size or ctx.uid != 0) else None
        forbidden = (
            asks_nothing
            and ctx.uid != 0
            and not self._backing.may_change_nothing(node, ctx.uid, tid)
        )
        fd = opened.fd if opened else None
        request = "setattr" if changes.size is None else TRUNCATE
        fault = self._fault(request, ctx.pid, seen, inode)
        await self._enter(fault)
        failed, truncated = 0 if fault is None else fault.error, False
        if self._space and changes.size is not None and not failed:
            self._space.before_cut(node, self._backing.magic(node))
        await self._before_change(node, changes=not failed and _shows_change(changes))
        if not failed:
            failed, truncated = await self._truncate_long(node, fd, changes.size)
        done = None
        if forbidden and not failed and calls_chown(tid):
            failed = errno.EPERM
        elif not failed:
            failed, done = attempt(
                lambda: self._backing.setattr(node, changes, fd, killer, truncated=truncated)
            )
        info, left_mode = done or (None, None)
        if self._space and changes.size is not None and not failed:
            self._space.cut(node, changes.size)
        if info is not None and changes.size is not None:
            self._after_resize(node, changes.size)
        await self._leave(fault)
        self._record(
            events.Setattr(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=to_text(self._inodes.path_used(ctx.pid, node)),
                ino=node.shown,
                fh=fh,
                mode=changes.mode,
                uid=changes.uid,
                gid=changes.gid,
                size=changes.size,
                atime_ns=changes.atime_ns,
                mtime_ns=changes.mtime_ns,
                left_mode=left_mode,
            )
        )
        if info is None:
            raise pyfuse3.FUSEError(failed)
        return attributes(node, info)

    async def _truncate_long(
        self, node: Node, fd: int | None, size: int | None
    ) -> tuple[int, bool]:
        """Cut the file off in a thread if that takes long: error number, and whether it was."""
        if size is None or not attempt(self._backing.frees_much, node, size)[1]:
            return 0, False
        # One's own: that of the node may be closed while other requests are handled.
        failed, own = (0, fd) if fd is not None else attempt(self._backing.open, node, os.O_WRONLY)
        if own is None:
            # A lease is in the way: truncate(2) waits for its end.
            return (0 if failed == errno.EAGAIN else failed), False
        failed, _ = await self._syncer.in_thread(attempt, os.ftruncate, own, size)
        if fd is None:
            os.close(own)
        return failed, True

    @guarded
    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Return the state of the filesystem below."""
        start = monotonic_ns()
        failed, info = attempt(self._backing.statfs)
        self._record(
            events.Statfs(start_ns=start, end_ns=monotonic_ns(), tid=ctx.pid, errno=failed)
        )
        if info is None:
            raise pyfuse3.FUSEError(failed)
        return statvfs(info)

    @guarded
    async def getxattr(self, inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> bytes:
        """Return an extended attribute; ENODATA where there is none."""
        start = monotonic_ns()
        node = self._inodes[inode]
        failed, value = attempt(self._backing.getxattr, node, name)
        self._query("getxattr", start, ctx.pid, failed, node)
        if value is None:
            raise pyfuse3.FUSEError(failed)
        return value

    @guarded
    async def listxattr(self, inode: int, ctx: pyfuse3.RequestContext) -> list[bytes]:
        """Return the names of the extended attributes."""
        start = monotonic_ns()
        node = self._inodes[inode]
        failed, names = attempt(self._backing.listxattr, node)
        self._query("listxattr", start, ctx.pid, failed, node)
        if names is None:
            raise pyfuse3.FUSEError(failed)
        return names

    @guarded
    async def setxattr(
        self, inode: int, name: bytes, value: bytes, ctx: pyfuse3.RequestContext
    ) -> None:
        """Set an extended attribute, an ACL among them."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        node = self._inodes[inode]
        setter = ctx.pid if ctx.uid != 0 else None
        fault = self._fault("setxattr", ctx.pid, seen, inode)
        await self._enter(fault)
        failed, left_mode = attempt_unless(fault, self._backing.setxattr, node, name, value, setter)
        await self._leave(fault)
        self._record(
            events.Setxattr(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=to_text(self._inodes.path_used(ctx.pid, node)),
                ino=node.shown,
                name=to_text(name),
                size=len(value),
                payload=None if failed else self._recorder.value(value),
                left_mode=left_mode,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)

    @guarded
    async def removexattr(self, inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> None:
        """Remove an extended attribute; ENODATA where there is none."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        node = self._inodes[inode]
        fault = self._fault("removexattr", ctx.pid, seen, inode)
        await self._enter(fault)
        failed, _ = attempt_unless(fault, self._backing.removexattr, node, name)
        await self._leave(fault)
        self._record(
            events.Removexattr(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=to_text(self._inodes.path_used(ctx.pid, node)),
                ino=node.shown,
                name=to_text(name),
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)


def _shows_change(changes: Changes) -> bool:
    """Tell whether what the file held before can't be known from it any more."""
    # By its time of change a file that was not kept is known to be as it was.
    return changes.size is not None or changes.mtime_ns is not None
