"""Syncs that fail as a filesystem's do: between the handlers and the disk that is played."""

import contextlib
import os
from collections.abc import Sequence
from typing import Final

from tracefs.capture.operations.handlers import Handlers, OpenFile  # before pyfuse3

# isort: split
import pyfuse3

from tracefs import events
from tracefs.capture.disk import Gone, PlayedDisk
from tracefs.capture.inodes import Node
from tracefs.faults.engine import Fault
from tracefs.faults.model import Rule

_SYNCHRONOUS: Final = os.O_DSYNC | os.O_SYNC
_WRITES: Final = os.O_WRONLY | os.O_RDWR


class PlayedOperations(Handlers):
    """What handlers ask of the played disk; without a rule with a mode there is none."""

    _folder = -1
    """Descriptor of the recording's directory; -1: all is kept in memory."""

    def play(self, rules: Sequence[Rule]) -> None:
        """Have *rules* play a disk, as far as they have a mode, from now on."""
        if self._disk is None:
            if all(rule.mode is None for rule in rules):
                return
            recorder = self._recorder
            root = self._inodes.root.fd
            self._disk = PlayedDisk(
                root, self._folder, recorder.record, recorder.value, self._is_for
            )
        self._disk.follow(rules)
        for opened in self._files.values():
            self._play_open(opened)
        if not self._disk.needed:
            self._disk.unmount()
            self._disk = None

    def spill_into(self, folder: int) -> None:
        """Take a descriptor (O_PATH) of the directory for what memory can't hold."""
        self._folder = folder

    async def drop_cache(self) -> None:
        """Let what failed syncs have lost go back now, as if memory had been needed for others."""
        if self._disk is None:
            return
        for ino, gone in self._disk.drop():
            self._miss(gone)
            await self._syncer.in_thread(_invalidate, ino)

    def end_play(self) -> None:
        """Let what failed syncs have lost go back, now that nobody uses the mount any more."""
        if self._disk is not None:
            for gone in self._disk.unmount():
                self._miss(gone)
            self._disk = None

    def opened(self, fd: int, node: Node, flags: int) -> int:
        """Keep an open of a file; return its number."""
        fh = super().opened(fd, node, flags)
        if self._disk is not None:
            if flags & os.O_TRUNC:
                self._disk.resized(node, 0)
            self._play_open(self._files[fh])
        return fh

    async def _synced(
        self, opened: OpenFile, fault: Fault | None, *, datasync: bool
    ) -> tuple[int, tuple[events.Injected, ...]]:
        """Sync, or don't: error number, and what the journal is to say of rules."""
        told = () if fault is None else fault.injected
        rule = None if fault is None else fault.outcome
        disk, node = self._disk, opened.node
        plays = disk is not None and rule is not None and rule.mode is not None
        if fault is not None and fault.does_nothing and not plays:
            return fault.error, told
        if disk is None:
            return await self._syncer.sync(node, opened.fd, datasync=datasync), told
        answer = disk.sync(node, opened.fd, opened.fh, rule)
        if answer.back is not None:
            self._miss(disk.go_back(node, answer.back))
            await self._syncer.in_thread(_invalidate, node.ino)
        failed = 0
        if answer.syncs:
            failed = await self._syncer.sync(node, opened.fd, datasync=datasync)
            if not failed:
                disk.saved(node)
        if answer.rule is not None:
            kind = "error" if answer.errno else "lost"
            told = tuple(one for one in told if one.kind != "error")
            told += (events.Injected(rule=answer.rule, kind=kind),)
        return answer.errno or failed, told

    def _before_write(self, opened: OpenFile, start: int, size: int) -> None:
        """*size* bytes from *start* on are about to change."""
        if self._disk is not None:
            self._disk.before(opened.node, start, size)

    def _after_write(self, opened: OpenFile, start: int, size: int, *, through: bool) -> None:
        """*size* bytes were written; *through*: by O_DIRECT."""
        if self._disk is not None:
            through = through or bool(self._direct_io and opened.flags & _SYNCHRONOUS)
            self._disk.wrote(opened.node, start, size, through=through)

    def _after_resize(self, node: Node, size: int) -> None:
        if self._disk is not None:
            self._disk.resized(node, size)

    def _after_allocation(self, opened: OpenFile, mode: int, start: int, *, synced: bool) -> None:
        if self._disk is not None:
            self._disk.allocated(opened.node, mode, start)
            if synced:
                self._disk.saved(opened.node)

    def _after_release(self, opened: OpenFile) -> None:
        if self._disk is not None:
            self._disk.released(opened.node, opened.fh)

    def _play_open(self, opened: OpenFile) -> None:
        assert self._disk is not None
        writes = bool(opened.flags & _WRITES)
        self._disk.opened(opened.node, opened.fd, opened.fh, writes=writes)

    def _miss(self, gone: Gone | None) -> None:
        if gone is not None:
            why = os.strerror(gone.errno)
            self._recorder.miss(f"what a failed sync lost stays in {gone.path}: {why}")


def _invalidate(ino: int) -> None:
    """Have the kernel forget what it knows of a file.

    To be called in a thread: it waits for pages that others read or write, and so for requests.
    """
    with contextlib.suppress(OSError):
        pyfuse3.invalidate_inode(ino)
