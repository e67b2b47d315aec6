"""What is to be found out about a recording."""

from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.crash.asking import Checker
from tracefs.crash.choice import Transient
from tracefs.crash.in_process import Function
from tracefs.crash.recovery import Recovery
from tracefs.crash.results import Asked
from tracefs.persistence.promises import Rules
from tracefs.persistence.strategies import Strategy

KILLED: Final = "as a kill -9 could leave it"
"""What a state is compared with where there is no checker."""
LIMIT_S: Final = 30.0
"""Seconds after which a checker is hung, where nobody says how many."""
MOST_IN_PYTHON: Final = 10_000
"""States that a program or a test of pytest gets, where nobody says how many."""


class Question(Struct, frozen=True, kw_only=True):
    """What is to be found out."""

    folder: Path
    source: Path | None = None
    """Where the traced directory is now; None: where it was."""
    checker: Checker | None = None
    """None, and no *function*: each state is compared with what a ``kill -9`` could leave."""
    function: Function | None = None
    """Asked in this process, in place of a checker, about the directory *below* in each state."""
    below: str = ""
    check: str = KILLED
    """The checker as people know it."""
    transient: tuple[Transient, ...] = ()
    profiles: tuple[Rules, ...]
    strategy: Strategy
    most_states: int
    time_s: float | None = None
    jobs: int = 1
    scheduler: str | None = None
    work: str | None = None
    results: str | None = None
    asked: Asked | None = None
    """With *results*."""
    find_redundant: bool = False
    recovery: Recovery | None = None
    """Done with each state before the checker is asked; and crashed, too."""
    acks_before: tuple[str, ...] = ()
    """Acknowledgements made before the recording began."""


def recovering(question: Question, folder: Path, acks: tuple[str, ...]) -> Question:
    """Return what is to be found out about the recording of a recovery."""
    return replace(
        question,
        folder=folder,
        source=None,
        acks_before=acks,
        recovery=None if question.recovery is None else question.recovery.deeper,
        results=None,
        find_redundant=False,
    )
