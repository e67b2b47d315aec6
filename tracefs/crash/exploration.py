"""All states of one history, asked about."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from tracefs.crash.examiner import Examiner
from tracefs.crash.search import Counts, Found, Search
from tracefs.crashes import Answer, Checked
from tracefs.persistence.rules import Persistence
from tracefs.persistence.strategies import Strategy

_MOST_COUNTED = 100_000
"""States that are counted after the limit."""


class Limits(Struct, frozen=True, kw_only=True):
    """How much is explored."""

    states: int
    until: float | None = None
    """On the clock of `time.monotonic`; None: no end."""

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.until is not None and time.monotonic() > self.until


class Explored(Struct, frozen=True, kw_only=True):
    """What came of it."""

    answered: tuple[tuple[Found, Answer], ...]
    counts: Counts
    left: int
    """States that were not asked about; more where it ends in a round number."""

    @property
    def whole(self) -> bool:
        """Whether every state was asked about: else what was not found may be there."""
        return not self.left

    @property
    def failing(self) -> list[tuple[Found, Answer]]:
        """States that aren't good."""
        return [pair for pair in self.answered if pair[1].checked is not Checked.GOOD]


def explore(
    search: Search,
    examiner: Examiner,
    profiles: Sequence[Persistence],
    strategy: Strategy,
    limits: Limits,
    told: Callable[[int], None] = lambda _: None,
) -> Explored:
    """Ask about every state that *profiles* allow and *strategy* chooses, up to *limits*.

    Args:
        search: of the history; knows what was asked about already.
        examiner: who is asked.
        profiles: the history under each profile.
        strategy: which states.
        limits: after which no more are asked about.
        told: called with the number of answers so far.
    """
    every = search.every(profiles, strategy)
    answered: list[tuple[Found, Answer]] = []

    def some() -> Iterator[Found]:
        for found in islice(every, limits.states):
            yield found
            if limits.over:
                return

    for pair in examiner.ask(some()):
        answered.append(pair)
        told(len(answered))
    counts = Counts(
        generated=search.counts.generated,
        same_operations=search.counts.same_operations,
        same_content=search.counts.same_content,
    )
    left = sum(1 for _ in islice(every, _MOST_COUNTED if _is_cut(answered, limits) else None))
    return Explored(answered=tuple(answered), counts=counts, left=left)


def nothing() -> Explored:
    """Return what comes of it where there is no time for any state."""
    return Explored(answered=(), counts=Counts(), left=1)


def _is_cut(answered: Sequence[object], limits: Limits) -> bool:
    return limits.over or len(answered) >= limits.states
