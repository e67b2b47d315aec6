"""The disk that a rule with ``mode`` plays: what a failed sync leaves there, and its way back.

The file below the mount is the cache of what is played: a program reads there what it wrote. What
the disk would have instead is kept beside (`tracefs.faults.pages`), and comes back into the file
when the cache is gone: at the end of the mount, when somebody drops it, or at once.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from time import monotonic_ns
from typing import Final

from msgspec import Struct

from tracefs.capture.backing import errno_of
from tracefs.capture.images import KeptImages
from tracefs.capture.inodes import Key, Node
from tracefs.events import Fallen
from tracefs.faults.failing import PLAIN, Answer, FailingFile, Struck
from tracefs.faults.model import Rule
from tracefs.faults.pages import PAGE, Back, Pages, Piece
from tracefs.filecalls import FALLOC_FL_KEEP_SIZE
from tracefs.pathtext import to_text

_MOST_CLOSED: Final = 1024
"""Files that nobody has open and whose pages are followed; of the oldest they count as saved."""


_AT_ONCE: Final = 1 << 20
"""Bytes that are read at once; a multiple of `PAGE`."""


class Gone(Struct, frozen=True):
    """A file that could not go back."""

    path: str
    errno: int


class _File(FailingFile):
    """One file, with a descriptor of its own."""

    def __init__(self, fd: int, node: Node, images: KeptImages) -> None:
        super().__init__(Pages(os.fstat(fd).st_size, images))
        self.fd = fd
        self.ino = node.ino
        self.handles: set[int] = set()
        self.rule = ""
        """The last that a sync has failed by."""


class PlayedDisk:
    """All files of a mount that a rule with a mode may be for.

    Args:
        root: descriptor of the traced directory.
        folder: descriptor of a directory outside it, for what memory can't hold.
        record: appends a line to the journal.
        keep: keeps bytes beside the journal, if they are wanted; returns their offset there.
        is_for: tells whether a rule is for a file.
    """

    def __init__(
        self,
        root: int,
        folder: int,
        record: Callable[[Fallen], None],
        keep: Callable[[bytes], int | None],
        is_for: Callable[[Rule, Node], bool],
    ) -> None:
        self._root = root
        self._images = KeptImages(folder)
        self._record = record
        self._keep = keep
        self._is_for = is_for
        self._rules: tuple[Rule, ...] = ()
        self._files: dict[Key, _File] = {}
        self._closed: dict[Key, None] = {}
        """Those without an open, the oldest first."""

    def follow(self, rules: Iterable[Rule]) -> None:
        """Follow what is written, from now on, to the files that *rules* are for."""
        self._rules = tuple(rule for rule in rules if rule.mode is not None)

    @property
    def needed(self) -> bool:
        """Whether a rule wants it, or something is left that it has to play to the end."""
        return bool(self._rules) or any(file.pages.differs() for file in self._files.values())

    # -- what handlers tell

    def opened(self, node: Node, fd: int, handle: int, *, writes: bool) -> None:
        """*handle* is an open of *node*, by *fd*, for writing or not."""
        file = self._files.get(node.key)
        if file is not None and handle in file.handles:
            return
        if file is None and writes and any(self._is_for(rule, node) for rule in self._rules):
            file = self._begin(node, fd)
        if file is not None:
            self._closed.pop(node.key, None)
            file.ino = node.ino
            file.handles.add(handle)
            file.errors.opened(handle)

    def released(self, node: Node, handle: int) -> None:
        """That open is over."""
        file = self._files.get(node.key)
        if file is None:
            return
        file.handles.discard(handle)
        file.errors.closed(handle)
        if file.handles:
            return
        if not os.fstat(file.fd).st_nlink:
            self._end(node.key)
            return
        self._closed[node.key] = None
        if len(self._closed) > _MOST_CLOSED:
            self._end(next(iter(self._closed)))

    def before(self, node: Node, start: int, size: int) -> None:
        """*size* bytes from *start* on are about to change."""
        file = self._files.get(node.key)
        if file is not None:
            # What can't be read now counts as saved.
            with contextlib.suppress(OSError):
                for first, count in _runs(file.pages.wanted(start, start + size)):
                    _keep(file, first, count)

    def wrote(self, node: Node, start: int, size: int, *, through: bool = False) -> None:
        """*size* bytes were written at *start*; *through*: past the cache, to the disk itself."""
        file = self._files.get(node.key)
        if file is None:
            return
        file.pages.wrote(start, start + size)
        if through:
            file.pages.went_through(start, start + size)

    def resized(self, node: Node, size: int) -> None:
        """The file now has *size* bytes."""
        file = self._files.get(node.key)
        if file is not None:
            file.pages.resized(size)

    def allocated(self, node: Node, mode: int, start: int) -> None:
        """A fallocate(2) from *start* on succeeded."""
        file = self._files.get(node.key)
        if file is None:
            return
        if mode & ~FALLOC_FL_KEEP_SIZE:
            file.pages.rearranged(start)
        size = os.fstat(file.fd).st_size
        if size != file.pages.size:
            file.pages.resized(size)

    def sync(self, node: Node, fd: int, handle: int, rule: Rule | None) -> Answer:
        """Return what becomes of a sync by *handle*, which *rule* strikes or none."""
        file = self._files.get(node.key)
        if rule is None or rule.mode is None or not rule.error:
            return PLAIN if file is None else file.sync(handle, None)
        if file is None:
            # It got a name that the rule is for after it was opened: what was written is not known.
            file = self._begin(node, fd)
        struck = Struck(rule=rule.text, errno=rule.error, mode=rule.mode)
        if file is None:
            return Answer(errno=rule.error, syncs=False, rule=rule.text)
        file.rule = rule.text
        return file.sync(handle, struck)

    def saved(self, node: Node) -> None:
        """A sync of the file itself has succeeded."""
        file = self._files.get(node.key)
        if file is not None:
            file.pages.saved()

    # -- the way back

    def go_back(self, node: Node, back: Back) -> Gone | None:
        """Let the program see the disk's content; return what went wrong."""
        return self._go_back(self._files[node.key], back)

    def _go_back(self, file: _File, back: Back) -> Gone | None:
        before = os.fstat(file.fd)
        path = self._path(file)
        try:
            if back.size != before.st_size:
                os.ftruncate(file.fd, back.size)
            for offset, size, payload in self._write(file, back):
                self._fell(file, path, offset, size, payload=payload)
            if back.size < before.st_size:
                gone = before.st_size - back.size
                self._fell(file, path, back.size, gone, file_size=back.size)
            os.utime(file.fd, ns=(before.st_atime_ns, before.st_mtime_ns))
        except OSError as error:
            return Gone(path, errno_of(error))
        return None

    def drop(self) -> Iterator[tuple[int, Gone | None]]:
        """Let the cache go, as under memory pressure: what is dirty stays.

        Yields:
            The inode number of each file that has other content now, and what went wrong with it.
        """
        for file in list(self._files.values()):
            back = file.pages.fall(evicted=not file.handles)
            if back is not None:
                yield file.ino, self._go_back(file, back)

    def unmount(self) -> list[Gone]:
        """Write what is dirty, and let the cache go; return what went wrong."""
        gone = []
        for key, file in list(self._files.items()):
            file.pages.saved()
            if os.fstat(file.fd).st_nlink and (back := file.pages.fall(evicted=True)):
                gone.append(self._go_back(file, back))
            self._end(key)
        self._images.close()
        return [one for one in gone if one is not None]

    def _write(self, file: _File, back: Back) -> Iterator[tuple[int, int, int | None]]:
        """Write what goes back; yield where, how much, and where its bytes are kept."""
        for offset, parts in _spans(file.pages.pieces(back)):
            data = b"".join(parts)
            os.pwrite(file.fd, data, offset)
            yield offset, len(data), self._keep(data)

    def _fell(
        self,
        file: _File,
        path: str,
        offset: int,
        size: int,
        *,
        payload: int | None = None,
        file_size: int | None = None,
    ) -> None:
        now = monotonic_ns()
        self._record(
            Fallen(
                start_ns=now, end_ns=now, tid=0, path=path, ino=file.ino, offset=offset, size=size,
                file_size=file_size, payload=payload, rule=file.rule,
            )
        )  # fmt: skip

    def _path(self, file: _File) -> str:
        """Return where the file is now; the kernel may have forgotten the node long ago."""
        root = os.readlink(f"/proc/self/fd/{self._root}")
        path = os.readlink(f"/proc/self/fd/{file.fd}")
        return to_text(os.fsencode(path.removeprefix(root).lstrip("/")))

    # -- files

    def _begin(self, node: Node, fd: int) -> _File | None:
        """Follow *node*; None where it can't be read and written, as the server's user."""
        with contextlib.suppress(OSError):
            own = os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            file = self._files[node.key] = _File(own, node, self._images)
            return file
        return None

    def _end(self, key: Key) -> None:
        file = self._files.pop(key)
        self._closed.pop(key, None)
        file.pages.close()
        os.close(file.fd)


def _keep(file: _File, first: int, count: int) -> None:
    """Keep *count* pages of the file, from page *first* on."""
    data = os.pread(file.fd, count * PAGE, first * PAGE)
    file.pages.keep({first + at: data[at * PAGE : (at + 1) * PAGE] for at in range(count)})


def _runs(pages: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield first page and number of *pages* that follow one another, some at a time."""
    first = count = 0
    # What a run keeps is kept before the next is asked for, so *pages* must not go on changing.
    for page in list(pages):
        if count and (page != first + count or count * PAGE >= _AT_ONCE):
            yield first, count
            count = 0
        first, count = (first, count + 1) if count else (page, 1)
    if count:
        yield first, count


def _spans(pieces: Iterable[Piece]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield *pieces* that touch together, so many at most as are read at once."""
    start = stop = 0
    parts: list[bytes] = []
    for piece in pieces:
        if parts and (piece.offset != stop or stop - start >= _AT_ONCE):
            yield start, parts
            parts = []
        if not parts:
            start = piece.offset
        parts.append(piece.data)
        stop = piece.offset + len(piece.data)
    if parts:
        yield start, parts
