"""A filesystem of a few files in one directory that only answers: the floor of pyfuse3.

usage: python noop.py MOUNT_POINT

Of a file it knows the name and the size, and what is read is zeros. Ends when it is unmounted. The
loop is pyfuse3's own.
"""

# ruff: noqa: ARG002  # handlers answer, whatever they are asked

import errno
import os
import sys

import pyfuse3
import trio

ZEROS = bytes(1 << 20)


class Noop(pyfuse3.Operations):
    """Accepts every write and sync, and keeps nothing of them but how long a file is."""

    def __init__(self) -> None:
        super().__init__()
        self._inodes: dict[bytes, int] = {}
        self._sizes: dict[int, int] = {}
        self._last = pyfuse3.ROOT_INODE

    async def lookup(
        self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        if name not in self._inodes:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return self._attributes(self._inodes[name])

    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: pyfuse3.RequestContext
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        self._last += 1
        self._inodes[name], self._sizes[self._last] = self._last, 0
        return opened(self._last), self._attributes(self._last)

    async def unlink(self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> None:
        if name not in self._inodes:
            raise pyfuse3.FUSEError(errno.ENOENT)
        del self._sizes[self._inodes.pop(name)]

    async def getattr(self, inode: int, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        return self._attributes(inode)

    async def setattr(
        self,
        inode: int,
        attr: pyfuse3.EntryAttributes,
        fields: pyfuse3.SetattrFields,
        fh: int | None,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        if fields.update_size and inode in self._sizes:
            self._sizes[inode] = attr.st_size
        return self._attributes(inode)

    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        # One opened to be read only starts without pages, so that reads can be measured, too.
        return opened(inode, keep_cache=flags & os.O_ACCMODE != os.O_RDONLY)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        return ZEROS[: max(min(size, self._sizes.get(fh, 0) - off), 0)]

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        end = off + len(buf)
        if end > self._sizes.get(fh, end):
            self._sizes[fh] = end
        return len(buf)

    async def fsync(self, fh: int, datasync: bool) -> None:
        """Answer that it is on the disk."""

    async def flush(self, fh: int) -> None:
        """Answer."""

    async def release(self, fh: int) -> None:
        """Answer."""

    def _attributes(self, inode: int) -> pyfuse3.EntryAttributes:
        """Return what is known of the root directory or of a file."""
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = pyfuse3.InodeT(inode)
        entry.st_mode = pyfuse3.ModeT(0o040777 if inode == pyfuse3.ROOT_INODE else 0o100666)
        entry.st_nlink = 1
        entry.st_size = self._sizes.get(inode, 0)
        entry.st_uid, entry.st_gid = os.getuid(), os.getgid()
        entry.st_blksize = 4096
        return entry


def opened(inode: int, *, keep_cache: bool = True) -> pyfuse3.FileInfo:
    return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(inode), keep_cache=keep_cache)


def serve(mount_point: str) -> None:
    """Mount at *mount_point* and answer until it is unmounted."""
    pyfuse3.init(Noop(), mount_point, {*pyfuse3.default_options, "fsname=noop"})
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=False)


if __name__ == "__main__":
    serve(sys.argv[1])
