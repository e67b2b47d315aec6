"""Rules of fault injection, as data.

The spelling is that of ``strace --inject`` (strace(1)), as far as that has one:
``SET[(GLOB)]:KEY=VALUE:…``.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Per(StrEnum):
    """What ``when`` counts calls by."""

    RULE = "rule"
    FILE = "file"
    THREAD = "thread"


class Mode(StrEnum):
    """Whose failed fsync is played.

    Rebello and others, 'Can Applications Recover from fsync Failures?' (USENIX ATC 2020).
    """

    EXT4_ORDERED = "ext4-ordered"
    EXT4_DATA = "ext4-data"
    XFS = "xfs"
    BTRFS = "btrfs"


class Shape(StrEnum):
    """How durations are spread."""

    FIXED = "fixed"
    """*first* each time."""
    UNIFORM = "uniform"
    """From *first* to *second*."""
    NORMAL = "normal"
    """*first* in the middle, *second* the standard deviation; never below 0."""
    EXPONENTIAL = "exponential"
    """*first* in the middle."""
    LOGNORMAL = "lognormal"
    """*first* the median, *second* the sigma of the logarithm."""


class Delay(Struct, frozen=True, kw_only=True):
    """How long a call is held."""

    shape: Shape = Shape.FIXED
    first: float = 0.0
    """Milliseconds."""
    second: float = 0.0
    """Milliseconds; of `Shape.LOGNORMAL` a plain number."""
    per_mib: float = 0.0
    """Milliseconds more for each MiB (2**20 bytes) that the call moves."""


class When(Struct, frozen=True, kw_only=True):
    """Which of the calls that a rule matches it strikes: ``FIRST[..LAST][+[STEP]]``.

    Counted from 1. ``3``: the third; ``3+``: all from the third on; ``3+2``: the third, fifth,
    seventh …; ``3..8``: the third to the eighth; ``3..8+2``: the third, fifth and seventh.
    """

    first: int = 1
    last: int | None = None
    """None: there is no last one."""
    step: int = 1
    per: Per = Per.RULE


ALWAYS: Final = When()


class Rule(Struct, frozen=True, kw_only=True):
    """One rule.

    At most one of *error*, *retval*, *short* and *full* is set; *stuck*, *rot* and the delays go
    with any of them, and with each other.
    """

    text: str
    """The rule as it is spelled, in one way for all that mean the same."""
    calls: tuple[str, ...]
    """Names of calls (``pwrite64``) and families (``write``), as `tracefs.faults.asked` knows
    them."""
    glob: str | None = None
    """The file's path relative to the traced directory, or its last component, is like it
    (fnmatch); None: any file's."""
    below: str = ""
    """A directory, path text relative to the traced one, that the rule is for, and that the paths
    for its glob are relative to; empty: the traced one. Its spelling has none."""
    error: int | None = None
    """Error number that the call fails with; it does nothing."""
    retval: int | None = None
    """What the call is said to have returned; it does nothing."""
    short: int | None = None
    """Bytes at most that a write writes, of more that it was asked for."""
    full: int | None = None
    """Bytes that may still be allocated, until the disk is full."""
    rot: int | None = None
    """Bits that are wrong in what a read returns; the file stays as it is."""
    stuck: bool = False
    """The call waits until it is released."""
    mode: Mode | None = None
    """What a failed sync does to the pages, with *error*; None: nothing, but that it fails."""
    delay_enter: Delay | None = None
    """Before the call does anything."""
    delay_exit: Delay | None = None
    """Before the call returns."""
    when: When = ALWAYS
    after_bytes: int = 0
    """Bytes that matching calls have moved before the rule's count begins."""
    probability: float = 1.0
    """That a call which `when` names is struck."""
    seed: int = 0
    """Of what is left to chance: *probability*, delays, which bits rot."""


def is_of_contents(rule: Rule) -> bool:
    """Return whether the rule plays with what files hold, beside how calls end."""
    return any(kind is not None for kind in (rule.mode, rule.short, rule.full, rule.rot))
