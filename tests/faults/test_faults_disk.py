"""A full disk keeps its own books right, against a plain set of blocks; and it fails as ext4 does.

What ext4 does was measured on an image of 32 MiB with blocks of 4096 bytes (Linux 6.18):
`docs/development/kernel-and-pyfuse3-facts.md`.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tracefs.faults.disk import BLOCK, Disk


def full(left: int, *, data: int = 0) -> Disk:
    """A disk with so many blocks left, and file 1 with *data* bytes."""
    disk = Disk(left * BLOCK)
    disk.meet(1, [(0, data)] if data else [])
    return disk


def test_a_write_that_fits_in_part_ends_with_the_last_block_that_was_had() -> None:
    disk = full(2)
    assert disk.fits(1, 0, 3 * BLOCK) == 2 * BLOCK
    assert disk.fits(1, 100, 3 * BLOCK) == 2 * BLOCK - 100
    disk.wrote(1, 0, 2 * BLOCK)
    assert disk.free == 0
    assert disk.fits(1, 2 * BLOCK, 1) == 0


def test_what_is_allocated_can_be_written_for_ever() -> None:
    disk = full(0, data=BLOCK + 100)
    assert disk.fits(1, 0, 2 * BLOCK) == 2 * BLOCK
    # To the end of the last block, and then no further.
    assert disk.fits(1, BLOCK + 100, BLOCK - 100) == BLOCK - 100
    assert disk.fits(1, BLOCK + 100, BLOCK) == BLOCK - 100
    assert disk.fits(1, 2 * BLOCK, 1) == 0


def test_holes_need_space() -> None:
    disk = full(1)
    disk.meet(2, [(0, BLOCK), (3 * BLOCK, 4 * BLOCK)])
    assert disk.fits(2, 0, 4 * BLOCK) == 2 * BLOCK
    disk.wrote(2, 0, 2 * BLOCK)
    assert disk.fits(2, 2 * BLOCK, BLOCK) == 0
    assert disk.fits(2, 3 * BLOCK, BLOCK) == BLOCK


def test_space_comes_back() -> None:
    disk = full(0, data=4 * BLOCK)
    disk.cut(1, BLOCK + 1)
    assert disk.free == 2 * BLOCK
    disk.punch(1, 1, 2 * BLOCK)
    assert disk.free == 3 * BLOCK
    disk.forget(1)
    assert (disk.free, disk.knows(1)) == (4 * BLOCK, False)


def test_blocks_for_names() -> None:
    disk = full(1)
    assert (disk.take(), disk.take()) == (True, False)
    assert disk.free == 0


def test_half_a_block_is_none() -> None:
    assert Disk(BLOCK - 1).free == 0
    assert Disk(2 * BLOCK + 1).free == 2 * BLOCK


class Books(RuleBasedStateMachine):
    """Files that are written, cut off and removed, against sets of blocks."""

    files = st.integers(1, 3)
    sizes = st.integers(1, 6 * BLOCK)
    offsets = st.integers(0, 12 * BLOCK)

    def __init__(self) -> None:
        super().__init__()
        self.disk = Disk(8 * BLOCK)
        self.left = 8
        self.has: dict[int, set[int]] = {}

    def met(self, ino: int) -> set[int]:
        if not self.disk.knows(ino):
            self.disk.meet(ino)
            self.has[ino] = set()
        return self.has[ino]

    @rule(ino=files, offset=offsets, size=sizes)
    def write(self, ino: int, offset: int, size: int) -> None:
        has = self.met(ino)
        written = 0
        # A byte at a time would be this; a block at a time is the same and quicker.
        while written < size:
            block = (offset + written) // BLOCK
            if block not in has:
                if not self.left:
                    break
                has.add(block)
                self.left -= 1
            written = min((block + 1) * BLOCK - offset, size)
        assert self.disk.fits(ino, offset, size) == written
        self.disk.wrote(ino, offset, written)

    @rule(ino=files, size=offsets)
    def cut(self, ino: int, size: int) -> None:
        has = self.met(ino)
        gone = {block for block in has if block * BLOCK >= size}
        self.left += len(gone)
        has -= gone
        self.disk.cut(ino, size)

    @rule(ino=files)
    def remove(self, ino: int) -> None:
        self.left += len(self.met(ino))
        del self.has[ino]
        self.disk.forget(ino)

    @invariant()
    def same_space(self) -> None:
        assert self.disk.free == self.left * BLOCK
        assert self.left >= 0


TestBooks = Books.TestCase
