"""Which file a path names at the moment, and which files are of interest.

strace shows no inode numbers: a file is what a path named when it was first used, and keeps its
number through renames and links. Two names that a file had before the text begins are two files.
"""

from typing import Final

from msgspec import Struct, field

from tracefs.pathtext import to_text

_NOT_FILES: Final = (
    b"/dev/",
    b"/proc/",
    b"/sys/",
    b"/memfd:",
    b"/SYSV",
    b"/[aio]",
    b"/anon_hugepage",
)


class File(Struct, kw_only=True, eq=False):
    """One file, whatever its name."""

    ino: int
    size: int | None = None
    """Bytes; None: not known."""
    written: bool = False
    """Somebody opened it for writing, or changed it."""
    directory: bool = False
    names: dict[bytes, None] = field(default_factory=dict)
    """Paths that name it, the newest last."""


class Scope:
    """Which paths are of interest, and how they are told.

    Args:
        base: Absolute path of the directory that paths are told relative to; None: there is none.
        only: Nothing outside *base* is of interest.
    """

    def __init__(self, base: bytes | None, *, only: bool) -> None:
        self._base = base
        self._below = None if base is None else base.rstrip(b"/") + b"/"
        self._only = only

    def inside(self, path: bytes | None) -> bool:
        """Tell whether *path* is the base, or below it."""
        if path is None or self._below is None:
            return False
        return path == self._base or path.startswith(self._below)

    def covers(self, path: bytes | None) -> bool:
        """Tell whether what *path* names may be of interest."""
        if path is None:
            return False
        return self.inside(path) or (not self._only and self.is_file(path))

    def is_file(self, path: bytes) -> bool:
        """Tell whether *path* is of a file or directory on some disk, as far as a path tells."""
        return path.startswith(b"/") and not path.startswith(_NOT_FILES)

    def text(self, path: bytes) -> str:
        """Return *path* as path text, relative to the base where it is below it."""
        if path == self._base:
            return "."
        if self._below is not None and path.startswith(self._below):
            return to_text(path[len(self._below) :])
        return to_text(path)


class Files:
    """The files by their paths; memory grows with the names that were of interest."""

    def __init__(self) -> None:
        self._by_path: dict[bytes, File] = {}
        self._links: dict[bytes, bytes] = {}
        """Symbolic links, or what behaves as one, and where they lead to."""
        self._directories: set[bytes] = set()
        self._made = 0

    def find(self, path: bytes) -> File | None:
        """Return the file that *path* names, if it is known."""
        return self._by_path.get(path)

    def at(self, path: bytes) -> File:
        """Return the file that *path* names, a new one if none is known."""
        file = self._by_path.get(path)
        if file is None:
            file = self.nameless()
            self.put(path, file)
        return file

    def nameless(self) -> File:
        """Return a new file without a name."""
        self._made += 1
        return File(ino=self._made)

    def put(self, path: bytes, file: File) -> None:
        """Let *path* name *file*, and nothing else."""
        self.removed(path)
        self._directories.add(path.rpartition(b"/")[0])
        self._by_path[path] = file
        file.names[path] = None

    def removed(self, path: bytes) -> File | None:
        """Forget the name *path*; return what it named."""
        self._links.pop(path, None)
        file = self._by_path.pop(path, None)
        if file is not None:
            file.names.pop(path, None)
        return file

    def renamed(self, old: bytes, new: bytes, *, exchange: bool = False) -> None:
        """Follow a rename of a file, or of a directory with all below it."""
        if old == new or (self.find(old) is not None and self.find(old) is self.find(new)):
            return  # rename(2): two names of one file stay as they are
        moved, other = self._take(old), self._take(new)
        for path, file in moved.items():
            self.put(new + path[len(old) :], file)
        if exchange:
            for path, file in other.items():
                self.put(old + path[len(new) :], file)

    def _take(self, path: bytes) -> dict[bytes, File]:
        below = path + b"/"
        found = [one for one in self._by_path if one == path or one.startswith(below)]
        return {one: file for one in found if (file := self.removed(one)) is not None}

    def led(self, asked: bytes, found: bytes) -> None:
        """Learn from an open of *asked* that gave *found*, which links are on the way."""
        if asked == found:
            return
        one, other = asked.split(b"/"), found.split(b"/")
        while len(one) > 2 and len(other) > 2 and one[-1] == other[-1]:
            del one[-1], other[-1]
        self._links[b"/".join(one)] = b"/".join(other)

    def linked_to(self, path: bytes, contents: bytes) -> None:
        """Note that *path* is a symbolic link."""
        if contents.startswith(b"/"):
            self._links[path] = self.real(contents)
        else:
            self._links[path] = self.real(path.rpartition(b"/")[0] + b"/" + contents)

    def real(self, path: bytes, *, follow: bool = False) -> bytes:
        """Return the absolute *path* without ``.``, ``..`` and links that are known.

        *follow*: the last component is resolved, too, if it is a link.
        """
        parts = [part for part in path.split(b"/") if part not in {b"", b"."}]
        found = b""
        for number, part in enumerate(parts):
            if part == b"..":
                found = found.rpartition(b"/")[0]
                continue
            found += b"/" + part
            if follow or number < len(parts) - 1:
                found = self._links.get(found, found)
        return found or b"/"

    def is_directory(self, path: bytes) -> bool:
        """Tell whether names below *path* are known."""
        return path in self._directories
