"""Requests on open files."""

import errno
import os
from time import monotonic_ns
from typing import Final

from tracefs import events
from tracefs.capture.request import (  # before pyfuse3
    CARRIED,
    current,
    direct,
    synchronous,
    unique,
)

# isort: split
import pyfuse3
import trio

from tracefs.capture import freeing
from tracefs.capture.backing import errno_of
from tracefs.capture.inodes import Node
from tracefs.capture.keeping import may_change
from tracefs.capture.operations.contents import ContentsOfRules
from tracefs.capture.operations.handlers import (
    attempt,
    attempt_unless,
    caller,
    guarded,
    injected,
)
from tracefs.capture.operations.played import PlayedOperations
from tracefs.capture.replies import attributes
from tracefs.pathtext import to_text

_PATIENCE_S: Final = 0.1
"""For a look at who wrote by O_DIRECT."""
_EXEC_NS: Final = 1_000_000_000
"""How long who could not be looked at in time is not looked at again."""


class FileOperations(ContentsOfRules, PlayedOperations):
    """Requests on open files."""

    @guarded
    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        """Open with the caller's access mode, on a descriptor of its own."""
        start = monotonic_ns()
        tid, _, kills_setid = current()
        seen = self._look(ctx.pid)
        node = self._inodes[inode]
        killer = tid if flags & os.O_TRUNC and kills_setid else None
        fault = self._fault("open", ctx.pid, seen, inode)
        await self._enter(fault)
        failed, fd = 0 if fault is None else fault.error, None
        await self._before_change(node, changes=not failed and may_change(flags))
        if not failed and not flags & os.O_TRUNC:
            failed, fd = attempt(self._backing.open, node, flags)
        if (flags & os.O_TRUNC and not failed) or (failed == errno.EAGAIN and fault is None):
            failed, fd = await self._open(node, flags)
        fh = size = 0
        left_mode = None
        if fd is not None:
            try:
                if killer is not None:
                    left_mode = self._backing.drop_setid(fd, killer)
                info = os.stat(fd)
            except OSError as error:
                os.close(fd)
                failed = errno_of(error)
            else:
                size = info.st_size
                fh = self.opened(fd, node, flags)
        if failed == errno.ESTALE and self._asks_again(ctx.pid, self._inodes.path(node)):
            raise pyfuse3.FUSEError(failed)
        await self._leave(fault)
        path = to_text(self._inodes.path_used(ctx.pid, node))
        uncached = False
        if fh:
            self._inodes.was_opened(node, info, path)
            uncached = self._goes_past_cache(fh, path)
        self._record(
            events.Open(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=ctx.pid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=path,
                ino=inode,
                fh=fh,
                flags=flags,
                uncached=uncached,
                size=size,
                left_mode=left_mode,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)
        return self._file_info(fh)

    async def _open(self, node: Node, flags: int) -> tuple[int, int | None]:
        """Open it, though that may take long; in a thread cut it off (O_TRUNC) if that does."""
        cuts = bool(flags & os.O_TRUNC and flags & os.O_ACCMODE != os.O_RDONLY)
        slowly = cuts and bool(attempt(self._backing.frees_much, node, 0)[1])
        asked = flags & ~os.O_TRUNC if slowly else flags
        failed, fd = attempt(self._backing.open, node, asked)
        if failed == errno.EAGAIN and not flags & os.O_NONBLOCK:
            failed, fd = await self._open_patiently(node, asked)
        if slowly and fd is not None:
            failed, _ = await self._syncer.in_thread(attempt, os.ftruncate, fd, 0)
            if failed:
                os.close(fd)
                fd = None
        return failed, fd

    @guarded
    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: pyfuse3.RequestContext
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        """Make and open a file for the caller; EEXIST only with O_EXCL. Look-up count one."""
        start = monotonic_ns()
        seen = self._look(ctx.pid)
        parent = self._inodes[parent_inode]
        mode &= 0o7777
        fault = self._fault_of_names("create", ctx.pid, seen, self._text(parent, name))
        await self._enter(fault)
        failed, made = attempt_unless(
            fault, self._backing.create, parent, name, mode, flags, caller(ctx)
        )
        if failed == errno.ESTALE and self._asks_again(ctx.pid, self._inodes.path_of(parent, name)):
            raise pyfuse3.FUSEError(failed)
        path = self._inodes.path_of(parent, name)
        await self._leave(fault)
        fh = self._record_made(
            start, ctx.pid, seen, failed, made, path=path, flags=flags, mode=mode, fault=fault
        )
        if made is None:
            raise pyfuse3.FUSEError(failed)
        _, node, info = made
        return self._file_info(fh), attributes(node, info)

    @guarded
    async def read(self, fh: int, off: int, size: int) -> bytes:
        """Read from the backing file; short only at its end. Some other requests come here, too."""
        if fh == CARRIED:
            return await self._answer_carried()
        start = monotonic_ns()
        tid, _, _ = current()
        opened = self._files[fh]
        fault = self._fault("read", tid, None, opened.ino, off, size)
        await self._enter(fault)
        failed, data = attempt_unless(fault, os.pread, opened.fd, size, off)
        if data and fault is not None and fault.rot is not None:
            data = self._rotten(fault, fault.rot, opened, off, data)
        await self._leave(fault)
        self._record(
            events.Read(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                injected=injected(fault),
                ino=opened.node.ino,
                fh=fh,
                offset=off,
                size=size,
                result=len(data) if data is not None else 0,
            )
        )
        if data is None:
            raise pyfuse3.FUSEError(failed)
        return data

    @guarded
    async def write(self, fh: int, off: int, buf: bytes) -> int:
        """Write at the offset that the kernel gives; a short write stays short."""
        start = monotonic_ns()
        tid, cached, kills_setid = current()
        number = unique() if self._faults is not None else 0
        opened = self._files[fh]
        by_direct, sync = direct(), synchronous() if opened.uncached else 0
        seen = None
        if by_direct and self._recorder.looks:
            seen = await self._look_apart(tid)
        elif not cached:
            seen = self._look(tid)
        if not cached:
            opened.closed = False
        fault = None
        if self._faults is not None and not cached:
            fault = self._faults.of_file(number, "write", tid, seen, opened.ino, off, len(buf))
            await self._enter(fault)
        elif self._faults is not None:
            fault = self._fault_of_store(opened.node)
        failed = result = 0
        left_mode = None
        if fault is not None and fault.does_nothing:
            # More than was asked for is EIO to the kernel (fuse_send_write_pages, fs/fuse/file.c).
            failed, result = fault.error, min(fault.limit or 0, len(buf))
        else:
            try:
                if kills_setid:
                    left_mode = self._backing.drop_setid(opened.fd, tid)
                self._before_write(opened, off, len(buf))
                result = self._write(fault, opened, off, buf, sync, by_direct=by_direct)
                past = by_direct or bool(opened.uncached and sync)
                self._after_write(opened, off, result, through=past)
            except OSError as error:
                failed = errno_of(error)
        await self._leave(fault)
        payload, digest = self._recorder.contents(buf, result)
        self._record(
            events.Write(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                injected=injected(fault),
                ino=opened.node.ino,
                fh=fh,
                offset=off,
                size=len(buf),
                result=result,
                cached=bool(cached),
                payload=payload,
                digest=digest,
                zero=buf == b"\0",
                left_mode=left_mode,
                seen=seen,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)
        return result

    @guarded
    async def fsync(self, fh: int, datasync: bool) -> None:
        """Sync the backing file; its error is the reply."""
        start = monotonic_ns()
        tid, _, _ = current()
        seen = self._look(tid)
        opened = self._files[fh]
        opened.closed = False
        fault = self._fault("fsync", tid, seen, opened.ino)
        await self._enter(fault)
        failed, told = await self._synced(opened, fault, datasync=datasync)
        await self._leave(fault)
        self._record(
            events.Fsync(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                injected=told,
                ino=opened.node.ino,
                fh=fh,
                datasync=datasync,
                seen=seen,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)

    @guarded
    async def flush(self, fh: int) -> None:
        """A descriptor of the open was closed. No look at the caller: `tracefs.witness.proc`."""
        start = monotonic_ns()
        tid, _, _ = current()
        opened = self._files[fh]
        opened.closed = True
        fault = self._fault("flush", tid, None, opened.ino)
        await self._enter(fault)
        failed = 0 if fault is None else fault.error
        if fault is None or not fault.does_nothing:
            failed, _ = attempt(self._spare.close_duplicate, opened.fd)
        await self._leave(fault)
        self._record(
            events.Flush(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                injected=injected(fault),
                ino=opened.node.ino,
                fh=fh,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)

    @guarded
    async def release(self, fh: int) -> None:
        """The open is over. No look at the caller: see `tracefs.witness.proc`."""
        start = monotonic_ns()
        tid, _, _ = current()
        opened = self._files.pop(fh)
        self._after_release(opened)
        failed, _ = attempt(
            os.close if opened.node.parent is not None else freeing.close, opened.fd
        )
        self._record(
            events.Release(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                ino=opened.node.ino,
                fh=fh,
            )
        )
        if self._space:
            self._space.left(opened.node)

    async def _open_patiently(self, node: Node, flags: int) -> tuple[int, int | None]:
        """Wait for the end of somebody's lease while other requests go on."""
        failed, wait = attempt(self._backing.patient_open, node, flags)
        if wait is None:
            return failed, None
        try:
            return 0, await self._syncer.in_thread(wait)
        except OSError as error:
            return errno_of(error), None

    async def _look_apart(self, tid: int) -> events.Sighting | None:
        """Look at a thread that may be inside exec, which then waits for this very reply.

        exec waits for the thread's asynchronous writes (exit_aio in fs/aio.c) while it holds the
        ``exec_update_lock`` that a look takes.
        """
        # In turn: the kernel sends the pieces of a long one in their order, all at once.
        with self._syncer.through_trio():
            await self._direct_writes.acquire()
        try:
            inside_exec, until_ns = self._inside_exec
            if tid != inside_exec or monotonic_ns() >= until_ns:
                with trio.move_on_after(_PATIENCE_S):
                    return await self._syncer.in_thread(self._recorder.look_apart, tid)
                self._inside_exec = tid, monotonic_ns() + _EXEC_NS
        finally:
            self._direct_writes.release()
        return events.Sighting(missing="the caller may be inside exec: it could not be looked at")

    def _asks_again(self, tid: int, path: bytes) -> bool:
        """Return whether the kernel asks again before it tells the program of ESTALE.

        It walks the path once more, and gives up at the second (do_filp_open in fs/namei.c).
        """
        asked = (tid, path)
        again = self._asked_again != asked
        self._asked_again = asked if again else None
        return again

    def _file_info(self, fh: int) -> pyfuse3.FileInfo:
        # Without keep_cache each open drops the file's cached pages, so that a change made past
        # the mount is seen, as close-to-open filesystems promise.
        direct_io = self._direct_io or self._files[fh].uncached
        return pyfuse3.FileInfo(fh=fh, direct_io=direct_io, keep_cache=False)
