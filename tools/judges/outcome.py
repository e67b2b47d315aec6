"""What came of one run of one program under one rule, as data."""

from enum import StrEnum
from typing import Final

import msgspec

from judges.client import BASE


class Fault(StrEnum):
    """Which faults there are, by the column of the table."""

    EIO = "eio"
    EXT4_ORDERED = "ext4-ordered"
    EXT4_DATA = "ext4-data"
    XFS = "xfs"
    BTRFS = "btrfs"
    ENOSPC = "enospc"
    FULL = "full"

    @property
    def calls(self) -> str:
        """Family of the calls that it strikes."""
        return "write" if self in (Fault.ENOSPC, Fault.FULL) else "sync"

    @property
    def about(self) -> str:
        """For the table."""
        return _ABOUT.get(self) or f"EIO as on {self.value}"

    def rule(self, number: int) -> str:
        """Return the rule that makes the call *number*, counted from 1, fail."""
        if self.calls == "write":
            return f"write:error=ENOSPC:when={number}{'+' if self is Fault.FULL else ''}"
        mode = "" if self is Fault.EIO else f":mode={self.value}"
        return f"sync:error=EIO:when={number}{mode}"


_ABOUT: Final = {
    Fault.EIO: "EIO, nothing lost",
    Fault.ENOSPC: "ENOSPC once",
    Fault.FULL: "ENOSPC from then on",
}


class Verdict(StrEnum):
    """What became of what was acknowledged, worst last."""

    KEPT = "kept"
    LOST = "lost"
    CORRUPT = "corrupt"
    HUNG = "hung"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    judge: str
    fault: Fault
    rule: str
    struck: str | None
    """The first call that the rule struck, and its file; None: it struck none."""
    strikes: int
    """How many it struck."""
    under: int | None
    """Row whose commit was under way at the first strike; None: none was."""
    status: int | None
    """Exit status of the client; negative: the signal that killed it; None: it hung."""
    acknowledged: tuple[int, ...]
    refused: tuple[int, ...]
    """Rows whose commit was told to have failed."""
    said: tuple[str, ...]
    """Errors that were reported, in order: of the store, and what a server logged."""
    warm: tuple[int, ...] | None
    """Rows that were there when the store was last opened anew, under the mount still."""
    cold: tuple[int, ...]
    """Rows that are there afterwards, in the directory itself."""
    damage: tuple[str, ...]
    """What is wrong afterwards, by the store's own check or ours."""
    seconds: float
    retried: bool = False
    """Before the program answered, the process that met a failed sync synced the file again,
    without writing to it anew."""

    @property
    def lost(self) -> tuple[int, ...]:
        """Rows that were acknowledged and are gone."""
        return tuple(sorted({*BASE, *self.acknowledged} - set(self.cold)))

    @property
    def appeared(self) -> tuple[int, ...]:
        """Rows that were refused and are there all the same."""
        return tuple(sorted(set(self.refused) & set(self.cold)))

    @property
    def vanished(self) -> tuple[int, ...]:
        """Rows, acknowledged or not, that were seen after a restart and are gone afterwards."""
        return tuple(sorted(set(self.warm or ()) - set(self.cold)))

    @property
    def silent(self) -> bool:
        """Nobody was told of any error."""
        return self.struck is not None and not self.said and self.status == 0

    @property
    def acknowledged_under(self) -> bool:
        """The commit that was under way when the fault struck was acknowledged."""
        return self.under is not None and self.under in self.acknowledged

    @property
    def verdict(self) -> Verdict:
        if self.status is None:
            return Verdict.HUNG
        if self.damage:
            return Verdict.CORRUPT
        return Verdict.LOST if self.lost else Verdict.KEPT
