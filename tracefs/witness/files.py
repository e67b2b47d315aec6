"""Which of a program's descriptors lie on the traced mount."""

import ctypes
import os
import stat
import struct
from typing import Final

from msgspec import Struct

from tracefs.pathtext import to_text
from tracefs.witness.roots import inside, outer_prefix
from tracefs.witness.threads import Fdinfo, Thread

_libc: Final = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD: Final = -100
_AT_STATX_DONT_SYNC: Final = 0x4000
# struct statx (linux/stat.h): stx_mode at byte 28, stx_dev_major and stx_dev_minor at 136.
_STATX_SIZE: Final = 256
_MODE: Final = struct.Struct("=H")
_MODE_AT: Final = 28
_DEVICE: Final = struct.Struct("=II")
_DEVICE_AT: Final = 136
_MAX_NAMES: Final = 4096
_DELETED: Final = b" (deleted)"


class TracedMount(Struct, frozen=True, kw_only=True):
    """The mount that is traced, as the command sees it."""

    id: int
    """Mount id, as in mountinfo; the same as long as the command's namespace lives."""
    device: tuple[int, int]
    """Major and minor number of the filesystem, the same in every copy of the mount."""
    root: str
    """Where it is mounted: an absolute path, path text."""


class Files:
    """Tells files on the traced mount from others, without asking a filesystem anything."""

    def __init__(self, mount: TracedMount, root: bytes) -> None:
        self._mount = mount
        self._root = root
        self._names: dict[tuple[int, int, int], str] = {}

    def holds(self, thread: Thread, fd: int, info: Fdinfo) -> bool:
        """Return whether descriptor *fd* lies on the traced mount, or on a copy of it.

        Raises:
            OSError: it is closed by now, or may not be read.
        """
        return info.mount == self._mount.id or _device(thread.tid, fd) == self._mount.device

    def opened(self, thread: Thread, first: int, last: int) -> list[Fdinfo]:
        """Return the descriptors from *first* to *last* that lie on the mount.

        Raises:
            OSError: the process is gone, or may not be read.
        """
        fds = [int(name) for name in os.listdir(f"/proc/{thread.tid}/fd")]
        found = [self.held(thread, fd) for fd in sorted(fds) if first <= fd <= last]
        return [info for info in found if info is not None]

    def held(self, thread: Thread, fd: int) -> Fdinfo | None:
        """Return descriptor *fd* if it is open and lies on the mount.

        Raises:
            OSError: the process may not be read.
        """
        try:
            info = thread.fdinfo(fd)
            return info if self.holds(thread, fd, info) else None
        except FileNotFoundError:
            return None

    def maps(self, thread: Thread, address: int) -> bool:
        """Return whether what is mapped at *address* lies on the mount.

        Takes the ``mmap_lock``, which another thread of the program may hold while it waits for the
        server of the mount; that never waits for whoever asks here.

        Raises:
            OSError: the process is gone, or may not be read.
        """
        with open(f"/proc/{thread.tid}/maps", "rb") as maps:
            for line in maps:
                span, _, _, device, _ = line.split(None, 5)[:5]
                start, end = (int(word, 16) for word in span.split(b"-"))
                if start <= address < end:
                    major, minor = (int(word, 16) for word in device.split(b":"))
                    return (major, minor) == self._mount.device
        return False

    def name(self, thread: Thread, fd: int, ino: int | None) -> str | None:
        """Return the path under the mount that a descriptor had when it was first met.

        A trace prefers the names of its own opens, which renames move; to read it each time would
        cost 12 µs.
        """
        if ino is None:
            return None
        key = (thread.tid, fd, ino)
        name = self._names.get(key)
        if name is None:
            name = self._read_name(thread, fd)
            if name is not None:
                if len(self._names) >= _MAX_NAMES:
                    self._names.clear()
                self._names[key] = name
        return name

    def _read_name(self, thread: Thread, fd: int) -> str | None:
        try:
            path = os.readlink(b"/proc/%d/fd/%d" % (thread.tid, fd))
        except OSError:
            return None
        path = inside(path, outer_prefix(thread.tid))
        if path == self._root:
            return "."
        # A file may be called so, too: then its name isn't known from here.
        if path.endswith(_DELETED) or not path.startswith(self._root + b"/"):
            return None
        return to_text(path[len(self._root) + 1 :])


def is_regular(thread: Thread, fd: int, info: Fdinfo) -> bool:
    """Return whether a descriptor is of a regular file: no other has a position to move.

    Raises:
        OSError: it is closed by now, or may not be read.
    """
    # A FIFO is never anywhere but at 0, which spares most looks at regular files.
    return info.position > 0 or stat.S_ISREG(
        _MODE.unpack_from(_statx(_link(thread.tid, fd)), _MODE_AT)[0]
    )


def _device(tid: int, fd: int) -> tuple[int, int]:
    return device_of(_link(tid, fd))


def device_of(path: bytes) -> tuple[int, int]:
    """Return major and minor number of the device that a link in /proc leads to.

    Raises:
        OSError: it leads nowhere, or may not be followed.
    """
    major, minor = _DEVICE.unpack_from(_statx(path), _DEVICE_AT)
    return major, minor


def _link(tid: int, fd: int) -> bytes:
    return b"/proc/%d/fd/%d" % (tid, fd)


def _statx(path: bytes) -> bytes:
    """Return what is known of a file; a FUSE server is not asked (statx(2))."""
    buffer = ctypes.create_string_buffer(_STATX_SIZE)
    if _libc.statx(_AT_FDCWD, path, _AT_STATX_DONT_SYNC, 0, buffer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw
