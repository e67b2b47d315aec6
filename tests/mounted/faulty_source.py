"""A filesystem whose files fail as their names say, to be the source of a mount.

``python faulty_source.py MOUNTPOINT [ROOM ERROR]``. A call on ``write-eio`` fails if it is a write,
with EIO, and so on for the other operations and errors. ``short-…`` takes at most 1000 bytes of a
write. Nothing can be listed while there is a file ``list-eio``. A sync of ``stuck-…`` says so on
standard output and never comes to an end. With ROOM, the write that goes beyond so many bytes in
all is cut there, if ERROR is ``short``, and all is well again; else all fail with it from there.
"""

# ruff: noqa: ARG002  # the parameters are pyfuse3's

import errno
import os
import sys
from typing import Any

import pyfuse3
import trio
from sync_source import Source, serve

SHORT = 1000


class Faulty(Source):
    """Files in memory, never cached by the kernel."""

    def __init__(self, room: int | None, error: str) -> None:
        super().__init__()
        self._room = room
        self._error = error

    def _require(self, operation: str, name: bytes) -> None:
        found, _, error = os.fsdecode(name).partition("-")
        if found == operation:
            raise pyfuse3.FUSEError(getattr(errno, error.upper()))

    def _attributes(self, ino: int) -> pyfuse3.EntryAttributes:
        entry = super()._attributes(ino)
        entry.entry_timeout = entry.attr_timeout = 0
        return entry

    async def getattr(self, inode: int, ctx: Any) -> pyfuse3.EntryAttributes:
        self._require("getattr", self._names[inode])
        return await super().getattr(inode, ctx)

    async def lookup(self, parent_inode: int, name: bytes, ctx: Any) -> pyfuse3.EntryAttributes:
        self._require("lookup", name)
        return await super().lookup(parent_inode, name, ctx)

    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: Any
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        self._require("create", name)
        info, entry = await super().create(parent_inode, name, mode, flags, ctx)
        return pyfuse3.FileInfo(fh=info.fh, direct_io=True), entry

    async def open(self, inode: int, flags: int, ctx: Any) -> pyfuse3.FileInfo:
        self._require("open", self._names[inode])
        await super().open(inode, flags, ctx)
        return pyfuse3.FileInfo(fh=inode, direct_io=True)

    async def setattr(
        self, inode: int, attr: Any, fields: Any, fh: int | None, ctx: Any
    ) -> pyfuse3.EntryAttributes:
        self._require("setattr", self._names[inode])
        return await super().setattr(inode, attr, fields, fh, ctx)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        self._require("read", self._names[fh])
        return await super().read(fh, off, size)

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        self._require("write", self._names[fh])
        kept = buf[:SHORT] if self._names[fh].startswith(b"short-") else buf
        return await super().write(fh, off, self._fitting(kept))

    def _fitting(self, data: bytes) -> bytes:
        """Return what there is room for."""
        if self._room is None:
            return data
        self._room -= len(data)
        if self._room >= 0:
            return data
        if self._error != "short":
            raise pyfuse3.FUSEError(getattr(errno, self._error.upper()))
        fitting, self._room = data[: self._room], None
        return fitting

    async def fsync(self, fh: int, datasync: bool) -> None:
        self._require("fsync", self._names[fh])
        if self._names[fh].startswith(b"stuck-"):
            print("stuck", flush=True)
            await trio.sleep_forever()

    async def flush(self, fh: int) -> None:
        self._require("close", self._names[fh])

    async def unlink(self, parent_inode: int, name: bytes, ctx: Any) -> None:
        self._require("unlink", name)
        raise pyfuse3.FUSEError(errno.EROFS)

    async def readdir(self, fh: int, start_id: int, token: Any) -> None:
        for name in self._names:
            self._require("list", name)
        for ino in range(max(2, start_id), len(self._names)):
            if not pyfuse3.readdir_reply(token, self._names[ino], self._attributes(ino), ino + 1):
                return


if __name__ == "__main__":
    room = int(sys.argv[2]) if sys.argv[2:] else None
    pyfuse3.init(
        Faulty(room, sys.argv[-1]), sys.argv[1], {"fsname=faulty_source", "default_permissions"}
    )
    trio.run(serve)
    pyfuse3.close()
