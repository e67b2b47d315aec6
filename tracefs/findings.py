"""Verdicts and findings: what a contract answers, as data."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """Whether a contract held; `worst` orders them broken over unknown over kept."""

    KEPT = "kept"
    UNKNOWN = "unknown"
    BROKEN = "broken"


_RANK = {Verdict.KEPT: 0, Verdict.UNKNOWN: 1, Verdict.BROKEN: 2}


def worst(*verdicts: Verdict) -> Verdict:
    """Return the gravest of *verdicts*; kept when there are none."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.KEPT)


class Severity(StrEnum):
    """An error counts for the verdict, advice does not."""

    ERROR = "error"
    ADVICE = "advice"


class Finding(Struct, frozen=True, kw_only=True):
    """One place where a rule does not hold, or where that can't be told."""

    rule: str
    severity: Severity
    verdict: Verdict
    """broken or unknown."""
    call: int | None
    """Index of the call; None: the whole trace."""
    path: str | None
    """Path text of the file."""
    page: int | None
    """Number of the first page concerned."""
    message: str
    """What was expected and what was seen."""
    repair: str
    """What to do about it."""
    source: str | None = None
    """``file:line`` of the call; None: not known."""


class ContractResult(Struct, frozen=True, kw_only=True):
    """What one contract says of one trace."""

    id: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    evidence: dict[str, str] = {}
    """For rules that more than one kind of evidence can decide: which one did."""
    without: tuple[str, ...] = ()
    """Rules left out on request."""
    help: str | None = None
    """What the contract's author wants to be read by who broke it."""
    points: float | None = None
    """What keeping the whole contract is worth; None: it isn't graded as a whole."""
    rule_points: dict[str, float] = {}
    """What keeping each of these rules is worth, whatever becomes of the others."""


class TraceSummary(Struct, frozen=True, kw_only=True):
    """How much the verdict rests on."""

    complete: bool
    calls: int
    unknown_calls: int
    incomplete_because: str | None = None
    status: int | None = None
    """Exit status of the command, 128 + N where signal N ended it; None: there was none, or it is
    not known."""
    pid: int | None = None
    """Process id of the command; None with *status*."""


class CheckResult(Struct, frozen=True, kw_only=True):
    """The answer of ``tracefs check``."""

    verdict: Verdict
    contracts: tuple[ContractResult, ...]
    trace: TraceSummary
