"""Small programs as text, and the events that a recording of them would have.

One operation a line, or several with ``;`` between::

    mkdir a               rename a/foo b/bar       fsync a/foo
    create a/foo          link a/foo a/bar         fdatasync a/foo
    write a/foo 0 4096 x  symlink target a/s       fsync a          (a directory)
    truncate a/foo 0      unlink a/foo; rmdir a    chmod a/foo 600

``write PATH OFFSET SIZE LETTER`` writes that letter all over.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tracefs import events
from tracefs.events import AnyEvent
from tracefs.journal.format import PAYLOAD
from tracefs.persistence.seen import Seen


def operations(text: str) -> list[str]:
    """Return the operations in *text*.

    >>> operations("mkdir a; create a/b\\n  fsync a ")
    ['mkdir a', 'create a/b', 'fsync a']
    """
    return [one.strip() for line in text.splitlines() for one in line.split(";") if one.strip()]


@dataclass
class Program:
    """Operations one after another, as events; each takes a nanosecond, and answers at once."""

    events: list[AnyEvent] = field(default_factory=list)
    payload: bytearray = field(default_factory=bytearray)
    places: list[int] = field(default_factory=lambda: [0])
    """How many events there are after each operation, none at first."""
    names: dict[str, int] = field(default_factory=lambda: {".": 1})
    """Inode number by path, as it is now."""
    directories: set[int] = field(default_factory=lambda: {1})
    """Inode numbers of those that are."""
    modes: dict[int, int] = field(default_factory=lambda: {1: stat.S_IFDIR | 0o755})
    """Type and permission bits by inode number."""
    contents: dict[int, bytearray] = field(default_factory=dict)
    """Of regular files, by inode number."""
    targets: dict[int, str] = field(default_factory=dict)
    """Of symbolic links, by inode number."""
    _last: int = 1
    _opens: int = 0
    _clock: int = 0

    def run(self, text: str) -> int:
        """Do what *text* says; return how many events there are now."""
        for operation in operations(text):
            name, *words = operation.split()
            getattr(self, f"_{name}")(*words)
            self.places.append(len(self.events))
        return len(self.events)

    def tree(self) -> tuple[Seen, ...]:
        """Return what is there now, each directory before what is in it."""
        return tuple(
            Seen(
                path=path,
                mode=self.modes[ino],
                ino=ino,
                uid=os.getuid(),
                gid=os.getgid(),
                content=bytes(self.contents[ino]) if ino in self.contents else None,
                target=self.targets.get(ino),
            )
            for path, ino in sorted(self.names.items(), key=lambda one: (one[0] != ".", one[0]))
        )

    def keep(self, recording: Path) -> Path:
        """Write the bytes as a recording has them."""
        recording.mkdir(exist_ok=True)
        (recording / PAYLOAD).write_bytes(self.payload)
        return recording

    # -- one for each operation

    def _mkdir(self, path: str) -> None:
        ino = self._made(path, stat.S_IFDIR | 0o755)
        self.directories.add(ino)
        self._add(events.Mkdir, path=path, ino=ino, mode=0o755, uid=os.getuid(), gid=os.getgid())

    def _create(self, path: str) -> None:
        ino, self._opens = self._made(path, stat.S_IFREG | 0o644), self._opens + 1
        self.contents[ino] = bytearray()
        flags = os.O_RDWR | os.O_CREAT
        given = {"mode": 0o644, "uid": os.getuid(), "gid": os.getgid()}
        self._add(events.Create, path=path, ino=ino, fh=self._opens, flags=flags, **given)
        self._add(events.Release, ino=ino, fh=self._opens)

    def _ack(self, text: str) -> None:
        self._add(events.Mark, text=text, ack=True)

    def _write(self, path: str, offset: str, size: str, letter: str) -> None:
        place, start, count = len(self.payload), int(offset), int(size)
        self.payload += letter.encode() * count
        content = self.contents[self.names[path]]
        content.extend(bytes(max(0, start - len(content))))
        content[start : start + count] = letter.encode() * count
        with self._open(path) as (ino, fh):
            done = {"offset": start, "size": count, "result": count, "payload": place}
            self._add(events.Write, ino=ino, fh=fh, **done)

    def _truncate(self, path: str, size: str) -> None:
        content = self.contents[self.names[path]]
        del content[int(size) :]
        content.extend(bytes(int(size) - len(content)))
        self._add(events.Setattr, path=path, ino=self.names[path], size=int(size))

    def _chmod(self, path: str, mode: str) -> None:
        ino = self.names[path]
        self.modes[ino] = stat.S_IFMT(self.modes[ino]) | int(mode, 8)
        self._add(events.Setattr, path=path, ino=ino, mode=int(mode, 8))

    def _rename(self, old: str, path: str) -> None:
        ino, replaced = self.names[old], self.names.get(path, 0)
        self._add(events.Rename, path=path, old=old, ino=ino, replaced=replaced)
        for name in [name for name in self.names if name == old or name.startswith(f"{old}/")]:
            self.names[path + name[len(old) :]] = self.names.pop(name)

    def _link(self, old: str, path: str) -> None:
        self.names[path] = self.names[old]
        self._add(events.Link, path=path, old=old, ino=self.names[old])

    def _symlink(self, target: str, path: str) -> None:
        ino = self._made(path, stat.S_IFLNK | 0o777)
        self.targets[ino] = target
        given = {"uid": os.getuid(), "gid": os.getgid()}
        self._add(events.Symlink, path=path, ino=ino, target=target, **given)

    def _unlink(self, path: str) -> None:
        self._add(events.Unlink, path=path, ino=self.names.pop(path))

    def _rmdir(self, path: str) -> None:
        self._add(events.Rmdir, path=path, ino=self.names.pop(path))

    def _fsync(self, path: str) -> None:
        self._sync(path, datasync=False)

    def _fdatasync(self, path: str) -> None:
        self._sync(path, datasync=True)

    # -- helpers

    def _sync(self, path: str, *, datasync: bool) -> None:
        if self.names[path] in self.directories:
            self._add(events.Fsyncdir, path=path, ino=self.names[path], datasync=datasync)
            return
        with self._open(path) as (ino, fh):
            self._add(events.Fsync, ino=ino, fh=fh, datasync=datasync)

    def _made(self, path: str, mode: int) -> int:
        self._last += 1
        self.names[path] = self._last
        self.modes[self._last] = mode
        return self._last

    @contextmanager
    def _open(self, path: str) -> Iterator[tuple[int, int]]:
        ino, self._opens = self.names[path], self._opens + 1
        fh = self._opens
        self._add(events.Open, path=path, ino=ino, fh=fh, flags=os.O_RDWR)
        yield ino, fh
        self._add(events.Release, ino=ino, fh=fh)

    def _add(self, kind: Callable[..., AnyEvent], **fields: object) -> None:
        self._clock += 2
        self.events.append(kind(start_ns=self._clock, end_ns=self._clock + 1, tid=1, **fields))
