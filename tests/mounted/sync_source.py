"""A filesystem that says on standard output when it is told to sync, to be the source of a mount.

``python sync_source.py MOUNTPOINT``. Files are in its root, and a name has a meaning: a sync
of a file called ``eio-…``, ``enospc-…`` fails so, and so does closing ``close-edquot``.
"""

# ruff: noqa: ARG002  # the parameters are pyfuse3's

import errno
import os
import stat
import sys
from typing import Any

import pyfuse3
import trio

ERRORS = {"eio": errno.EIO, "enospc": errno.ENOSPC}


class Source(pyfuse3.Operations):
    """Files in memory; an inode's number is its place in the list."""

    enable_acl = False

    def __init__(self) -> None:
        super().__init__()
        self._names: list[bytes] = [b"", b"."]
        self._data: list[bytearray] = [bytearray(), bytearray()]

    def _attributes(self, ino: int) -> pyfuse3.EntryAttributes:
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = ino
        entry.st_mode = stat.S_IFDIR | 0o755 if ino == 1 else stat.S_IFREG | 0o644
        entry.st_nlink = 1
        entry.st_uid, entry.st_gid = os.getuid(), os.getgid()
        entry.st_size = len(self._data[ino])
        return entry

    def _say(self, what: str, ino: int, failure: str) -> None:
        name = os.fsdecode(self._names[ino])
        print(what, name, flush=True)
        for word, number in ERRORS.items():
            if name.startswith(f"{failure}{word}"):
                raise pyfuse3.FUSEError(number)

    async def getattr(self, inode: int, ctx: Any) -> pyfuse3.EntryAttributes:
        return self._attributes(inode)

    async def lookup(self, parent_inode: int, name: bytes, ctx: Any) -> pyfuse3.EntryAttributes:
        if name not in self._names:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return self._attributes(self._names.index(name))

    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: Any
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        self._names.append(name)
        self._data.append(bytearray())
        ino = len(self._names) - 1
        return pyfuse3.FileInfo(fh=ino), self._attributes(ino)

    async def open(self, inode: int, flags: int, ctx: Any) -> pyfuse3.FileInfo:
        return pyfuse3.FileInfo(fh=inode)

    async def setattr(
        self, inode: int, attr: Any, fields: Any, fh: int | None, ctx: Any
    ) -> pyfuse3.EntryAttributes:
        return self._attributes(inode)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        return bytes(self._data[fh][off : off + size])

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        data = self._data[fh]
        data.extend(bytes(max(0, off + len(buf) - len(data))))
        data[off : off + len(buf)] = buf
        return len(buf)

    async def fsync(self, fh: int, datasync: bool) -> None:
        self._say("fdatasync" if datasync else "fsync", fh, "")

    async def opendir(self, inode: int, ctx: Any) -> int:
        return inode

    async def readdir(self, fh: int, start_id: int, token: Any) -> None:
        return

    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        self._say("fdatasyncdir" if datasync else "fsyncdir", fh, "")

    async def flush(self, fh: int) -> None:
        if self._names[fh] == b"close-edquot":
            raise pyfuse3.FUSEError(errno.EDQUOT)

    async def release(self, fh: int) -> None:
        return

    async def statfs(self, ctx: Any) -> pyfuse3.StatvfsData:
        data = pyfuse3.StatvfsData()
        data.f_bsize = data.f_frsize = 4096
        data.f_namemax = 255
        return data

    async def releasedir(self, fh: int) -> None:
        return


async def serve() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pyfuse3.main)
        print("ready", flush=True)


if __name__ == "__main__":
    pyfuse3.init(Source(), sys.argv[1], {"fsname=sync_source", "default_permissions"})
    trio.run(serve)
    pyfuse3.close()
