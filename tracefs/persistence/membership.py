"""Whether a tree that was seen is one that a profile allows after a crash.

The search is exact. It begins with what is forced, the least state that there may be. Where its
image differs from what was seen, a state with the seen tree must have one more atom, of those that
can change what differs: names on the way to the path, or what belongs to the file there. Each is
tried, with all that it needs; nothing is ever taken out again, so that a state is met once.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from tracefs.persistence.difference import Aspect, Difference, all_of
from tracefs.persistence.image import Bytes, Image
from tracefs.persistence.seen import Seen

MOST_TRIED: Final = 20_000
"""States; beyond, the answer is that nobody knows."""


class Model(Protocol):
    """What is asked of a run and a profile; masks are bits by the atoms' numbers."""

    def happened(self, point: int) -> int:
        """Return the atoms of the steps before *point*."""

    def forced(self, point: int) -> int:
        """Return those that must be there."""

    def closed(self, atoms: int) -> int:
        """Return the least set with *atoms* that may be there."""

    def image(self, point: int, atoms: int) -> Image:
        """Return the tree that this is."""

    def named(self, directory: int, name: str) -> int:
        """Return all atoms that change this entry of a directory, given by its inode number."""

    def of_file(self, ino: int, aspect: Aspect, page: int | None) -> int:
        """Return all atoms that change this of a file: attributes, size, or a page's data."""


class Membership(Struct, frozen=True):
    """What the search found."""

    tried: int
    """How many states were looked at."""
    atoms: int | None = None
    """Those of a state that gives the tree; None: there is none, or none was found."""
    nearest: tuple[Difference, ...] = ()
    """With no state: how the one with the fewest differences differs."""
    complete: bool = True
    """False: the search was given up."""

    def __bool__(self) -> bool:
        return self.atoms is not None

    def __str__(self) -> str:
        if self.atoms is not None:
            return f"allowed: atoms {self.atoms:#x}"
        wrong = "; ".join(one.text for one in self.nearest)
        if not self.complete:
            return f"not found in {self.tried} states; the nearest: {wrong}"
        return f"no state gives this ({self.tried} tried); the nearest: {wrong}"


def find(
    model: Model, point: int, seen: Sequence[Seen], source: Bytes, most: int = MOST_TRIED
) -> Membership:
    """Look for a state at *point* whose tree is *seen*; bytes of images are in *source*."""
    happened = model.happened(point)
    start = model.closed(model.forced(point))
    waiting, met = [start], {start}
    nearest: list[Difference] | None = None
    tried = 0
    while waiting and tried < most:
        atoms = waiting.pop()
        tried += 1
        image = model.image(point, atoms)
        differences = list(all_of(image, seen, source))
        if not differences:
            return Membership(tried, atoms)
        if nearest is None or len(differences) < len(nearest):
            nearest = differences
        could = _could_change(model, image, differences[0]) & happened & ~atoms
        # The earliest is tried first: what was seen is mostly not far from what was forced.
        for one in reversed(list(_bits(could))):
            wider = model.closed(atoms | one)
            if wider & ~happened == 0 and wider not in met:
                met.add(wider)
                waiting.append(wider)
    return Membership(tried, nearest=tuple(nearest or ()), complete=not waiting)


def _could_change(model: Model, image: Image, difference: Difference) -> int:
    """Return all atoms without a change of which the difference stays."""
    inodes = {path: node.ino for path, node in image.nodes}
    atoms = 0
    for path in (difference.path, difference.other):
        if path is not None and path != ".":
            atoms |= _names(model, inodes, path)
    if difference.aspect is not Aspect.NAME:
        atoms |= model.of_file(inodes[difference.path], difference.aspect, difference.page)
    return atoms


def _names(model: Model, inodes: dict[str, int], path: str) -> int:
    """Return the atoms of every name on the way to *path*, as far as there is one."""
    atoms, here = 0, "."
    for name in path.split("/"):
        if here not in inodes:
            break
        atoms |= model.named(inodes[here], name)
        here = name if here == "." else f"{here}/{name}"
    return atoms


def _bits(mask: int) -> Iterator[int]:
    """Yield each bit of *mask*, lowest first.

    >>> list(_bits(0b1010))
    [2, 8]
    """
    while mask:
        lowest = mask & -mask
        yield lowest
        mask ^= lowest
