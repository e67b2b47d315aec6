"""The traced tree as it was at each moment of the journal: names, sizes, opens."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from tracefs.errors import RecordingError
from tracefs.pathtext import to_bytes, to_text
from tracefs.persistence.history import ROOT, Entry, File

_AGAIN: Final = 1 << 63
"""From here on are the numbers of files whose inode number came again; no filesystem gets there."""


class Starting(Protocol):
    """A file when the recording began: `tracefs.journal.start.Entry`."""

    @property
    def path(self) -> str:
        """Path text, ``.`` for the traced directory."""

    @property
    def ino(self) -> int:
        """Inode number."""

    @property
    def mode(self) -> int:
        """Type and permission bits."""

    @property
    def uid(self) -> int:
        """Owner."""

    @property
    def gid(self) -> int:
        """Group."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def rdev(self) -> int:
        """Of a device."""

    @property
    def target(self) -> str | None:
        """Of a symbolic link, path text."""

    @property
    def xattrs(self) -> tuple[tuple[str, bytes], ...]:
        """Names, path text, and values."""


class Living:
    """Which file an inode number means, where each name leads, how long each file is."""

    def __init__(self, start: Iterable[Starting]) -> None:
        """Begin with *start*, each directory before what is in it."""
        self.files: dict[int, File] = {}
        self.root = 0
        self._names: dict[int, dict[bytes, int]] = {}
        self._where: dict[int, set[tuple[int, bytes]]] = {}
        self._gone: dict[int, str | None] = {}
        """File without a name -> its last path."""
        self._sizes: dict[int, int] = {}
        self._current: dict[int, int] = {}
        """Inode number -> file."""
        self._opens: dict[int, int] = {}
        self._opened: Counter[int] = Counter()
        for entry in start:
            self._begin(entry)
        self.start_names = {number: dict(names) for number, names in self._names.items()}

    def _begin(self, entry: Starting) -> None:
        self._current[entry.ino] = entry.ino
        self.files[entry.ino] = File(
            number=entry.ino, ino=entry.ino, mode=entry.mode, uid=entry.uid, gid=entry.gid,
            size=entry.size, base=entry.ino, target=entry.target, rdev=entry.rdev,
            xattrs=entry.xattrs,
        )  # fmt: skip
        self._sizes[entry.ino] = entry.size
        if entry.path == ROOT:
            self.root = entry.ino
        else:
            self.name(Entry(*self.place(entry.path), entry.ino, 0))

    def file(self, ino: int, path: str | None) -> int:
        """Return the file that the inode number means now; *path* leads to it if it is new.

        Raises:
            RecordingError: no such file is known.
        """
        if path == ROOT:
            return self.root  # in some lines its number is FUSE's own, 1
        known = self._current.get(ino)
        if known is not None:
            return known
        raise RecordingError(f"the journal knows a file {ino} that the starting tree has not")

    def made(self, ino: int, describe: Callable[[int], File]) -> int:
        """Return the number of a new file, which *describe* describes by it."""
        number = ino if ino not in self.files else _AGAIN + len(self.files)
        self.files[number] = describe(number)
        self._current[ino] = number
        self._sizes[number] = 0
        return number

    def place(self, path: str) -> tuple[int, bytes]:
        """Return the directory of an entry, and its name there; RecordingError: not there."""
        *folders, name = to_bytes(path).split(b"/")
        directory = self.root
        for folder in folders:
            directory = self.named(directory, folder)
            if not directory:
                raise RecordingError(f"the journal has {path}, whose directory it doesn't know")
        return directory, name

    def named(self, directory: int, name: bytes) -> int:
        """Return the file of that name, 0 if there is none."""
        return self._names.get(directory, {}).get(name, 0)

    def name(self, entry: Entry) -> None:
        """Let a name mean another file."""
        names = self._names.setdefault(entry.directory, {})
        key = entry.directory, entry.name
        before = names.pop(entry.name, 0)
        if before:
            self._where[before].discard(key)
            if not self._where[before]:
                self._gone[before] = self._below(*key)
        if entry.file:
            names[entry.name] = entry.file
            self._where.setdefault(entry.file, set()).add(key)

    def last_path(self, file: int) -> str | None:
        """Return a path to the file, or the one that it had last; None: it had none."""
        return self.path(file) or self._gone.get(file)

    def _below(self, directory: int, name: bytes) -> str | None:
        above = self.path(directory)
        if above is None:
            return None
        return to_text(name) if above == ROOT else f"{above}/{to_text(name)}"

    def path(self, file: int) -> str | None:
        """Return a path to the file, path text; None: it has no name."""
        parts: list[bytes] = []
        while file != self.root:
            where = self._where.get(file)
            if not where:
                return None
            file, name = min(where)
            parts.append(name)
        return to_text(b"/".join(parts[::-1])) if parts else ROOT

    def size(self, file: int) -> int:
        """Return how long the file is, in bytes."""
        return self._sizes[file]

    def resize(self, file: int, size: int) -> None:
        """Let it be *size* bytes long."""
        self._sizes[file] = size

    def opened(self, handle: int, file: int) -> None:
        """Note that the file is open."""
        self._opens[handle] = file
        self._opened[file] += 1

    def closed(self, handle: int) -> None:
        """Note the end of an open."""
        file = self._opens.pop(handle, None)
        if file is not None:
            self._opened[file] -= 1
