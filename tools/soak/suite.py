"""What a suite is, and what it says of its run."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from soak.programs import Program

if TYPE_CHECKING:
    from soak.arena import Arena

T = TypeVar("T")


class Scale(Enum):
    """How much a suite does."""

    SHORT = "short"
    """Seconds: part of the tests."""
    LONG = "long"
    """Minutes: ``make soak``."""

    def pick(self, short: T, long: T) -> T:
        """Return the one for this scale."""
        return short if self is Scale.SHORT else long


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a suite did and found."""

    operations: int = 0
    """File operations, as the suite's programs count them."""
    faults: int = 0
    """Faults survived."""
    bad_inputs: int = 0
    """Bad inputs tried."""
    events_lost: int = 0
    """Calls made that the journal lacks."""
    failures: tuple[str, ...] = ()
    """What is not as it must be, a sentence each."""
    notes: tuple[str, ...] = ()
    """What a reader wants to know beside: figures, seeds."""

    @property
    def passed(self) -> bool:
        return not self.failures and not self.events_lost

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            operations=self.operations + other.operations,
            faults=self.faults + other.faults,
            bad_inputs=self.bad_inputs + other.bad_inputs,
            events_lost=self.events_lost + other.events_lost,
            failures=self.failures + other.failures,
            notes=self.notes + other.notes,
        )


@dataclass(frozen=True, kw_only=True)
class Suite:
    """One judge of the mount."""

    name: str
    about: str
    needs: tuple[Program, ...] = ()
    run: Callable[["Arena", Scale], Tally]

    @property
    def missing(self) -> tuple[Program, ...]:
        """Programs that are not installed."""
        return tuple(program for program in self.needs if program.path is None)
