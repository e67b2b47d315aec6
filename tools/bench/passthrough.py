"""A plain passthrough, as one is written with pyfuse3: real I/O, real syncs, no log.

usage: python passthrough.py SOURCE MOUNT_POINT

What tracefs is to be compared with where the work below is part of the cost. It keeps a path for
each inode, looks every name up there, and trusts attributes for a second as tracefs does. It has
the operations that programs of the benchmark need. The loop is pyfuse3's own.
"""

# ruff: noqa: ARG002  # handlers have the arguments that pyfuse3 gives

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyfuse3
import trio

TRUSTED_S = 1.0


class Passthrough(pyfuse3.Operations):
    """Does in the source what is asked for."""

    supports_dot_lookup = False

    def __init__(self, source: str) -> None:
        super().__init__()
        self._paths = {int(pyfuse3.ROOT_INODE): os.fsencode(source)}
        self._looked_up: dict[int, int] = {}
        self._root = os.stat(source).st_ino

    async def lookup(
        self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        return self._entry(os.path.join(self._paths[parent_inode], name))

    async def forget(self, inode_list: Sequence[tuple[int, int]]) -> None:
        for inode, count in inode_list:
            left = self._looked_up.get(inode, 0) - count
            self._looked_up[inode] = left
            if left <= 0 and inode != pyfuse3.ROOT_INODE:
                del self._looked_up[inode]
                self._paths.pop(inode, None)

    async def getattr(self, inode: int, ctx: pyfuse3.RequestContext) -> pyfuse3.EntryAttributes:
        with failing():
            return self._attributes(os.lstat(self._paths[inode]))

    async def setattr(
        self,
        inode: int,
        attr: pyfuse3.EntryAttributes,
        fields: pyfuse3.SetattrFields,
        fh: int | None,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        target = self._paths[inode] if fh is None else fh
        with failing():
            if fields.update_size:
                os.truncate(target, attr.st_size)
            if fields.update_mode:
                os.chmod(target, stat.S_IMODE(attr.st_mode))
            if fields.update_uid or fields.update_gid:
                uid = attr.st_uid if fields.update_uid else -1
                os.chown(target, uid, attr.st_gid if fields.update_gid else -1)
            return self._attributes(os.stat(target))

    async def open(self, inode: int, flags: int, ctx: pyfuse3.RequestContext) -> pyfuse3.FileInfo:
        with failing():
            fd = os.open(self._paths[inode], flags & ~(os.O_CREAT | os.O_APPEND) | os.O_CLOEXEC)
        return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(fd), keep_cache=False)

    async def create(
        self, parent_inode: int, name: bytes, mode: int, flags: int, ctx: pyfuse3.RequestContext
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        path = os.path.join(self._paths[parent_inode], name)
        with failing():
            fd = os.open(path, flags & ~os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
        return pyfuse3.FileInfo(fh=pyfuse3.FileHandleT(fd)), self._entry(path)

    async def unlink(self, parent_inode: int, name: bytes, ctx: pyfuse3.RequestContext) -> None:
        with failing():
            os.unlink(os.path.join(self._paths[parent_inode], name))

    async def read(self, fh: int, off: int, size: int) -> bytes:
        with failing():
            return os.pread(fh, size, off)

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        with failing():
            return os.pwrite(fh, buf, off)

    async def fsync(self, fh: int, datasync: bool) -> None:
        with failing():
            (os.fdatasync if datasync else os.fsync)(fh)

    async def flush(self, fh: int) -> None:
        """Have nothing to hand on: there is no buffer here."""

    async def release(self, fh: int) -> None:
        with failing():
            os.close(fh)

    async def opendir(self, inode: int, ctx: pyfuse3.RequestContext) -> int:
        with failing():
            return os.open(self._paths[inode], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    async def fsyncdir(self, fh: int, datasync: bool) -> None:
        with failing():
            (os.fdatasync if datasync else os.fsync)(fh)

    async def releasedir(self, fh: int) -> None:
        with failing():
            os.close(fh)

    def _entry(self, path: bytes) -> pyfuse3.EntryAttributes:
        """Return the attributes of *path*, which the kernel knows from now on."""
        with failing():
            attributes = self._attributes(os.lstat(path))
        inode = int(attributes.st_ino)
        self._paths[inode] = path
        self._looked_up[inode] = self._looked_up.get(inode, 0) + 1
        return attributes

    def _attributes(self, info: os.stat_result) -> pyfuse3.EntryAttributes:
        entry = pyfuse3.EntryAttributes()
        inode = pyfuse3.ROOT_INODE if info.st_ino == self._root else info.st_ino
        entry.st_ino = pyfuse3.InodeT(inode)
        entry.st_mode = pyfuse3.ModeT(info.st_mode)
        entry.st_nlink, entry.st_size = info.st_nlink, info.st_size
        entry.st_uid, entry.st_gid, entry.st_rdev = info.st_uid, info.st_gid, info.st_rdev
        entry.st_atime_ns, entry.st_mtime_ns = info.st_atime_ns, info.st_mtime_ns
        entry.st_ctime_ns = info.st_ctime_ns
        entry.st_blksize, entry.st_blocks = info.st_blksize, info.st_blocks
        entry.attr_timeout = entry.entry_timeout = TRUSTED_S
        return entry


@contextmanager
def failing() -> Iterator[None]:
    """Answer with the error of a call that failed."""
    try:
        yield
    except OSError as error:
        raise pyfuse3.FUSEError(error.errno or errno.EIO) from error


def serve(source: str, mount_point: str) -> None:
    """Mount *source* at *mount_point* and answer until it is unmounted."""
    options = {*pyfuse3.default_options, "fsname=passthrough"}
    pyfuse3.init(Passthrough(source), mount_point, options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=False)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
