"""Requests that pyfuse3 has no handler for: `tracefs.capture.carried`.

Allocating and copying take as long as they are long, so only small ones are done in place.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Final, TypeVar

from tracefs import events
from tracefs.capture import carried
from tracefs.capture.request import carry  # before pyfuse3

# isort: split
import pyfuse3

from tracefs.capture.backing import Caller
from tracefs.capture.fileattr import CHECKED_SINCE, READS, WRITES, control
from tracefs.capture.inodes import TRUSTED_S
from tracefs.capture.operations.contents import ContentsOfRules
from tracefs.capture.operations.handlers import (
    OpenFile,
    attempt,
    attempt_unless,
    injected,
)
from tracefs.capture.operations.played import PlayedOperations
from tracefs.capture.syscalls import kernel_version
from tracefs.faults.engine import Fault
from tracefs.filecalls import fallocate
from tracefs.pathtext import to_text

T = TypeVar("T")

_IN_PLACE: Final = 1 << 20
"""Bytes that may be allocated or copied while other requests wait."""
_SYNCHRONOUS: Final = os.O_DSYNC | os.O_SYNC
_KEEP_SIZE, _PUNCH_HOLE, _ZERO_RANGE = 0x01, 0x02, 0x10
"""FALLOC_FL_* (fallocate(2))."""
_KERNEL_COPIES: Final = frozenset({errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP})
"""What the source answers where it can't copy within itself."""


