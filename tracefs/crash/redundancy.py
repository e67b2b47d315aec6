"""Syncs taken out, one at a time: does anything more fail?"""

from collections.abc import Callable, Iterator

from tracefs.crash.exploration import Explored
from tracefs.crash.recorded import Recorded
from tracefs.crashes import Redundant
from tracefs.persistence.editing import without_step
from tracefs.persistence.history import History, StepKind


def redundant(
    recorded: Recorded,
    history: History,
    before: int,
    explore: Callable[[History], Explored],
) -> Iterator[Redundant]:
    """Yield each sync of *history* that succeeded, and what fails without it.

    Args:
        recorded: tells what the calls are.
        history: with all its syncs.
        before: states that fail as it is.
        explore: explores another history in the same way.
    """
    for step in history.steps:
        if step.kind is not StepKind.SYNC or step.sync is None or step.sync.failed:
            continue
        explored = explore(without_step(history, step.number))
        failed = len(explored.failing)
        yield Redundant(
            call=step.call,
            shown=recorded.shown(step.call),
            source=recorded.place(step.call),
            redundant=failed <= before,
            states=len(explored.answered),
            failed=failed,
        )
