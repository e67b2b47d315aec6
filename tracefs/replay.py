"""A recording with its payload, applied to another directory: the same tree comes of it.

The directory has to be as the traced one was when the recording began; empty, if that was. Files
are found by the inode numbers that the journal gives them, names by a walk that follows no symbolic
link and no ``..``, so that nothing outside is touched whatever a journal says. Access times, and
times that nobody set, are not as they were; inode flags are left alone.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import singledispatchmethod
from pathlib import Path
from typing import Final, Self

from tracefs import events
from tracefs.errors import RecordingError
from tracefs.events import AnyEvent, is_pretended
from tracefs.filecalls import fallocate, renameat2
from tracefs.journal.payload import PayloadReader, digest
from tracefs.journal.reader import Ending
from tracefs.journal.start import Entry
from tracefs.pathtext import to_bytes

_FIND: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_SETID: Final = stat.S_ISUID | stat.S_ISGID
_WITHOUT_EFFECT: Final = (
    events.Read,
    events.Fsync,
    events.Fsyncdir,
    events.Flush,
    events.Ioctl,
    events.Statfs,
    events.Query,
    events.Notice,
    events.Lost,
    events.Withdrawn,
    events.Mark,
    events.Faults,
)


class Replay:
    """One directory that events are applied to, in the order of the journal.

    It keeps a descriptor for each file that an event has named, as long as it has a name or is
    open: see `tracefs.rlimits` for more of them.
    """

    def __init__(
        self, directory: Path, recording: Path, start: Iterable[Entry] | None = None
    ) -> None:
        """Begin with *directory*, and the bytes of *recording*.

        *start* is all that is in the directory: its files may have been open already when recording
        began. Without it, a write through such an open can't be replayed.

        Raises:
            RecordingError: the recording kept no bytes, or the directory is not as *start* says.
        """
        self._payload = PayloadReader(recording)
        self._root = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._files: dict[int, int] = {}
        """Inode number in the journal -> descriptor (O_PATH)."""
        self._gone: set[int] = set()
        """Inodes that had their last name and their last open."""
        self._opens: dict[int, tuple[int, int]] = {}
        """Number of the open -> its inode, and a descriptor to write with, or -1."""
        self._opened: Counter[int] = Counter()
        self._knows_all = start is not None
        try:
            for entry in start or ():
                if stat.S_ISREG(entry.mode):
                    self._file(entry.ino, entry.path)
        except OSError as error:
            self.close()
            raise RecordingError(f"cannot replay in {directory}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every descriptor."""
        held = [fd for _, fd in self._opens.values() if fd >= 0]
        for fd in (*self._files.values(), *held, self._root):
            os.close(fd)
        self._payload.close()

    def run(self, journal: Iterable[AnyEvent]) -> None:
        """Apply every event; the umask of this process is 0 meanwhile."""
        umask = os.umask(0)
        try:
            for event in journal:
                self.apply(event)
        finally:
            os.umask(umask)

    def sync(self, event: events.Fsync) -> None:
        """Do the sync that *event* tells of, which `apply` leaves out: it changes no byte."""
        ino, fd = self._opens.get(event.fh, (event.ino, -1))
        if event.errno or (fd < 0 and ino not in self._files):
            return
        place = f"/proc/self/fd/{self._files[ino]}" if fd < 0 else None
        target = fd if place is None else os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            (os.fdatasync if event.datasync else os.fsync)(target)
        finally:
            if place is not None:
                os.close(target)

    def doubt(self, ending: Ending) -> str | None:
        """Say why what came of it may not be what was recorded; None: it is, to the byte.

        *ending* is that of the journal whose events were all applied.
        """
        if ending.footer is None or ending.reason is not None:
            return ending.reason
        return self._payload.difference(ending.footer)

    def apply(self, event: AnyEvent) -> None:
        """Do what *event* tells was done; the umask must be 0.

        Raises:
            RecordingError: it can't be done here: bytes are missing, or the directory isn't as the
                journal has it.
        """
        # Set-id bits go before a write, and are gone though the write then fails.
        if event.errno and getattr(event, "left_mode", None) is None:
            return
        if event.injected and is_pretended(event.injected):
            return
        try:
            self._apply(event)
        except OSError as error:
            raise RecordingError(f"cannot replay {event}: {error.strerror}") from error

    @singledispatchmethod
    def _apply(self, event: AnyEvent) -> None:
        """Apply one kind of event; each that changes something has a method of its own."""
        if not isinstance(event, _WITHOUT_EFFECT):
            raise RecordingError(f"a {type(event).__name__} cannot be replayed yet")

    # -- files that are open

    @_apply.register
    def _open(self, event: events.Open) -> None:
        path = self._file(event.ino, event.path)
        if path is None:
            return
        writes = event.flags & os.O_ACCMODE != os.O_RDONLY
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC) if writes else -1
        self._hold(event.fh, event.ino, fd)
        if event.flags & os.O_TRUNC:
            os.truncate(path, 0)
        _leave(path, event.left_mode)

    @_apply.register
    def _create(self, event: events.Create) -> None:
        if event.flags & os.O_TMPFILE == os.O_TMPFILE:
            self._create_nameless(event)
            return
        with self._parent(event.path) as (parent, name):
            made = 0 if event.existed else os.O_CREAT | os.O_EXCL
            how = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | made | (event.flags & os.O_TRUNC)
            fd = os.open(name, how, event.mode, dir_fd=parent)
            self._hold(event.fh, event.ino, fd)
            if event.existed:
                self._file(event.ino, event.path)
            else:
                self._made(event.ino, parent, name, event.uid, event.gid)

    def _create_nameless(self, event: events.Create) -> None:
        with self._parent(event.path) as (parent, _):
            fd = os.open(b".", os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, event.mode, dir_fd=parent)
        self._hold(event.fh, event.ino, fd)
        path = self._keep(event.ino, os.open(f"/proc/self/fd/{fd}", os.O_PATH | os.O_CLOEXEC))
        _give(path, event.uid, event.gid)

    @_apply.register
    def _copy(self, event: events.Copy) -> None:
        _, fd = self._opens.get(event.fh, (0, -1))
        if fd < 0 or event.from_ino not in self._files:
            raise RecordingError(f"nothing is open to copy from or to: {event}")
        source = os.open(f"/proc/self/fd/{self._files[event.from_ino]}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            left, start, place = event.result, event.from_offset, event.offset
            while left:
                count = os.copy_file_range(source, fd, left, start, place)
                if not count:
                    raise OSError(errno.ENODATA, "the file copied from is shorter")
                left, start, place = left - count, start + count, place + count
        finally:
            os.close(source)

    @_apply.register
    def _allocate(self, event: events.Fallocate) -> None:
        fd = self._writable(event)
        if fd is None:
            return
        fallocate(fd, event.mode, event.offset, event.size)

    @_apply.register
    def _write(self, event: events.Write) -> None:
        fd = self._writable(event)
        if fd is None:
            return
        if event.left_mode is not None:
            os.fchmod(fd, event.left_mode)
        data = self._payload.read(event.payload, event.result)
        if event.digest not in (None, digest(data)):
            raise RecordingError("bytes to replay aren't those that were written: another hash")
        if os.pwrite(fd, data, event.offset) != len(data):
            raise OSError(errno.ENOSPC, "short write")

    def _writable(self, event: events.Write | events.Fallocate) -> int | None:
        """Return the descriptor that *event* is about; None: the file has had no name since."""
        if self._knows_all and event.fh not in self._opens:
            if event.ino not in self._files:
                return None
            path = f"/proc/self/fd/{self._files[event.ino]}"
            self._hold(event.fh, event.ino, os.open(path, os.O_WRONLY | os.O_CLOEXEC))
        _, fd = self._opens.get(event.fh, (0, -1))
        if fd < 0:
            raise RecordingError(f"nothing is open to change: {event}")
        return fd

    @_apply.register
    def _fall(self, event: events.Fallen) -> None:
        path = self._file(event.ino, event.path)
        if path is None:
            return
        if event.file_size is not None:
            os.truncate(path, event.file_size)
            return
        data = self._payload.read(event.payload, event.size)
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            if os.pwrite(fd, data, event.offset) != len(data):
                raise OSError(errno.ENOSPC, "short write")
        finally:
            os.close(fd)

    @_apply.register
    def _release(self, event: events.Release) -> None:
        ino, fd = self._opens.pop(event.fh, (0, -1))
        if fd >= 0:
            os.close(fd)
        if ino:
            self._opened[ino] -= 1
            self._let_go(ino)

    def _hold(self, fh: int, ino: int, fd: int) -> None:
        self._opens[fh] = (ino, fd)
        self._opened[ino] += 1

    # -- names

    @_apply.register
    def _make(self, event: events.Mknod | events.Mkdir | events.Symlink) -> None:
        with self._parent(event.path) as (parent, name):
            match event:
                case events.Mknod():
                    os.mknod(name, event.mode, event.rdev, dir_fd=parent)
                case events.Mkdir():
                    os.mkdir(name, event.mode, dir_fd=parent)
                case events.Symlink():
                    os.symlink(to_bytes(event.target), name, dir_fd=parent)
            self._made(event.ino, parent, name, event.uid, event.gid)

    @_apply.register
    def _link(self, event: events.Link) -> None:
        path = self._file(event.ino, event.old)
        if path is None:
            return
        with self._parent(event.path) as (parent, name):
            os.link(path, name, dst_dir_fd=parent, follow_symlinks=True)

    @_apply.register
    def _remove(self, event: events.Unlink | events.Rmdir) -> None:
        if event.ino:
            self._file(event.ino, event.path)
        with self._parent(event.path) as (parent, name):
            if isinstance(event, events.Rmdir):
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)
        self._let_go(event.ino)

    @_apply.register
    def _rename(self, event: events.Rename) -> None:
        for ino, path in ((event.ino, event.old), (event.replaced, event.path)):
            if ino:
                self._file(ino, path)
        with self._parent(event.old) as (old_parent, old), self._parent(event.path) as (new, name):
            renameat2(old_parent, old, new, name, event.flags)
        self._let_go(event.replaced)

    # -- attributes

    @_apply.register
    def _setattr(self, event: events.Setattr) -> None:
        path = self._file(event.ino, event.path)
        if path is None:
            return
        if event.size is not None:
            os.truncate(path, event.size)
        _leave(path, event.left_mode)
        if event.errno:
            return
        if event.uid is not None or event.gid is not None or _changes_nothing(event):
            # chown(2) takes set-id bits away, also without an owner.
            os.chown(path, *(-1 if one is None else one for one in (event.uid, event.gid)))
        if event.mode is not None:
            os.chmod(path, event.mode)
        if event.atime_ns is not None or event.mtime_ns is not None:
            info = os.stat(path)
            atime = info.st_atime_ns if event.atime_ns is None else event.atime_ns
            mtime = info.st_mtime_ns if event.mtime_ns is None else event.mtime_ns
            os.utime(path, ns=(atime, mtime))

    @_apply.register
    def _xattr(self, event: events.Setxattr | events.Removexattr) -> None:
        path = self._file(event.ino, event.path)
        if path is None:
            return
        name = to_bytes(event.name)
        if isinstance(event, events.Removexattr):
            os.removexattr(path, name)
            return
        os.setxattr(path, name, self._payload.read(event.payload, event.size))
        _leave(path, event.left_mode)

    # -- helpers

    def _made(self, ino: int, parent: int, name: bytes, uid: int | None, gid: int | None) -> None:
        """Take note of what was made, and give it to whom it was given."""
        _give(self._keep(ino, os.open(name, _FIND, dir_fd=parent)), uid, gid)

    def _keep(self, ino: int, fd: int) -> str:
        before = self._files.pop(ino, None)
        if before is not None:
            os.close(before)
        self._gone.discard(ino)
        self._files[ino] = fd
        return f"/proc/self/fd/{fd}"

    def _file(self, ino: int, path: str) -> str | None:
        """Return a path to the inode, which *path* leads to if it is new; None: it is no more."""
        if ino in self._files:
            return f"/proc/self/fd/{self._files[ino]}"
        if ino in self._gone:
            return None
        if path == ".":
            return self._keep(ino, os.open(f"/proc/self/fd/{self._root}", os.O_PATH | os.O_CLOEXEC))
        with self._parent(path) as (parent, name):
            return self._keep(ino, os.open(name, _FIND, dir_fd=parent))

    def _let_go(self, ino: int) -> None:
        """Forget an inode that has no name and is not open."""
        if ino not in self._files or self._opened[ino]:
            return
        del self._opened[ino]
        info = os.stat(self._files[ino])
        if not info.st_nlink:
            os.close(self._files.pop(ino))
            self._gone.add(ino)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, bytes]]:
        """Find the directory of an entry: its descriptor, and the entry's name."""
        *folders, name = to_bytes(path).split(b"/")
        if {b"", b".", b".."} & {*folders, name}:
            raise RecordingError(f"{path} is no path of a journal")
        fd = os.open(f"/proc/self/fd/{self._root}", os.O_PATH | os.O_CLOEXEC)
        try:
            for folder in folders:
                below = os.open(folder, _FIND | os.O_DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = below
            yield fd, name
        finally:
            os.close(fd)


def _give(path: str, uid: int | None, gid: int | None) -> None:
    info = os.stat(path)
    if uid is None or gid is None or (info.st_uid, info.st_gid) == (uid, gid):
        return
    os.chown(path, uid, gid)
    if info.st_mode & _SETID and not stat.S_ISLNK(info.st_mode):
        # chown clears these bits (chown(2)).
        os.chmod(path, stat.S_IMODE(info.st_mode))


def _leave(path: str, mode: int | None) -> None:
    if mode is not None:
        os.chmod(path, mode)


def _changes_nothing(event: events.Setattr) -> bool:
    asked = (event.mode, event.uid, event.gid, event.size, event.atime_ns, event.mtime_ns)
    return all(one is None for one in asked)
