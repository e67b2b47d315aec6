"""Runs with faults made on purpose, as data: which, and what came of each."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from tracefs.faults.model import Rule
from tracefs.findings import Verdict
from tracefs.grades import signal_name

CRASHES: Final = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS"})
"""Signals that no program ends itself by, to say that something failed (signal(7))."""


class Target(Struct, frozen=True, kw_only=True):
    """A call that a fault can strike, as the run without that fault had it."""

    family: str
    """As a rule names it."""
    number: int
    """Of the family's calls, from 1, as rules count."""
    index: int
    """Of the call in its recording."""
    call: str
    shown: str
    """The call with its arguments, as `tracefs show` has it."""
    path: str | None = None
    """Path text; None: not the same in each run, or not known. So are the other two."""
    offset: int | None = None
    length: int | None = None
    path_number: int | None = None
    """Of the family's calls on *path*, from 1; None: a pattern can't name it."""
    created: bool = False
    """An open that makes the file."""


class Strike(Struct, frozen=True, kw_only=True):
    """A fault at a call."""

    fault: str
    """``EIO``, ``short`` …"""
    rule: Rule
    target: Target


class Trial(Struct, frozen=True, kw_only=True):
    """One run: one fault, or two of which the second comes after the first."""

    strikes: tuple[Strike, ...]

    @property
    def key(self) -> str:
        """What tells it from all others of its plan."""
        return " ".join(strike.rule.text for strike in self.strikes)


class Ending(StrEnum):
    """What became of the command."""

    ENDED = "ended"
    HUNG = "hung"
    """It, or something it left running, did not end in time, and was killed."""
    NOT_STARTED = "not started"
    MOUNT_TAKEN = "mount taken away"
    """It took the directory's mount away, or put something over it."""
    TOOL_FAILED = "tracefs failed"


class Struck(StrEnum):
    """What the recording shows of the faults."""

    AS_MEANT = "as meant"
    NOT_REACHED = "not reached"
    """A call that one of them was to strike was never made."""
    MOVED = "moved"
    """One of them struck another call: the command did not do the same up to there."""
    UNTOLD = "untold"
    """There is no recording to tell it from."""


class Checked(StrEnum):
    """What the checker said."""

    GOOD = "good"
    BAD = "bad"
    CRASHED = "crashed"
    LATE = "late"
    """It did not end in time, and was killed."""
    NOT_STARTED = "not started"
    NOT_ASKED = "not asked"


class Outcome(StrEnum):
    """What a run came to."""

    PASSED = "passed"
    FAILED = "failed"
    HUNG = "hung"
    UNKNOWN = "unknown"


class Result(Struct, frozen=True, kw_only=True):
    """What came of one run."""

    key: str
    """Of its `Trial`."""
    ending: Ending
    struck: Struck
    status: int | None = None
    """Exit status of the command, 128 + N for signal N; None: it did not end by itself."""
    contracts: Verdict | None = None
    """None: none was judged."""
    judged_by: tuple[str, ...] = ()
    """Names of the contracts."""
    finding: str | None = None
    """The first of what the contracts found, in short."""
    checked: Checked = Checked.NOT_ASKED
    said: str | None = None
    """The last line that the checker printed, if it did not find all good."""
    printed: str | None = None
    """The last line that the command printed."""
    reason: str | None = None
    """What stood in the way, or what was struck instead."""
    seconds: float = 0.0
    """How long the command took."""
    recording: str | None = None
    """Folder that keeps recording, directory and output; None: they were not kept."""
    after: tuple[Target, ...] = ()
    """What it called after the last strike, where that was asked for."""

    @property
    def exit(self) -> str:
        """How the command ended, such as ``0``, ``SIGSEGV`` or ``hung``."""
        if self.ending is not Ending.ENDED or self.status is None:
            return str(self.ending)
        return signal_name(self.status - 128) if self.status > 128 else str(self.status)

    @property
    def outcome(self) -> Outcome:
        """What it came to; what can't be told is never passed."""
        if self.ending is Ending.HUNG:
            return Outcome.HUNG
        if self.ending is not Ending.ENDED:
            return Outcome.UNKNOWN
        bad = self.contracts is Verdict.BROKEN or self.checked is Checked.BAD
        if bad or self.exit in CRASHES:
            return Outcome.FAILED
        sure = self.contracts in {None, Verdict.KEPT} and not self.unjudged
        asked = self.checked in {Checked.GOOD, Checked.NOT_ASKED}
        whole = self.struck is Struck.AS_MEANT
        return Outcome.PASSED if sure and asked and whole else Outcome.UNKNOWN

    @property
    def unjudged(self) -> bool:
        """Whether it ended as if there had been no fault, and nobody says that this is right.

        Any other end has reported the failure, which is all that can be asked of every program.
        """
        judged = self.contracts is not None or self.checked is not Checked.NOT_ASKED
        return self.status == 0 and not judged


class Coverage(Struct, frozen=True, kw_only=True):
    """How many runs there could be, and how many were chosen."""

    possible: int
    chosen: int
    seed: int | None = None
    """By which they were chosen; None: all were."""


class Row(Struct, frozen=True, kw_only=True):
    """One run with what came of it."""

    trial: Trial
    result: Result


class Report(Struct, frozen=True, kw_only=True):
    """All that is known of a command."""

    command: tuple[str, ...]
    directory: str
    """As it was given."""
    check: str | None
    rows: tuple[Row, ...]
    coverage: Coverage
    remarks: tuple[str, ...] = ()
    """What a reader must know of all of them."""
