"""How submissions did, as data: what became of each, and what its recording says."""

import signal
from enum import StrEnum

from msgspec import Struct

from tracefs.findings import CheckResult, Verdict


class Ending(StrEnum):
    """What became of a submission."""

    ENDED = "ended"
    """The command ended by itself, and nothing of it was left."""
    NOT_BUILT = "not built"
    NOT_STARTED = "not started"
    """The command can't be executed."""
    TIME_LIMIT = "time limit"
    """The command was killed."""
    LEFT_RUNNING = "left processes"
    """The command ended, and what it had started was killed at the time limit."""
    MOUNT_TAKEN = "mount taken away"
    """The command took the traced directory's mount away, or put something over it."""
    TOOL_FAILED = "tracefs failed"
    """It could not be copied or traced; that is no fault of the submission."""


class Attempt(Struct, frozen=True, kw_only=True):
    """One submission, built, run and judged as far as that went."""

    submission: str
    """Name of its folder, as path text."""
    ending: Ending
    status: int | None = None
    """Exit status of the command that ended, 128 + N for signal N, or of the build."""
    reason: str | None = None
    """What stood in the way, in words; None: nothing did."""
    result: CheckResult | None = None
    """What the recording says; None: there is nothing to judge."""
    recording: str | None = None
    """Folder of the recording, as path text; None: none was made."""

    @property
    def ran(self) -> bool:
        """Whether the command came to its end, and said that all went well."""
        return self.ending is Ending.ENDED and self.status == 0

    @property
    def verdict(self) -> Verdict:
        """The contracts' verdict; what did not run to its end is never kept.

        Of a command that was killed nothing can be told: the sync that is missing might have come.
        """
        if self.result is None or self.ending is not Ending.ENDED:
            return Verdict.UNKNOWN
        whole = self.ran and self.result.trace.complete
        if self.result.verdict is Verdict.KEPT and not whole:
            return Verdict.UNKNOWN
        return self.result.verdict


def signal_name(number: int) -> str:
    """Return ``SIGSEGV``, or ``signal 99`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
