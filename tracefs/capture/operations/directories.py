"""Requests on open directories."""

import os
from time import monotonic_ns

from tracefs import events
from tracefs.capture.request import current  # before pyfuse3

# isort: split
import pyfuse3

from tracefs.capture.operations.handlers import (
    Handlers,
    OpenDirectory,
    attempt,
    guarded,
    injected,
)
from tracefs.capture.replies import DOTS, directory_entry, dot_entry
from tracefs.pathtext import to_text


class DirectoryOperations(Handlers):
    """Requests on open directories."""

    @guarded
    async def opendir(self, inode: int, ctx: pyfuse3.RequestContext) -> int:
        """Open a directory for listing and syncing."""
        start = monotonic_ns()
        node = self._inodes[inode]
        failed, fd = attempt(self._backing.opendir, node)
        self._query("opendir", start, ctx.pid, failed, node)
        if fd is None:
            raise pyfuse3.FUSEError(failed)
        self._last_fh += 1
        self._directories[self._last_fh] = OpenDirectory(fd, node)
        return self._last_fh

    @guarded
    async def readdir(self, fh: int, start_id: int, token: pyfuse3.ReaddirToken) -> None:
        """List from *start_id* on; the look-up count of each entry that fits goes up by one."""
        start = monotonic_ns()
        tid, _, _ = current()
        directory = self._directories[fh]
        if start_id == 0:
            # Positions count in a snapshot, so nothing made or removed meanwhile can shift them.
            directory.entries = self._backing.listdir(directory.fd)
        node = directory.node
        for position in range(start_id, len(directory.entries) + len(DOTS)):
            if position < len(DOTS):
                fits = dot_entry(token, node, DOTS[position], position + 1)
            else:
                entry = directory.entries[position - len(DOTS)]
                fits = directory_entry(token, self._backing, node, entry, position + 1)
            if not fits:
                break
        self._query("readdir", start, tid, 0, directory.node)

    @guarded
    async def releasedir(self, fh: int) -> None:
        """The listing is over."""
        os.close(self._directories.pop(fh).fd)

    @guarded
    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        """Sync the backing directory; its error is the reply."""
        start = monotonic_ns()
        tid, _, _ = current()
        seen = self._look(tid)
        directory = self._directories[fh]
        fault = self._fault("fsyncdir", tid, seen, directory.node.ino)
        await self._enter(fault)
        if fault is not None and fault.does_nothing:
            failed = fault.error
        else:
            failed = await self._syncer.sync(directory.node, directory.fd, datasync=datasync)
        await self._leave(fault)
        self._record(
            events.Fsyncdir(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                injected=injected(fault),
                ino=directory.node.shown,
                path=to_text(self._inodes.path(directory.node)),
                datasync=datasync,
                seen=seen,
            )
        )
        if failed:
            raise pyfuse3.FUSEError(failed)
