"""Requests that make, find, move and remove names."""

import contextlib
import errno
from collections.abc import Sequence
from time import monotonic_ns
from typing import NoReturn

from tracefs import events

# isort: split
import pyfuse3

from tracefs.capture.inodes import Node
from tracefs.capture.operations.handlers import (
    Handlers,
    attempt,
    attempt_unless,
    caller,
    guarded,
    injected,
)
from tracefs.capture.replies import attributes, no_entry
from tracefs.capture.space import needs_block
from tracefs.events import is_ack
from tracefs.faults.engine import Fault
from tracefs.filecalls import RENAME_EXCHANGE
from tracefs.pathtext import to_text


class NameOperations(Handlers):
    """Requests that make, find, move and remove names."""

    @guarded
    async def lookup(
        self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Find *name*; the look-up count of what is found goes up by one. ENOENT: `no_entry`."""
        start = monotonic_ns()
        parent = self._inodes[parent_inode]
        failed, found = attempt(self._backing.lookup, parent, name)
        if self._recorder.queries:
            self._recorder.query(
                "lookup", start, ctx.pid, failed, parent_inode, self._text(parent, name)
            )
        if failed == errno.ENOENT or (failed == errno.ENAMETOOLONG and is_ack(name)):
            return no_entry()
        if found is None:
            raise pyfuse3.FUSEError(failed)
        node, info = found
        if info.st_nlink > 1:
            self._inodes.asked(ctx.pid, node, parent, name)
        return attributes(node, info)

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        """Take back look-up counts; never fails."""
        for ino, count in inode_list:
            with contextlib.suppress(OSError):
                self._inodes.forget(ino, count)

    @guarded
    async def readlink(self, inode: int, ctx: pyfuse3.RequestContext) -> bytes:
        """Return what a symbolic link says."""
        start = monotonic_ns()
        node = self._inodes[inode]
        failed, target = attempt(self._backing.readlink, node)
        self._query("readlink", start, ctx.pid, failed, node)
        if target is None:
            raise pyfuse3.FUSEError(failed)
        return target

    @guarded
    async def mknod(
        self, parent_inode: int, name: bytes, mode: int, rdev: int, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Make a file, FIFO, socket or device for the caller; look-up count one."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        parent = self._inodes[parent_inode]
        path = self._text(parent, name)
        fault = self._fault_of_names("mknod", ctx.pid, seen, path)
        await self._enter(fault)
        failed, made = attempt_unless(
            fault, self._backing.mknod, parent, name, mode, rdev, caller(ctx)
        )
        if made is not None:
            self._begin_rules(made[0])
        await self._leave(fault)
        self._record(
            events.Mknod(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=made[0].ino if made else 0,
                uid=made[1].st_uid if made else None,
                gid=made[1].st_gid if made else None,
                mode=mode,
                rdev=rdev,
            )
        )
        if made is None:
            raise pyfuse3.FUSEError(failed)
        return attributes(*made)

    @guarded
    async def mkdir(
        self, parent_inode: int, name: bytes, mode: int, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Make a directory for the caller; look-up count one. EEXIST: it is an acknowledgement."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        parent = self._inodes[parent_inode]
        path = self._text(parent, name)
        if is_ack(name):
            self._acknowledge(start, ctx.pid, seen, path, mode & 0o7777)
        fault = self._fault_of_names("mkdir", ctx.pid, seen, path)
        await self._enter(fault)
        failed, made = attempt_unless(
            self._unless_full(fault), self._backing.mkdir, parent, name, mode & 0o7777, caller(ctx)
        )
        if made is not None:
            self._begin_rules(made[0])
        await self._leave(fault)
        self._record(
            events.Mkdir(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=made[0].ino if made else 0,
                uid=made[1].st_uid if made else None,
                gid=made[1].st_gid if made else None,
                mode=mode & 0o7777,
            )
        )
        if made is None:
            raise pyfuse3.FUSEError(failed)
        return attributes(*made)

    @guarded
    async def symlink(
        self, parent_inode: int, name: bytes, target: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Make a symbolic link for the caller; look-up count one."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        parent = self._inodes[parent_inode]
        path = self._text(parent, name)
        fault = self._fault_of_names("symlink", ctx.pid, seen, path)
        await self._enter(fault)
        if needs_block(target):
            fault = self._unless_full(fault)
        failed, made = attempt_unless(
            fault, self._backing.symlink, parent, name, target, caller(ctx)
        )
        if made is not None:
            self._begin_rules(made[0])
        await self._leave(fault)
        self._record(
            events.Symlink(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=made[0].ino if made else 0,
                uid=made[1].st_uid if made else None,
                gid=made[1].st_gid if made else None,
                target=to_text(target),
            )
        )
        if made is None:
            raise pyfuse3.FUSEError(failed)
        return attributes(*made)

    @guarded
    async def link(
        self, inode: int, new_parent_inode: int, new_name: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Give a file one more name; its look-up count goes up by one."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        node, parent = self._inodes[inode], self._inodes[new_parent_inode]
        old = to_text(self._inodes.path_used(ctx.pid, node))
        path = self._text(parent, new_name)
        fault = self._fault_of_names("link", ctx.pid, seen, old, path)
        await self._enter(fault)
        failed, made = attempt_unless(fault, self._backing.link, node, parent, new_name)
        self._forget_rules(node)
        await self._leave(fault)
        self._record(
            events.Link(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=inode,
                old=old,
            )
        )
        if made is None:
            raise pyfuse3.FUSEError(failed)
        return attributes(*made)

    @guarded
    async def unlink(self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> None:
        """Remove a name; the file stays as long as the kernel remembers it."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        parent = self._inodes[parent_inode]
        path = self._text(parent, name)
        fault = self._fault_of_names("unlink", ctx.pid, seen, path)
        await self._enter(fault)
        if self._space:
            self._space_of(parent, name)
        if self._keeper is not None:
            await self._keeper.before_removal(parent, name)
        failed, node = attempt_unless(fault, self._backing.unlink, parent, name)
        if self._space and node is not None:
            self._space.left(node)
        self._forget_rules(node)
        await self._leave(fault)
        self._record(
            events.Unlink(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=node.ino if node else 0,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)

    @guarded
    async def rmdir(self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> None:
        """Remove an empty directory, else ENOTEMPTY."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        parent = self._inodes[parent_inode]
        path = self._text(parent, name)
        fault = self._fault_of_names("rmdir", ctx.pid, seen, path)
        await self._enter(fault)
        failed, node = attempt_unless(fault, self._backing.rmdir, parent, name)
        await self._leave(fault)
        self._record(
            events.Rmdir(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=node.ino if node else 0,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)

    @guarded
    async def rename(
        self,
        parent_inode_old: int,
        name_old: bytes,
        parent_inode_new: int,
        name_new: bytes,
        flags: int,
        ctx: pyfuse3.RequestContext,
    ) -> None:
        """Rename, with RENAME_NOREPLACE (EEXIST) and RENAME_EXCHANGE."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        old_parent, parent = self._inodes[parent_inode_old], self._inodes[parent_inode_new]
        old, path = self._text(old_parent, name_old), self._text(parent, name_new)
        fault = self._fault_of_names("rename", ctx.pid, seen, old, path)
        await self._enter(fault)
        if self._space:
            self._space_of(parent, name_new)
        if self._keeper is not None and not flags & RENAME_EXCHANGE:
            await self._keeper.before_removal(parent, name_new)
        failed, nodes = attempt_unless(
            fault, self._backing.rename, old_parent, name_old, parent, name_new, flags
        )
        moved, replaced = nodes or (None, None)
        if self._space and replaced is not None:
            self._space.left(replaced)
        if self._faults is not None:
            self._faults.renamed()
        await self._leave(fault)
        self._record(
            events.Rename(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                old=old,
                flags=flags,
                ino=moved.ino if moved else 0,
                replaced=replaced.ino if replaced else 0,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)

    def _acknowledge(
        self, start: int, tid: int, seen: events.Sighting | None, path: str, mode: int
    ) -> NoReturn:
        """Record what the program says, and refuse to make it; no rule is for it."""
        self._record(
            events.Mkdir(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=errno.EEXIST,
                seen=seen,
                path=path,
                ino=0,
                mode=mode,
            )
        )
        raise pyfuse3.FUSEError(errno.EEXIST)

    def _unless_full(self, fault: Fault | None) -> Fault | None:
        """Return *fault*; it fails with ENOSPC where its rule's disk has no block left."""
        rule = None if fault is None else fault.outcome
        if fault is None or rule is None or rule.full is None or fault.given_up:
            return fault
        if not self._space.take(rule):
            fault.note(rule, "full")
            fault.given_up = errno.ENOSPC
        return fault

    def _space_of(self, parent: Node, name: bytes) -> None:
        """Take note of what a file has, whose name may be its last and goes."""
        node = self._backing.child(parent, name)
        if node is not None:
            with contextlib.suppress(OSError):
                self._space.before_cut(node, self._backing.magic(node))
