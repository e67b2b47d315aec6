"""The tree that an image describes, made in a directory."""

import os
import stat
from contextlib import suppress
from typing import Final, Protocol, runtime_checkable

from tracefs.errors import RecordingError
from tracefs.pathtext import to_bytes
from tracefs.persistence.image import PAGE, Bytes, Content, Image, Node

_CHUNK: Final = 1 << 20
"""Bytes of a starting file that are copied at once."""
_ZEROS: Final = bytes(_CHUNK)


@runtime_checkable
class Described(Protocol):
    """Bytes whose starting files can be had as descriptors, too: then the kernel copies them."""

    def descriptor(self, ino: int) -> int | None:
        """Return one to read the file as it was when the recording began; None: there is none.

        It stays with who gives it.
        """


def make(image: Image, source: Bytes, directory: str | bytes) -> tuple[str, ...]:
    """Make *directory* the root of *image*; return paths that were left out (path text).

    Left out are devices: a checker is not to meet a real one by a number of another machine. Owners
    are set where this process may, and extended attributes of users where the filesystem has them.
    Links point where they pointed.

    Args:
        image: what to make.
        source: has the bytes that it names.
        directory: not there yet, in a directory that nobody else can write.

    Raises:
        OSError: it can't be made: no space, a name that the filesystem doesn't take.
        RecordingError: bytes can't be had any more, or the image is no tree.
    """
    root = os.fsencode(directory)
    maker = _Maker(source)
    for path, node in image.nodes:
        maker.add(root, path, node)
    maker.end()
    return tuple(maker.left_out)


class _Maker:
    """One tree while it is made."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._owner = (os.geteuid(), os.getegid())
        self._names: dict[int, bytes] = {}
        """First name of each file that isn't a directory."""
        self._directories: dict[bytes, tuple[bytes, Node]] = {}
        self._makers = {
            stat.S_IFREG: self._regular,
            stat.S_IFLNK: self._link,
            stat.S_IFIFO: self._special,
            stat.S_IFSOCK: self._special,
        }
        self.left_out: list[str] = []

    def add(self, root: bytes, path: str, node: Node) -> None:
        """Make one file; directories can be entered until `end`."""
        raw = to_bytes(path)
        if raw != b".":
            self._require_inside(raw)
        place = root if raw == b"." else root + b"/" + raw
        first = self._names.get(node.ino)
        kind = stat.S_IFMT(node.mode)
        if kind == stat.S_IFDIR:
            os.mkdir(place, 0o700)
            self._directories[raw] = place, node
        elif first is not None:
            os.link(first, place, follow_symlinks=False)
        elif (made := self._makers.get(kind)) is not None:
            made(place, node)
            self._names[node.ino] = place
        else:
            self.left_out.append(path)

    def end(self) -> None:
        """Give directories their modes, the innermost first: then nothing more is made in them."""
        for place, node in reversed(self._directories.values()):
            self._own(place, node)
            self._attributes(place, node)
            os.chmod(place, stat.S_IMODE(node.mode))

    def _require_inside(self, path: bytes) -> None:
        """Raise RecordingError unless *path* is a name in a directory made here."""
        above, slash, name = path.rpartition(b"/")
        known = (above if slash else b".") in self._directories
        if not known or name in {b"", b".", b".."} or b"\0" in path:
            raise RecordingError(f"the recording has no directory for {path!r}")

    def _regular(self, place: bytes, node: Node) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(place, flags, 0o600)
        try:
            if node.content is not None and node.content.size:
                _fill(file, node.content, self._source)
            self._own(file, node)
            self._attributes(file, node)
            os.fchmod(file, stat.S_IMODE(node.mode))
        finally:
            os.close(file)

    def _link(self, place: bytes, node: Node) -> None:
        os.symlink(to_bytes(node.target or ""), place)
        self._own(place, node)

    def _special(self, place: bytes, node: Node) -> None:
        os.mknod(place, stat.S_IFMT(node.mode) | 0o600)
        self._own(place, node)
        os.chmod(place, stat.S_IMODE(node.mode))

    def _own(self, place: bytes | int, node: Node) -> None:
        """Give the file its owner, where it has another one and this process may.

        Before its mode: chown(2) clears the set-user-ID bit.
        """
        if (node.uid, node.gid) != self._owner:
            follow = isinstance(place, int)
            with suppress(OSError):
                os.chown(place, node.uid, node.gid, follow_symlinks=follow)
                return
            with suppress(OSError):
                os.chown(place, -1, node.gid, follow_symlinks=follow)

    def _attributes(self, place: bytes | int, node: Node) -> None:
        for name, value in node.xattrs:
            if name.startswith("user."):
                with suppress(OSError):
                    os.setxattr(place, to_bytes(name), value)


def _fill(file: int, content: Content, source: Bytes) -> None:
    """Write what *content* is; holes stay holes."""
    end = 0
    if content.base and (limit := min(content.base_limit, content.size)):
        end = _copy_base(file, content.base, limit, source)
    for offset, data in _runs(content, source):
        _write(file, data, offset)
        end = max(end, offset + len(data))
    if end != content.size:
        os.ftruncate(file, content.size)


def _runs(content: Content, source: Bytes) -> list[tuple[int, bytes]]:
    """Return pages that follow on each other as one, no longer than the file."""
    runs: list[tuple[int, list[bytes]]] = []
    last = -2
    for number, page in content.pages:
        if number * PAGE >= content.size:
            break
        if number == last + 1:
            runs[-1][1].append(source.page(page))
        else:
            runs.append((number * PAGE, [source.page(page)]))
        last = number
    return [(begin, b"".join(pages)[: content.size - begin]) for begin, pages in runs]


def _copy_base(file: int, ino: int, limit: int, source: Bytes) -> int:
    """Copy the first *limit* bytes of a starting file; return where the last one is."""
    if limit > _CHUNK and isinstance(source, Described):
        descriptor = source.descriptor(ino)
        if descriptor is not None:
            return _copy_by_kernel(descriptor, file, limit)
    end = 0
    for offset in range(0, limit, _CHUNK):
        data = source.base(ino, offset, min(_CHUNK, limit - offset))
        if data != _ZEROS[: len(data)]:
            _write(file, data, offset)
            end = offset + len(data)
    return end


def _copy_by_kernel(source: int, file: int, limit: int) -> int:
    """Copy what isn't a hole; return where the last byte is (lseek(2): SEEK_DATA)."""
    end = 0
    while end < limit:
        try:
            begin = os.lseek(source, end, os.SEEK_DATA)
        except OSError:  # ENXIO: holes up to its end
            return end
        stop = min(os.lseek(source, begin, os.SEEK_HOLE), limit)
        if begin >= limit:
            return end
        end = _copy_range(source, file, begin, stop)
    return end


def _copy_range(source: int, file: int, begin: int, stop: int) -> int:
    while begin < stop:
        try:
            copied = os.copy_file_range(source, file, stop - begin, begin, begin)
        except OSError:  # EXDEV: another filesystem (copy_file_range(2))
            os.lseek(file, begin, os.SEEK_SET)
            copied = os.sendfile(file, source, begin, stop - begin)
        if not copied:
            break
        begin += copied
    return stop


def _write(file: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
