"""States that a power failure may leave, as data: which, what came of each, what would help."""

from enum import StrEnum

from msgspec import Struct

from tracefs.findings import Verdict


class Checked(StrEnum):
    """What came of asking a checker about a state."""

    GOOD = "good"
    BAD = "bad"
    """It said so, by its exit status."""
    CRASHED = "checker crashed"
    """A signal ended it, or it raised."""
    LATE = "checker hung"
    """It did not end in time, and was killed."""
    NOT_STARTED = "checker not started"
    TOOL_FAILED = "tracefs failed"
    """The state could not be made, or asked about."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a checker said of one state."""

    checked: Checked
    said: str | None = None
    """The last line it printed, or what happened to it; None: all is good."""
    seconds: float = 0.0
    """How long the checker ran."""


class Loss(StrEnum):
    """What a failing state has lost."""

    CORRUPT = "corrupt"
    """The checker says no even where nothing is said to be durable."""
    ACKNOWLEDGED = "acknowledgement lost"
    """It says no because of something acknowledged."""
    CREATION = "before the first acknowledgement"
    """The program had said nothing yet, and was making its files: none that was there at the start
    had been changed. It does not count as broken."""
    CHECKER = "the checker gave no answer"
    """It crashed, hung, or was not there: no word of the state."""


class Change(Struct, frozen=True, kw_only=True):
    """A part of a call's effect: what a crash can keep or drop as one."""

    call: int | None
    """Index of the call in its trace; None: not known."""
    shown: str
    """The call with its arguments, as ``tracefs show`` has it."""
    part: str
    """``data``, ``size``, ``name`` or ``attributes``."""
    path: str | None
    """Path text; for a name the name itself."""
    first_page: int | None = None
    """Of data: the first page and the last one."""
    last_page: int | None = None
    source: str | None = None
    """``file:line`` of the call; None: not known."""
    torn: bool = False
    """Only some sectors of the page are dropped."""


class Repair(Struct, frozen=True, kw_only=True):
    """A sync that isn't there, and what would come of it."""

    sync: str
    """``fdatasync``, ``fsync`` or ``fsync of the directory``."""
    path: str
    """Path text of what is to be synced."""
    after_call: int | None
    before_call: int | None
    """Indices of the calls that it is to come between; None: the end of the trace."""
    verified: bool
    """States were explored again with it, and this failure was not among them."""
    left: int = 0
    """Failing states that were found with it all the same."""
    states: int = 0
    """States that were explored with it."""
    whole: bool = True
    """These were all; else it is not verified."""
    places: int = 1
    """Places like this one, before other acknowledgements, where it was put in as well: this one
    counts."""


class Failure(Struct, frozen=True, kw_only=True):
    """A state that the checker says no to, made as small a loss as can be."""

    id: str
    """Names the state: ``tracefs crash RECORDING --show-state ID DIR``."""
    loss: Loss
    point: int
    """The crash comes after this step of the history."""
    after_call: int | None
    """Index of the last call before the crash; None: none, or not known."""
    before_call: int | None
    """Index of the next call; None: the end of the trace."""
    acks: int
    """Acknowledgements made before the crash."""
    ack: str | None
    """The first acknowledgement that is lost; None: none is, or it can't be told."""
    answer: Answer
    dropped: tuple[Change, ...]
    """The fewest that are enough; empty: the crash alone, without a loss, is."""
    kept: tuple[Change, ...]
    """Later ones that are on the disk all the same."""
    profiles: tuple[str, ...]
    """All profiles that allow this state, weakest assumption first."""
    rule: str
    """Why they allow it, in a sentence."""
    where: str
    """``on every profile``, ``on ext4-ordered, xfs and btrfs``, ``only where …``."""
    repairs: tuple[Repair, ...] = ()
    """Needed together."""
    states: int = 1
    """Failing states that this one stands for."""
    within: tuple[str, ...] = ()
    """Ids of the states in whose recovery, one within the other, this crash came; points and calls
    are those of the recovery then."""


class Point(Struct, frozen=True, kw_only=True):
    """A moment at which the power may fail."""

    number: int
    """Steps of the history that came before."""
    call: int | None
    """Index of the last call before it; None: none, or not known."""
    at_ns: int
    """End of that step, on the journal's clock."""
    shown: str
    """What came last: a call with its arguments, or an acknowledgement."""
    kind: str
    """``start``, ``change``, ``sync`` or ``ack``."""
    states: int
    """Unique states that were explored here."""
    failed: int
    failures: tuple[str, ...] = ()
    """Ids of failures in the report that stand for those."""


class Blind(Struct, frozen=True, kw_only=True):
    """Something the recording doesn't show in full, so that a state may be missing."""

    kind: str
    """``mapped stores``, ``starting tree``, ``sync``, ``sync_file_range``, ``fallocate`` …"""
    path: str | None
    count: int
    reason: str
    harmless: str | None = None
    """Why it changes nothing here; None: it may."""


class Coverage(Struct, frozen=True, kw_only=True):
    """How much the answer rests on."""

    points: int
    possible: float
    """Upper bound of the states that the profiles allow, as a power of ten: 12.5 is 10 to the
    12.5."""
    generated: int
    same_operations: int
    """Left out: the same operations are there as in another."""
    same_content: int
    """Left out: the same files with the same contents, and the same acknowledgements."""
    explored: int
    left: int
    """Not explored, because of --max-states or --time."""
    blind: tuple[Blind, ...]


class Redundant(Struct, frozen=True, kw_only=True):
    """A sync without which the same is found."""

    call: int | None
    shown: str
    source: str | None
    redundant: bool | None
    """Nothing more fails without it, within what was explored; None: not known, as not all states
    were."""
    states: int
    failed: int
    """States that fail without it, and none like them with it."""
    together: bool = True
    """Of one that is redundant: so it is where those before it that are so are taken out, too."""


class CrashReport(Struct, frozen=True, kw_only=True):
    """The answer of ``tracefs crash``."""

    recording: str
    check: str
    profiles: tuple[str, ...]
    strategy: str
    """``default`` or ``deep``."""
    seed: int
    verdict: Verdict
    """broken: a state fails that counts. unknown: none does, but not all is known."""
    reasons: tuple[str, ...]
    """Why it is unknown."""
    failures: tuple[Failure, ...]
    points: tuple[Point, ...]
    coverage: Coverage
    acks: tuple[str, ...]
    seconds: float
    states_a_second: float
    checker_seconds: float = 0.0
    """What its checkers ran while the states were explored, all processes together."""
    redundant: tuple[Redundant, ...] = ()
    """With --find-redundant."""
    recover: str | None = None
    """With --recover: the command."""
    recovered: int = 0
    """With --recover: states of recoveries that were explored."""
    directory: str | None = None
    """With --dir: where the traced directory was then, path text."""
