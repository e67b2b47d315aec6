"""The starting tree of a recording, written while recording goes on (`tracefs.journal.start`)."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tracefs.journal.format import KEPT, START, encode
from tracefs.journal.start import Entry, Head

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_BLOCK: Final = 1 << 20
_PART: Final = ".part"
"""Ending of a file that does not hold all yet."""


class StartWriter:
    """What one recording has of its starting tree; used by one thread.

    After the constructor no path is walked: only descriptors are used.

    Raises:
        OSError: it can't be written.
    """

    def __init__(self, folder: Path, head: Head, entries: Iterable[Entry]) -> None:
        self.unkept: Final[set[int]] = set()
        """Inode numbers of the files whose bytes are in the traced directory alone."""
        self.elsewhere: Final[set[int]] = set()
        """Those of them that have names outside the directory, too."""
        with open(os.open(folder / START, _NEW, 0o600), "wb", buffering=_BLOCK) as lines:
            lines.write(encode(head) + b"\n")
            names: Counter[int] = Counter()
            links = {}
            for entry in entries:
                lines.write(encode(entry) + b"\n")
                if not entry.holds_bytes:
                    continue
                self.unkept.add(entry.ino)
                if entry.nlink > 1:
                    names[entry.ino] += 1
                    links[entry.ino] = entry.nlink
        self.elsewhere.update(ino for ino, count in links.items() if names[ino] < count)
        os.mkdir(folder / KEPT, 0o700)
        self._folder = os.open(folder / KEPT, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def begin(self, ino: int) -> int:
        """Return a descriptor of an empty file for what the file *ino* holds; OSError."""
        return os.open(f"{ino}{_PART}", _NEW, 0o600, dir_fd=self._folder)

    def kept(self, ino: int) -> None:
        """Note that all of it is there; OSError."""
        os.rename(f"{ino}{_PART}", str(ino), src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self.unkept.discard(ino)

    def close(self) -> None:
        """Keep nothing more."""
        self.unkept.clear()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


def discard(folder: Path) -> None:
    """Delete the starting tree of a recording that never began; OSError."""
    (folder / START).unlink(missing_ok=True)
    if (folder / KEPT).is_dir():
        (folder / KEPT).rmdir()
