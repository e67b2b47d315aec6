"""Where a living mount is, and how this process stands to it."""

import contextlib
import os
from pathlib import Path

from tracefs.capture import bypass, fusermount, mounts
from tracefs.capture.mounts import Mount, is_within
from tracefs.errors import MountError, RecordingError
from tracefs.pathtext import to_text
from tracefs.witness.files import device_of


class Place:
    """A mountpoint, and the directory that is to be seen there.

    Nothing here goes through the mount, so nothing waits for its server.
    """

    def __init__(self, root_fd: int, mountpoint: Path) -> None:
        """Take the directory, opened O_PATH, and where it is to be mounted; it is not yet.

        Raises:
            MountError: Nothing can be mounted there.
        """
        self.target = os.path.realpath(os.fsencode(mountpoint))
        """The mountpoint's real path."""
        if self.target == b"/":
            raise MountError("the root directory cannot be traced in place")
        source, covered = os.fstat(root_fd), os.stat(self.target)
        self._hidden = {(source.st_dev, source.st_ino), (covered.st_dev, covered.st_ino)}
        self.in_place = os.path.samestat(source, covered)
        """The directory is mounted over itself."""
        self.mount: Mount | None = None
        """Once it is mounted."""

    def note_mount(self) -> None:
        """Find the mount that has just been made; MountError: it is gone again."""
        self.mount = mounts.find(self.target)
        if self.mount is None:
            raise MountError(f"{os.fsdecode(self.target)}: the mount is gone again")

    def outside(self, recording: Path) -> Path:
        """Return the real path of *recording*; RecordingError: it lies in the directory."""
        real = Path(os.path.realpath(recording))
        within = is_within(self.target, os.fsencode(real))
        for ancestor in () if within else (real, *real.parents):
            with contextlib.suppress(OSError):
                found = os.stat(ancestor)
                within = within or (found.st_dev, found.st_ino) in self._hidden
                within = within or found.st_dev == self._device()
        if within:
            raise RecordingError(
                f"the recording ({to_text(os.fsencode(recording))}) would lie inside the traced "
                "directory",
                repair="name a folder outside it",
            )
        return real

    def bypassed_by(self, *ours: int) -> tuple[str, ...]:
        """Return what this process holds of the directory from before it was mounted over.

        *ours* are descriptors of tracefs itself.
        """
        return bypass.held(self.target, self.mount, *ours) if self.in_place else ()

    def unmount(self) -> None:
        """Take the mount away from here; who uses it keeps it. MountError: it stays."""
        if self.mount is not None and mounts.find(self.target) == self.mount:
            fusermount.unmount(self.target, lazy=True)

    def is_entered(self) -> bool:
        """Return whether a process that we may look at is in the mount: in any copy of it."""
        return self.mount is not None and any(
            _device_of(b"/proc/%s/%s" % (pid, where)) == self.mount.device
            for pid in filter(bytes.isdigit, os.listdir(b"/proc"))
            for where in (b"cwd", b"root")
        )

    def working_directory(self) -> bytes:
        """Return the real path of this process's, if it is inside; else nothing.

        Who mounted for a server that has died takes the mount away, too: then the kernel knows the
        directory's path in what was mounted there alone (getcwd(2), "unreachable").
        """
        try:
            path = os.getcwdb()
        except OSError:
            if self.mount is None or _device_of(b"/proc/self/cwd") != self.mount.device:
                return b""
            path = self.target + os.readlink(b"/proc/self/cwd")
        return path if is_within(self.target, path) else b""

    def cut_off(self) -> None:
        """End the mount's connection, if that is allowed: whoever waits for it is set free."""
        if self.mount is not None:
            with contextlib.suppress(MountError):
                mounts.abort(self.mount)

    def _device(self) -> int | None:
        return None if self.mount is None else os.makedev(*self.mount.device)


def _device_of(path: bytes) -> tuple[int, int] | None:
    try:
        return device_of(path)
    except OSError:
        return None  # it has ended, or is somebody else's