class CarriedOperations(ContentsOfRules, PlayedOperations):
    """Requests that come as a READ of an open that there is not."""

    async def _answer_carried(self) -> bytes:
        start = monotonic_ns()
        request = carried.current_request()
        match request.opcode:
            case carried.FALLOCATE:
                return await self._fallocate(request, start)
            case carried.COPY_FILE_RANGE:
                return await self._copy(request, start)
            case carried.TMPFILE:
                return await self._tmpfile(request, start)
            case carried.IOCTL:
                return await self._ioctl(request, start)
        raise pyfuse3.FUSEError(errno.ENOSYS)

    async def _fallocate(self, request: carried.Request, start: int) -> bytes:
        """Allocate, free or zero a range; on a synchronous descriptor sync it, too.

        The kernel leaves that sync to whoever allocates (ext4_fallocate in fs/ext4/extents.c).
        """
        seen = self._look(request.tid)
        asked = carried.fallocate(request.body)
        opened = self._files[asked.fh]
        opened.closed = False
        fault = self._fault("fallocate", request.tid, seen, opened.ino, asked.offset, asked.length)
        await self._enter(fault)
        before = os.fstat(opened.fd).st_size
        failed = 0 if fault is None else fault.error
        if not failed:
            failed = await self._allocate(asked, opened, fault)
        synced = not failed and bool(opened.flags & _SYNCHRONOUS)
        if synced:
            failed = await self._syncer.sync(opened.node, opened.fd, datasync=False)
        done = 0 if failed else asked.mode
        self._after_allocation(opened, done, asked.offset, synced=synced and not failed)
        await self._leave(fault)
        self._record(
            events.Fallocate(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=request.tid,
                errno=failed,
                injected=injected(fault),
                ino=opened.node.ino,
                fh=asked.fh,
                mode=asked.mode,
                offset=asked.offset,
                size=asked.length,
                synced=synced,
                seen=seen,
            )
        )
        if failed:
            # ext4 keeps what it got (ext4_alloc_file_blocks), and the kernel takes a failure for no
            # change: the next O_APPEND would go to the old end.
            await self._syncer.in_thread(_tell_size, opened.node.ino, opened.fd, before)
            raise pyfuse3.FUSEError(failed)
        return b""

    async def _allocate(
        self, asked: carried.Fallocate, opened: OpenFile, fault: Fault | None
    ) -> int:
        """Allocate, free or zero; return 0 or the error number."""
        rule = None if fault is None or fault.outcome is None else fault.outcome
        takes = not asked.mode & ~(_KEEP_SIZE | _ZERO_RANGE)
        room = asked.length
        if self._space and not takes:
            self._space.before_cut(opened.node, opened.fd)
        if fault is not None and rule is not None and rule.full is not None and takes:
            room = self._space.fits(rule, opened.node, opened.fd, asked.offset, asked.length)
        failed = 0
        if room:
            failed, _ = await self._sized(
                room, fallocate, opened.fd, asked.mode, asked.offset, room
            )
        if failed or not self._space:
            return failed
        if not takes:
            punched = bool(asked.mode & _PUNCH_HOLE)
            self._space.changed(opened.node, opened.fd, asked.offset, asked.length, punched=punched)
        elif rule is not None and rule.full is not None:
            self._space.wrote(rule, opened.node, opened.fd, asked.offset, room)
        if fault is not None and rule is not None and room < asked.length:
            # ext4 keeps what it got (ext4_alloc_file_blocks in fs/ext4/extents.c).
            fault.note(rule, "full")
            return errno.ENOSPC
        return 0

    async def _copy(self, request: carried.Request, start: int) -> bytes:
        """Copy within the source.

        After EOPNOTSUPP the kernel copies by READ and WRITE: where the contents are wanted, and to
        a synchronous descriptor, which it then syncs (generic_write_sync in fs/read_write.c).
        """
        seen = self._look(request.tid)
        asked = carried.copy(request.body)
        opened, source = self._files[asked.fh], self._files[asked.from_fh]
        opened.closed = source.closed = False
        if opened.flags & _SYNCHRONOUS or self._recorder.wants_contents:
            raise pyfuse3.FUSEError(errno.EOPNOTSUPP)
        fault = self._fault("copy", request.tid, seen, opened.ino, asked.offset, asked.size)
        await self._enter(fault)
        failed, count = 0 if fault is None else fault.error, None
        size = asked.size
        if fault is not None and not failed:
            failed, room = attempt(self._room, fault, opened, asked.offset, asked.size)
            size = room or 0
        if not failed:
            self._before_write(opened, asked.offset, asked.size)
            failed, count = await self._sized(
                size, _copy_range, source, opened, size, asked.from_offset, asked.offset
            )
        if fault is not None and count:
            self._wrote(fault, opened, asked.offset, asked.size, count)
        if failed in _KERNEL_COPIES:
            raise pyfuse3.FUSEError(errno.EOPNOTSUPP)
        self._after_write(opened, asked.offset, count or 0, through=False)
        await self._leave(fault)
        self._record(
            events.Copy(
                start_ns=start,
                end_ns=monotonic_ns(),
                tid=request.tid,
                errno=failed,
                injected=injected(fault),
                ino=opened.node.ino,
                fh=asked.fh,
                offset=asked.offset,
                size=asked.size,
                result=count or 0,
                from_ino=source.node.ino,
                from_fh=asked.from_fh,
                from_offset=asked.from_offset,
                seen=seen,
            )
        )
        if count is None:
            raise pyfuse3.FUSEError(failed)
        return carried.copied(count)

    async def _tmpfile(self, request: carried.Request, start: int) -> bytes:
        """Make and open a file without a name. Look-up count one."""
        seen = self._look(request.tid)
        asked = carried.creation(request.body)
        parent = self._inodes[request.nodeid]
        caller = Caller(request.uid, request.gid)
        fault = self._fault_of_names(
            "create", request.tid, seen, to_text(self._inodes.path(parent))
        )
        await self._enter(fault)
        failed, made = attempt_unless(
            fault, self._backing.tmpfile, parent, asked.mode, asked.flags, caller
        )
        path = self._inodes.path(parent if made is None else made[1])
        await self._leave(fault)
        fh = self._record_made(
            start, request.tid, seen, failed, made,
            path=path, flags=asked.flags, mode=asked.mode, fault=fault,
        )  # fmt: skip
        if made is None:
            raise pyfuse3.FUSEError(failed)
        _, node, info = made
        direct_io = self._direct_io or self._files[fh].uncached
        return carried.made(node.ino, fh, info, valid_s=TRUSTED_S, direct_io=direct_io)

    async def _ioctl(self, request: carried.Request, start: int) -> bytes:
        """Read or set inode flags; ENOTTY for all other commands, as for a file without any."""
        asked = carried.ioctl(request.body)
        opened = self._files.get(asked.fh) or self._directories[asked.fh]
        if asked.command in READS:
            failed, data = attempt(control, opened.fd, asked.command, bytes(asked.out_size))
            self._query("ioctl", start, request.tid, failed, opened.node)
        elif asked.command in WRITES:
            seen = self._look(request.tid)
            fault = self._fault("ioctl", request.tid, seen, opened.node.ino)
            await self._enter(fault)
            failed, data = attempt_unless(fault, control, opened.fd, asked.command, asked.data)
            await self._leave(fault)
            data = b"" if data is not None else None
            self._record(
                events.Ioctl(
                    start_ns=start,
                    end_ns=monotonic_ns(),
                    tid=request.tid,
                    errno=failed,
                    injected=injected(fault),
                    path=to_text(self._inodes.path(opened.node)),
                    ino=opened.node.shown,
                    command=asked.command,
                    seen=seen,
                )
            )
        else:
            raise pyfuse3.FUSEError(errno.ENOTTY)
        if data is None:
            raise pyfuse3.FUSEError(failed)
        return carried.controlled(data)

    async def _sized(self, size: int, call: Callable[..., T], *args: Any) -> tuple[int, T | None]:
        """Do *call*, in a thread if *size* is large; return (0, result) or (error number, None)."""
        if size <= _IN_PLACE:
            return attempt(call, *args)
        return await self._syncer.in_thread(attempt, call, *args)


def carry_all() -> None:
    """Have the requests come here that pyfuse3 would refuse, as far as this kernel allows."""
    opcodes = [carried.FALLOCATE, carried.COPY_FILE_RANGE, carried.TMPFILE]
    if kernel_version() >= CHECKED_SINCE:
        opcodes.append(carried.IOCTL)
    carry(*opcodes)


def _tell_size(ino: int, fd: int, before: int) -> None:
    """Let the kernel know how long a file is after an allocation that failed half-way.

    To be called in a thread: the kernel may wait for a page, and with it for a READ.
    """
    with contextlib.suppress(OSError):
        size = os.fstat(fd).st_size
        if size > before:
            # Only a byte that is stored moves the kernel's end (fuse_write_update_attr); what was
            # allocated reads as zero.
            pyfuse3.notify_store(ino, size - 1, b"\0")
        pyfuse3.invalidate_inode(ino, attr_only=True)


def _copy_range(
    source: OpenFile, target: OpenFile, size: int, from_offset: int, offset: int
) -> int:
    return os.copy_file_range(source.fd, target.fd, size, from_offset, offset)
