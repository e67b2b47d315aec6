"""A call of the text, whole and taken apart."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tracefs.events import is_pretended
from tracefs.strace.processes import Opened, Thread
from tracefs.strace.words import Outcome

_NONE: Final[Mapping[int, Opened]] = {}


class Heard(NamedTuple):
    """One call that came to its end."""

    thread: Thread
    name: str
    words: list[str]
    outcome: Outcome
    start_ns: int
    end_ns: int
    bound: Mapping[int, Opened] = _NONE
    """By descriptor: what those it was given stood for when it began, where another thread may have
    changed that since."""

    @property
    def failed(self) -> bool:
        """It returned an error, or did nothing of what strace had it say."""
        return self.outcome.errno != 0 or is_pretended(self.outcome.injected)

    @property
    def result(self) -> int | None:
        """What it returned; None: it failed."""
        return None if self.failed else self.outcome.value
