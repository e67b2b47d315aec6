"""The starting tree of a recording: what was in the directory when the recording began.

``start.jsonl`` has a line for each file. What a regular file held is ``start/INO``, if it was about
to change while it was recorded; any other is read from the directory itself, where it must still be
as it was.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.journal.format import KEPT, MAX_LINE, START, UNREADABLE
from tracefs.pathtext import printable, to_bytes, to_text

T = TypeVar("T")

VERSION: Final = 1
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ROOT: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST_OPEN: Final = 64
"""Files that a reader keeps open."""
_AGAIN: Final = "record again with --payload, and read it before the directory is changed"


class Head(Struct, frozen=True, kw_only=True, tag="start", tag_field="type"):
    """First line of ``start.jsonl``."""

    version: int = VERSION
    source: str
    """The traced directory, absolute path text."""


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One name in the starting tree, with what lstat(2) said of it."""

    path: str
    """Path text relative to the traced directory, ``.`` for itself."""
    ino: int
    """As the journal has it; two entries with the same are two names of one file."""
    mode: int
    """Type and permission bits."""
    uid: int
    gid: int
    nlink: int = 1
    size: int = 0
    """In bytes."""
    mtime_ns: int = 0
    ctime_ns: int = 0
    rdev: int = 0
    target: str | None = None
    """Of a symbolic link, path text."""
    xattrs: tuple[tuple[str, bytes], ...] = ()
    """Names, path text, and values."""
    missing: str | None = None
    """What is not known, and why: extended attributes, or what is in a directory."""

    @property
    def holds_bytes(self) -> bool:
        """Whether it is a regular file that isn't empty."""
        return stat.S_ISREG(self.mode) and self.size > 0


class StartTree:
    """Every file that there was, and what the regular ones held; also a context manager."""

    def __init__(self, recording: Path, head: Head, entries: tuple[Entry, ...]) -> None:
        """See `open`."""
        self.entries: Final = entries
        """Parents first; the first one is the directory itself, ``.``."""
        self._recording = recording
        self._source = to_bytes(head.source)
        self._files: Final = {one.ino: one for one in entries if stat.S_ISREG(one.mode)}
        self._paths: dict[int, bytes] | None = None
        """Inode number -> where the file is now; None: nobody looked."""
        self._open: Final[dict[int, tuple[int, bool]]] = {}
        """Inode number -> descriptor, and whether it is of what was kept."""

    @classmethod
    def open(cls, recording: Path, source: Path | None = None) -> Self:
        """Return the starting tree of *recording*, a folder.

        Args:
            recording: made with ``--payload``.
            source: where the traced directory is now; None: where it was.

        Raises:
            RecordingError: it has none, or none that can be read.
        """
        head, entries = _read(recording)
        tree = cls(recording, head, entries)
        if source is not None:
            tree._source = os.fsencode(os.path.realpath(source))
        return tree

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every file; those that are read later are opened again."""
        while self._open:
            os.close(self._open.popitem()[1][0])

    def read(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a file as it was; fewer at its end.

        Raises:
            RecordingError: they can't be had any more.
        """
        entry = self._files.get(ino)
        if entry is None:
            raise RecordingError(
                f"{self._name}: no regular file of the starting tree has inode {ino}"
            )
        size = min(size, entry.size - offset)
        if size <= 0:
            return b""
        try:
            fd, kept = self._opened(entry)
            data = _pread(fd, offset, size)
            if not kept:
                self._require_same(entry, os.fstat(fd))
        except OSError as error:
            raise RecordingError(
                f"{self._shown(entry)} can't be read: {error.strerror}", repair=_AGAIN
            ) from None
        if len(data) != size:
            raise RecordingError(f"{self._shown(entry)} is shorter than it was", repair=_AGAIN)
        return data

    def lost(self) -> list[tuple[Entry, str]]:
        """Return the files that can't be read as they were, and why."""
        found = []
        for entry in self._files.values():
            try:
                if entry.size:
                    self._opened(entry)
            except RecordingError as error:
                found.append((entry, str(error)))
            except OSError as error:
                found.append((entry, f"{self._shown(entry)} can't be read: {error.strerror}"))
        return found

    @property
    def source(self) -> bytes:
        """The traced directory, absolute, unlike that of the journal's header."""
        return self._source

    @property
    def _name(self) -> str:
        return to_text(os.fsencode(self._recording))

    def _shown(self, entry: Entry) -> str:
        return f"{self._name}: what {printable(entry.path)} held when recording began"

    def _opened(self, entry: Entry) -> tuple[int, bool]:
        known = self._open.get(entry.ino)
        if known is not None:
            return known
        fd, kept = self._kept(entry), True
        if fd is None:
            fd, kept = self._at_source(entry), False
        if len(self._open) >= _MOST_OPEN:
            os.close(self._open.pop(next(iter(self._open)))[0])
        self._open[entry.ino] = fd, kept
        return fd, kept

    def _kept(self, entry: Entry) -> int | None:
        """Return a descriptor of what was kept of the file; None: nothing was."""
        try:
            fd = os.open(self._recording / KEPT / str(entry.ino), _FILE)
        except FileNotFoundError:
            return None
        info = os.fstat(fd)
        if stat.S_ISREG(info.st_mode) and info.st_size == entry.size:
            return fd
        os.close(fd)
        raise RecordingError(f"{self._name}: {KEPT}/{entry.ino} isn't what was kept: another size")

    def _at_source(self, entry: Entry) -> int:
        """Return a descriptor of the file itself, wherever it is by now."""
        fd = self._opened_as(entry.ino, to_bytes(entry.path))
        if fd is None and (path := self._found(entry.ino)) is not None:
            fd = self._opened_as(entry.ino, path)
        if fd is None:
            raise RecordingError(
                f"{self._shown(entry)} was not kept, and the file is not there any more",
                repair=_AGAIN,
            )
        try:
            self._require_same(entry, os.fstat(fd))
        except RecordingError:
            os.close(fd)
            raise
        return fd

    def _opened_as(self, ino: int, path: bytes) -> int | None:
        """Return a descriptor of the file if *path* leads to it."""
        try:
            root = os.open(self._source, _ROOT)
            try:
                fd = _open_below(root, path)
            finally:
                os.close(root)
        except OSError:
            return None
        if os.fstat(fd).st_ino == ino:
            return fd
        os.close(fd)
        return None

    def _require_same(self, entry: Entry, now: os.stat_result) -> None:
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (entry.ino, entry.size, entry.mtime_ns):
            raise RecordingError(
                f"{self._shown(entry)} was not kept, and it was changed since", repair=_AGAIN
            )

    def _found(self, ino: int) -> bytes | None:
        """Return the path of the file with this inode number, which may have got another name."""
        if self._paths is None:
            self._paths = _paths_below(self._source)
        return self._paths.get(ino)


