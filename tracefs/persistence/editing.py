"""A history as it would be with another sync, or without one."""

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from tracefs.persistence.history import History, Step, StepKind, Sync


def with_syncs(history: History, after: Mapping[int, tuple[Sync, ...]]) -> History:
    """Return *history* with syncs that come right after the steps that *after* names.

    They cover all that came before, take no time, and succeed.
    """
    steps: list[Step] = []
    for step in history.steps:
        steps.append(step)
        steps += [
            Step(
                number=0, kind=StepKind.SYNC, start_ns=step.end_ns, end_ns=step.end_ns,
                first=step.stop, stop=step.stop, sync=sync,
            )
            for sync in after.get(step.number, ())
        ]  # fmt: skip
    return _numbered(history, steps)


def without_steps(history: History, numbers: Collection[int]) -> History:
    """Return *history* without steps that make no change."""
    assert all(history.steps[number].kind is not StepKind.CHANGE for number in numbers)
    return _numbered(history, [step for step in history.steps if step.number not in numbers])


def _numbered(history: History, steps: list[Step]) -> History:
    """Return *history* with *steps*, each with its number, which its atoms have too."""
    atoms = list(history.atoms)
    numbered = []
    for number, step in enumerate(steps):
        numbered.append(replace(step, number=number))
        for atom in range(step.first, step.stop):
            atoms[atom] = replace(atoms[atom], step=number)
    return replace(history, steps=tuple(numbered), atoms=tuple(atoms))
