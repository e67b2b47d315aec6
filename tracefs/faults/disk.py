"""A disk that has so many bytes left, and what it does when they are used up.

The rules are those of ext4 (measured on Linux 6.18, see `docs/development`): space is counted in
blocks of 4096 bytes, whatever the real filesystem has, so that a rule strikes at the same place
everywhere. A write takes the blocks that it needs when it is made. What is allocated already can
be written for ever. A write that fits in part is cut at the end of the last block that was had;
nothing fits: ENOSPC. An allocation that fits in part fails and keeps what it got. Cutting a file
off, punching holes, and removing the last name of a file that nobody has open give space back.
"""

from collections.abc import Iterable
from typing import Final

from tracefs.ranges import Ranges

BLOCK: Final = 4096
"""Bytes, as ext4 has by default."""
LONGEST_INLINE_TARGET: Final = 59
"""Bytes of a symbolic link's target that need no block (ext4_inode_is_fast_symlink)."""
_ENDLESS: Final = 1 << 63
"""Beyond the last block of any file."""


class Disk:
    """Space that is left, and which blocks the files have."""

    def __init__(self, size: int) -> None:
        """Have *size* bytes left; a block that does not fit whole is not there."""
        self._free = size // BLOCK
        self._files: dict[int, Ranges] = {}

    @property
    def free(self) -> int:
        """Bytes that are left."""
        return self._free * BLOCK

    def knows(self, ino: int) -> bool:
        """Return whether `meet` was told of the file."""
        return ino in self._files

    def meet(self, ino: int, data: Iterable[tuple[int, int]] = ()) -> None:
        """Take note of a file and of what it has: *data* in bytes, first and end of each.

        What a known file has now instead, beyond what it had, is taken, or given back.
        """
        has = Ranges((first // BLOCK, _up(end)) for first, end in data)
        if ino in self._files:
            self._free += self._files[ino].total - has.total
        self._files[ino] = has

    def fits(self, ino: int, offset: int, size: int) -> int:
        """Return how many of *size* bytes, more than 0, can be written; 0: ENOSPC."""
        left = max(self._free, 0)
        for first, end in self._files[ino].gaps(offset // BLOCK, _up(offset + size)):
            if end - first > left:
                return max((first + left) * BLOCK - offset, 0)
            left -= end - first
        return size

    def wrote(self, ino: int, offset: int, size: int) -> None:
        """Take the blocks that *size* bytes need which were written, or allocated."""
        has = self._files[ino]
        before = has.total
        if size > 0:
            has.add(offset // BLOCK, _up(offset + size))
        self._free -= has.total - before

    def cut(self, ino: int, size: int) -> None:
        """Give back what is beyond *size* bytes."""
        self._give_back(ino, _up(size), _ENDLESS)

    def punch(self, ino: int, offset: int, size: int) -> None:
        """Give back the blocks that lie whole in the range; *size* in bytes."""
        self._give_back(ino, _up(offset), (offset + size) // BLOCK)

    def forget(self, ino: int) -> None:
        """Give back all that the file has: it is gone."""
        has = self._files.pop(ino, None)
        self._free += 0 if has is None else has.total

    def take(self) -> bool:
        """Take one block, for a directory or a long symbolic link, for ever; False: ENOSPC."""
        if self._free < 1:
            return False
        self._free -= 1
        return True

    def _give_back(self, ino: int, first: int, end: int) -> None:
        has = self._files[ino]
        before = has.total
        has.remove(first, end)
        self._free += before - has.total


def _up(size: int) -> int:
    return -(-size // BLOCK)
