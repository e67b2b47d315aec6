"""A filesystem of one file, ``pages``, whose handlers only answer: the floor of pyfuse3.

usage: python noop.py MOUNT_POINT

A file ``pages.new`` can be made and removed. Prints ``ready`` once it is mounted and ends when it
is unmounted. The loop is pyfuse3's own.
"""

# ruff: noqa: ARG002  # handlers answer, whatever they are asked

import errno
import os
import sys

import pyfuse3
import trio

FILE_NAME, NEW_NAME = b"pages", b"pages.new"
FILE_INODE = pyfuse3.InodeT(pyfuse3.ROOT_INODE + 1)
NEW_INODE = pyfuse3.InodeT(pyfuse3.ROOT_INODE + 2)
FILE_SIZE = 1 << 20
ZEROS = bytes(FILE_SIZE)


class Noop(pyfuse3.Operations):
    """Accepts every write and sync, and keeps nothing."""

    made = False

    async def lookup(
        self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        if name == NEW_NAME and self.made:
            return attributes(NEW_INODE)
        if name != FILE_NAME:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return attributes(FILE_INODE)

    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: pyfuse3.RequestContext
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        self.made = True
        return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(2)), attributes(NEW_INODE)

    async def unlink(self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> None:
        self.made = False

    async def getattr(self, inode: int, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        return attributes(inode)

    async def setattr(
        self,
        inode: int,
        attr: pyfuse3.EntryAttributes,
        fields: pyfuse3.SetattrFields,
        fh: int | None,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        return attributes(inode)

    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(1))

    async def read(self, fh: int, off: int, size: int) -> bytes:
        return ZEROS[off : off + size]

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        return len(buf)

    async def fsync(self, fh: int, datasync: bool) -> None:
        """Answer that it is on the disk."""

    async def flush(self, fh: int) -> None:
        """Answer."""

    async def release(self, fh: int) -> None:
        """Answer."""


def attributes(inode: int) -> pyfuse3.EntryAttributes:
    """Return what is known of the root directory or of the file."""
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = pyfuse3.InodeT(inode)
    entry.st_mode = pyfuse3.ModeT(0o040777 if inode == pyfuse3.ROOT_INODE else 0o100666)
    entry.st_nlink = 1
    entry.st_size = FILE_SIZE if inode == FILE_INODE else 0
    entry.st_uid, entry.st_gid = os.getuid(), os.getgid()
    entry.st_blksize = 4096
    return entry


def serve(mount_point: str) -> None:
    """Mount at *mount_point* and answer until it is unmounted."""
    pyfuse3.init(Noop(), mount_point, {*pyfuse3.default_options, "fsname=noop"})
    try:
        print("ready", flush=True)
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=False)


if __name__ == "__main__":
    serve(sys.argv[1])