def _read(recording: Path) -> tuple[Head, tuple[Entry, ...]]:
    name = to_text(os.fsencode(recording))
    try:
        fd = os.open(recording / START, _FILE)
    except OSError as error:
        raise RecordingError(
            f"{name} has no starting tree: {error.strerror}",
            repair="record it with tracefs run --payload",
        ) from None
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise RecordingError(f"{name}: its {START} is no regular file")
        head = _decoded(file.readline(MAX_LINE), Head, name)
        if head.version != VERSION:
            raise RecordingError(
                f"{name}: {START} has a version that can't be read", repair="update"
            )
        entries = tuple(
            _decoded(line, Entry, name) for line in iter(lambda: file.readline(MAX_LINE), b"")
        )
    if not entries or entries[0].path != ".":
        raise RecordingError(f"{name}: {START} doesn't begin with the directory itself")
    return head, entries


def _decoded(line: bytes, kind: type[T], name: str) -> T:
    # A file that was not written to its end has no newline there.
    try:
        if not line.endswith(b"\n"):
            raise msgspec.DecodeError("it is cut off")
        return msgspec.json.decode(line, type=kind)
    except UNREADABLE as error:
        raise RecordingError(f"{name}: {START} can't be read: {error}") from None


def _pread(fd: int, offset: int, size: int) -> bytes:
    found = os.pread(fd, size, offset)
    while len(found) < size and (more := os.pread(fd, size - len(found), offset + len(found))):
        found += more
    return found


def _open_below(root: int, path: bytes) -> int:
    """Open *path* below the directory *root*, through no symbolic link and no ``..``."""
    *folders, name = path.split(b"/")
    if {b"", b".", b".."} & {*folders, name}:
        raise RecordingError(f"{to_text(path)} is no path of a starting tree")
    fd = root
    try:
        for folder in folders:
            below = os.open(folder, _DIRECTORY, dir_fd=fd)
            if fd != root:
                os.close(fd)
            fd = below
        return os.open(name, _FILE, dir_fd=fd)
    finally:
        if fd != root:
            os.close(fd)


def _paths_below(directory: bytes) -> dict[int, bytes]:
    """Return inode number -> path of every regular file below *directory*."""
    found: dict[int, bytes] = {}
    if not os.path.isdir(directory):
        return found
    for folder, _, names, fd in os.fwalk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                info = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if stat.S_ISREG(info.st_mode):
                    path = os.path.join(folder, name)
                    found[info.st_ino] = os.path.relpath(path, directory)
    return found
