"""Syncs taken out, one at a time: does anything more fail?"""

from collections.abc import Callable, Iterator

from tracefs.crash.exploration import Explored
from tracefs.crash.recorded import Recorded
from tracefs.crashes import Redundant
from tracefs.persistence.editing import without_steps
from tracefs.persistence.history import History, StepKind


def redundant(
    recorded: Recorded,
    history: History,
    before: Explored,
    explore: Callable[[History], Explored],
) -> Iterator[Redundant]:
    """Yield each sync of *history* that succeeded, and what fails without it.

    Args:
        recorded: tells what the calls are.
        history: with all its syncs.
        before: what was found as it is.
        explore: explores another history in the same way.
    """
    known = _failing(before)
    gone: set[int] = set()
    for step in history.steps:
        if step.kind is not StepKind.SYNC or step.sync is None or step.sync.failed:
            continue
        explored = explore(without_steps(history, {step.number}))
        more = _failing(explored) - known
        # What wasn't explored with it may fail with it, too.
        verdict = not more if before.whole and (more or explored.whole) else None
        together = True
        if verdict and gone:
            without = explore(without_steps(history, {*gone, step.number}))
            together = without.whole and not _failing(without) - known
        if verdict and together:
            gone.add(step.number)
        yield Redundant(
            call=step.call,
            shown=recorded.shown(step.call),
            source=recorded.place(step.call),
            redundant=verdict,
            states=len(explored.answered),
            failed=len(more),
            together=together,
        )


def _failing(explored: Explored) -> set[str]:
    """Return the failing states by what is in them and acknowledged: points are others then."""
    return {found.key for found, _ in explored.failing}
