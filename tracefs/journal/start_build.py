"""The starting tree of a recording, made anew in another directory, for `tracefs.replay` to go on.

Nothing outside is touched, whatever a recording says: only below directories that were made here is
anything made, and no name is followed.
"""

import os
import stat
from pathlib import Path
from typing import Final

from tracefs.errors import RecordingError
from tracefs.journal.start import Entry, StartTree
from tracefs.pathtext import printable, to_bytes

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK: Final = 1 << 20
_PRIVILEGED: Final = ("security.", "trusted.")
"""Namespaces that mostly need a privilege to be set (xattr(7))."""


def build(tree: StartTree, directory: Path) -> None:
    """Make in *directory*, which is empty, all that there was when recording began.

    Types, modes, links, contents, extended attributes and times of change come out as they were;
    owners too, for root, and extended attributes that need it.

    Raises:
        RecordingError: what a file held can't be had any more, or *tree* is no tree.
        OSError: something can't be made here.
    """
    builder = _Builder(tree, os.fsencode(directory))
    for entry in tree.entries:
        builder.make(entry)
    for entry in reversed(tree.entries):
        builder.finish(entry)


class _Builder:
    """One directory in the making."""

    def __init__(self, tree: StartTree, directory: bytes) -> None:
        self._tree = tree
        self._directory = directory
        self._made: dict[int, bytes] = {}
        """Inode number in the recording -> first name of what is no directory."""
        self._directories: set[bytes] = {b"."}

    def make(self, entry: Entry) -> None:
        """Make one name; of a directory, only that it can be filled."""
        name = to_bytes(entry.path)
        if name == b".":
            return
        parent, _, last = name.rpartition(b"/")
        if (parent or b".") not in self._directories or last in {b"", b".", b".."}:
            raise RecordingError(f"{printable(entry.path)} is no path of a starting tree")
        path = os.path.join(self._directory, name)
        if stat.S_ISDIR(entry.mode):
            os.mkdir(path, 0o700)
            self._directories.add(name)
            return
        first = self._made.setdefault(entry.ino, path)
        if first != path:
            os.link(first, path, follow_symlinks=False)
        elif stat.S_ISREG(entry.mode):
            self._fill(path, entry)
        elif stat.S_ISLNK(entry.mode):
            os.symlink(to_bytes(entry.target or ""), path)
        else:
            os.mknod(path, stat.S_IFMT(entry.mode) | 0o600, entry.rdev)

    def finish(self, entry: Entry) -> None:
        """Give what was made its owner, mode, extended attributes and time, deepest first."""
        path = os.path.join(self._directory, to_bytes(entry.path))
        if os.geteuid() == 0:
            os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        if not stat.S_ISLNK(entry.mode):
            os.chmod(path, stat.S_IMODE(entry.mode))
        for name, value in entry.xattrs:
            if os.geteuid() != 0 and name.startswith(_PRIVILEGED):
                continue
            os.setxattr(path, to_bytes(name), value, follow_symlinks=False)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)

    def _fill(self, path: bytes, entry: Entry) -> None:
        fd = os.open(path, _NEW, 0o600)
        with open(fd, "wb", buffering=0) as file:
            for offset in range(0, entry.size, _BLOCK):
                rest = memoryview(self._tree.read(entry.ino, offset, _BLOCK))
                while rest:
                    rest = rest[file.write(rest) :]
