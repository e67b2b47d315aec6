"""What files of the starting tree held is kept just before it changes.

Whatever is about to change a file waits here until that is done: at once where the filesystem lets
files share what they hold, or where it is small; else in a thread, while other requests go on.
"""

import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

import trio

from tracefs.capture.backing import Backing
from tracefs.capture.inodes import Node
from tracefs.capture.loop import DONE
from tracefs.capture.syncer import Syncer
from tracefs.filecalls import clone, copy_contents
from tracefs.journal.writer import JournalWriter

_IN_PLACE: Final = 1 << 20
"""Bytes that may be copied while other requests wait."""
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def may_change(flags: int) -> bool:
    """Tell whether an open with these flags may change what the file holds, now or later."""
    return flags & os.O_ACCMODE != os.O_RDONLY or bool(flags & os.O_TRUNC)


class Keeper:
    """Keeps files of the starting tree in the recording that is being written.

    Nothing here raises OSError: what can't be kept ends the recording, and the program goes on.
    """

    def __init__(self, journal: JournalWriter, backing: Backing, syncer: Syncer) -> None:
        self._journal = journal
        self._backing = backing
        self._syncer = syncer
        self._device = backing.inodes.root.key[0]
        self._under_way: dict[int, trio.Event] = {}
        """Inode number -> set when a thread no longer copies the file."""

    def before_change(self, node: Node) -> Awaitable[None]:
        """Return once what *node* holds may change."""
        device, ino, _ = node.key
        if not self._is_to_be_kept(device, ino):
            return DONE
        return self._keep(ino, partial(self._opened, node))

    async def before_removal(self, parent: Node, name: bytes) -> None:
        """Return once *name* may lead to its file no longer."""
        while True:
            try:
                info = self._backing.peek(parent, name)
            except OSError:
                return  # whoever removes it hears of that
            if not self._is_to_be_kept(info.st_dev, info.st_ino):
                return
            start = self._journal.start
            if info.st_nlink > 1 and start is not None and info.st_ino not in start.elsewhere:
                return
            await self._keep(info.st_ino, partial(self._opened_by_name, parent, name))
            # The name may lead to another file by now.

    async def settled(self) -> None:
        """Return once nothing is being copied."""
        while self._under_way:
            await self._await(next(iter(self._under_way.values())))

    def keep_now(self, nodes: Iterable[Node]) -> None:
        """Keep what these files hold, while everybody waits."""
        for node in nodes:
            device, ino, _ = node.key
            if self._is_to_be_kept(device, ino):
                files = self._begin(ino, partial(self._opened, node))
                if files is not None:
                    self._end(ino, _copied(*files))

    def _is_to_be_kept(self, device: int, ino: int) -> bool:
        start = self._journal.start
        return start is not None and ino in start.unkept and device == self._device

    async def _keep(self, ino: int, open_source: Callable[[], int]) -> None:
        while (other := self._under_way.get(ino)) is not None:
            await self._await(other)
        if not self._is_to_be_kept(self._device, ino):
            return
        files = self._begin(ino, open_source)
        if files is None:
            return
        source, target = files
        if clone(source, target):
            _close(*files)
            self._end(ino, None)
        elif os.fstat(source).st_size <= _IN_PLACE:
            self._end(ino, _copied(*files))
        else:
            event = self._under_way[ino] = trio.Event()
            try:
                failed = await self._syncer.in_thread(_copied, *files)
                self._end(ino, failed)
            finally:
                del self._under_way[ino]
                event.set()

    def _begin(self, ino: int, open_source: Callable[[], int]) -> tuple[int, int] | None:
        """Return descriptors to copy from and to; None: it is another file, or can't be kept."""
        try:
            source = open_source()
        except OSError as error:
            self._journal.keep_end(ino, error)
            return None
        target = self._journal.keep_begin(ino) if os.fstat(source).st_ino == ino else None
        if target is None:
            os.close(source)
            return None
        return source, target

    def _end(self, ino: int, failed: OSError | None) -> None:
        self._journal.keep_end(ino, failed)

    def _opened(self, node: Node) -> int:
        return _opened(self._backing.magic(node))

    def _opened_by_name(self, parent: Node, name: bytes) -> int:
        return _opened(name, os.O_NOFOLLOW, self._backing.inodes.fd(parent))

    async def _await(self, event: trio.Event) -> None:
        with self._syncer.through_trio():
            await event.wait()


def _opened(path: str | bytes, also: int = 0, directory: int | None = None) -> int:
    """Open a file to read it, which is not to show in its access time."""
    with contextlib.suppress(PermissionError):  # O_NOATIME is for its owner and root (open(2))
        return os.open(path, _READ | also | os.O_NOATIME, dir_fd=directory)
    return os.open(path, _READ | also, dir_fd=directory)


def _copied(source: int, target: int) -> OSError | None:
    """Copy the one into the other and close both; return what failed."""
    try:
        if not clone(source, target):
            copy_contents(source, target)
    except OSError as error:
        return error
    finally:
        _close(source, target)
    return None


def _close(source: int, target: int) -> None:
    os.close(source)
    with contextlib.suppress(OSError):
        os.close(target)
