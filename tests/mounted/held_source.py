"""A filesystem that answers some requests only when it is told to, to be the source of a mount.

``python held_source.py MOUNTPOINT``. A file's name has a meaning: of ``fsync-a`` the sync is held,
of ``read-a``, ``write-a``, ``open-a`` and ``truncate-a`` (which looks large) those. For each one it
says ``held NAME`` on standard output. A line NAME on standard input lets go all that are held, or
still to come, for that name, and its end everything. NAME is without what follows a dot, so that
several files can be held as one. What `sync_source` says of syncs, it says when they are done.
"""

# ruff: noqa: ARG002  # the parameters are pyfuse3's

import os
import sys
from typing import Any

import pyfuse3
import trio
from sync_source import Source

LARGE = 1 << 30
"""Bytes that a file seems to have whose truncation is held."""


class HeldSource(Source):
    """Files in memory, and those who wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self._gates: dict[str, trio.Event] = {}
        self._holding = True

    def let_go(self, name: str) -> None:
        """Hold requests of the file *name* no longer."""
        self._gate(name).set()

    def let_all_go(self) -> None:
        """Hold nothing any longer."""
        self._holding = False
        for gate in self._gates.values():
            gate.set()

    def _gate(self, name: str) -> trio.Event:
        return self._gates.setdefault(name, trio.Event())

    async def _hold(self, operation: str, ino: int) -> None:
        name = os.fsdecode(self._names[ino]).partition(".")[0]
        holds = self._holding and name.startswith(f"{operation}-")
        if holds and not self._gate(name).is_set():
            print("held", name, flush=True)
            await self._gate(name).wait()

    def _attributes(self, ino: int) -> pyfuse3.EntryAttributes:
        entry = super()._attributes(ino)
        if self._names[ino].startswith(b"truncate-"):
            entry.st_blocks = LARGE // 512
        return entry

    async def setattr(
        self, inode: int, attr: Any, fields: Any, fh: int | None, ctx: Any
    ) -> pyfuse3.EntryAttributes:
        if fields.update_size:
            size = attr.st_size
            await self._hold("truncate", inode)
            del self._data[inode][size:]
        return self._attributes(inode)

    async def open(self, inode: int, flags: int, ctx: Any) -> pyfuse3.FileInfo:
        await self._hold("open", inode)
        # Each read is to reach this process.
        return pyfuse3.FileInfo(fh=inode, direct_io=True)

    async def read(self, fh: int, off: int, size: int) -> bytes:
        await self._hold("read", fh)
        return await super().read(fh, off, size)

    async def write(self, fh: int, off: int, buf: bytes) -> int:
        await self._hold("write", fh)
        return await super().write(fh, off, buf)

    async def fsync(self, fh: int, datasync: bool) -> None:
        await self._hold("fsync", fh)
        await super().fsync(fh, datasync)

    async def unlink(self, parent_inode: int, name: bytes, ctx: Any) -> None:
        self._names[self._names.index(name)] = b""


async def serve(source: HeldSource) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pyfuse3.main, 1, 1 << 16)
        nursery.start_soon(_listen, source)
        print("ready", flush=True)


async def _listen(source: HeldSource) -> None:
    said = b""
    while True:
        await trio.lowlevel.wait_readable(sys.stdin.fileno())
        more = os.read(sys.stdin.fileno(), 4096)
        if not more:
            source.let_all_go()
            return
        *names, said = (said + more).split(b"\n")
        for name in names:
            source.let_go(os.fsdecode(name))


if __name__ == "__main__":
    served = HeldSource()
    pyfuse3.init(served, sys.argv[1], {"fsname=held_source", "default_permissions"})
    trio.run(serve, served)
    pyfuse3.close()
