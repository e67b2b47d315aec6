"""A run as steps, each change divided into atoms, which a crash keeps or drops one by one.

Sets of atoms are bit masks: bit N is atom N. Masks of thousands of atoms are joined and compared
in microseconds, and closures need nothing else.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from tracefs.crashes import Blind

ROOT: Final = "."


class Part(StrEnum):
    """What of a file an atom changes."""

    DATA = "data"
    SIZE = "size"
    NAME = "name"
    ATTRIBUTES = "attributes"


class Overlay(Struct, frozen=True, gc=False):
    """Bytes of one page that a change sets."""

    page: int
    start: int
    """Within the page."""
    length: int
    payload: int | None
    """Offset of the bytes in ``payload.bin``; None: zeros."""


class Entry(Struct, frozen=True, gc=False):
    """A name that an atom sets."""

    directory: int
    name: bytes
    file: int
    """What it names from then on; 0: nothing."""
    before: int
    """What it named until then; 0: nothing."""


class Attribute(Struct, frozen=True, gc=False):
    """A mode, owner, group or extended attribute that an atom sets."""

    name: str
    """``mode``, ``uid``, ``gid``, or ``xattr:`` and the name as path text."""
    number: int | None = None
    payload: int | None = None
    length: int = 0
    gone: bool = False
    """The extended attribute is removed."""


class Atom(Struct, frozen=True, kw_only=True, gc=False):
    """The smallest part of a change that a crash can keep or drop."""

    number: int
    step: int
    part: Part
    file: int
    """Whose data, size or attributes; of a name the file that it is a name of."""
    logged: bool
    """Where metadata is one log it is in it: not what waits for blocks to be allocated."""
    overlays: tuple[Overlay, ...] = ()
    size: int | None = None
    whole: int | None = None
    """Number of the atom that sets the size that the change was to give: this one is on the way."""
    cleared: int | None = None
    """Bytes from here on became zeros, since the file was made shorter."""
    entries: tuple[Entry, ...] = ()
    attribute: Attribute | None = None
    pair: int | None = None
    """Number of the other half of a rename from one directory to another, which most filesystems
    do as one."""
    replaces: bool = False
    """A rename over a name of another file."""
    creates: bool = False
    """It gives a new file its first name."""


class StepKind(StrEnum):
    """What a step is."""

    CHANGE = "change"
    SYNC = "sync"
    ACK = "ack"


class Sync(Struct, frozen=True, gc=False):
    """What a sync covers."""

    file: int | None
    """None: everything (sync(2), syncfs(2))."""
    data_only: bool = False
    failed: bool = False
    """What it was to save is lost to later ones, too."""


class Step(Struct, frozen=True, kw_only=True, gc=False):
    """One line of the journal that counts."""

    number: int
    kind: StepKind
    start_ns: int
    end_ns: int
    call: int | None = None
    """Index of the call in the trace; None: not known."""
    path: str | None = None
    """As it was then, path text."""
    first: int = 0
    """Atoms *first* up to, not including, *stop* are its own."""
    stop: int = 0
    sync: Sync | None = None
    ack: str | None = None


class File(Struct, frozen=True, kw_only=True, gc=False):
    """A file as it was when the recording began, or when it was made."""

    number: int
    ino: int
    mode: int
    """Type and permission bits."""
    uid: int
    gid: int
    size: int = 0
    """At the start of the recording; 0 of one made since."""
    base: int = 0
    """Inode number in the starting tree; 0: made since."""
    target: str | None = None
    rdev: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()


class History(Struct, frozen=True, kw_only=True):
    """All that a recording tells of what can be lost."""

    steps: tuple[Step, ...]
    atoms: tuple[Atom, ...]
    files: dict[int, File]
    """By number: the inode number, or where that came again another one."""
    root: int
    names: dict[int, dict[bytes, int]]
    """Starting tree: directory -> name -> file."""
    blind: tuple[Blind, ...] = ()

    @property
    def acks(self) -> tuple[str, ...]:
        """All acknowledgements, in order."""
        return self.acks_before(len(self.steps))

    def stop(self, point: int) -> int:
        """Return the number of atoms of the first *point* steps."""
        return self.steps[point - 1].stop if point else 0

    def acks_before(self, point: int) -> tuple[str, ...]:
        """Return the acknowledgements among the first *point* steps."""
        return tuple(step.ack for step in self.steps[:point] if step.ack is not None)


def origin(step: Step) -> int:
    """Return a number that all steps of one call share, and no others."""
    return -1 - step.number if step.call is None else step.call


def bits(mask: int) -> list[int]:
    """Return the numbers of the atoms in *mask*, in order.

    >>> bits(0b1101)
    [0, 2, 3]
    """
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
