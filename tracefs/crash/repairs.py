"""Syncs that would have saved what was lost, tried out."""

import stat
from collections.abc import Callable, Sequence
from typing import Final

from tracefs.crash.diagnosis import Reduced
from tracefs.crash.exploration import Explored
from tracefs.crashes import Loss, Repair
from tracefs.persistence.editing import with_syncs
from tracefs.persistence.history import Atom, History, Part, StepKind, Sync, bits, origin

Explore = Callable[[History], Explored]
"""Explores another history in the same way."""
_MOST_PIECES: Final = 1024
"""Steps after one that are looked at, whether they are of the same call."""


def repairs(history: History, reduced: Reduced, explore: Explore) -> tuple[Repair, ...]:
    """Return the syncs that are missing for a failure, and what came of trying them together."""
    wanted = _wanted(history, reduced.dropped)
    if not wanted or reduced.failure.loss in (Loss.CHECKER, Loss.CREATION):
        return ()
    places = 1
    explored = explore(with_syncs(history, _after(wanted)))
    if explored.failing and reduced.failure.loss is Loss.ACKNOWLEDGED:
        everywhere = before_acks(history, wanted)
        more = explore(with_syncs(history, _after(everywhere)))
        if more.whole and len(more.failing) < len(explored.failing):
            explored = more
            places = len({step for step, _ in everywhere})
    # Numbers of atoms are the same there.
    again = [
        found
        for found, _ in explored.failing
        if not reduced.dropped & found.state.atoms and len(found.acks) >= reduced.failure.acks
    ]
    return tuple(
        Repair(
            sync=_word(history, sync),
            path=_path(history, sync, step),
            after_call=history.steps[step].call,
            before_call=_next_call(history, step),
            verified=explored.whole and not again,
            whole=explored.whole,
            left=len(explored.failing),
            states=len(explored.answered),
            places=places,
        )
        for step, sync in wanted
    )


def before_acks(history: History, wanted: Sequence[tuple[int, Sync]]) -> list[tuple[int, Sync]]:
    """Return places for syncs like *wanted*: before each acknowledgement what changed since.

    Files are alike by the paths that they had: many are made anew each time.
    """
    directories = {sync.file for _, sync in wanted if _is_directory(history, sync)}
    paths = {history.steps[step].path for step, sync in wanted if not _is_directory(history, sync)}
    found: list[tuple[int, Sync]] = []
    dirty: dict[Sync, int] = {}
    for step in history.steps:
        for number in range(step.first, step.stop):
            for sync in _syncs(history.atoms[number]):
                named = not _is_directory(history, sync) and step.path in paths
                if sync.file in directories or named:
                    dirty[sync] = step.number
        if step.kind is StepKind.ACK:
            found += [(last, sync) for sync, last in dirty.items()]
            dirty.clear()
    return found


def _after(places: Sequence[tuple[int, Sync]]) -> dict[int, tuple[Sync, ...]]:
    after: dict[int, tuple[Sync, ...]] = {}
    for step, sync in places:
        after[step] = (*after.get(step, ()), sync)
    return after


def _is_directory(history: History, sync: Sync) -> bool:
    return sync.file is not None and stat.S_ISDIR(history.files[sync.file].mode)


def _wanted(history: History, dropped: int) -> list[tuple[int, Sync]]:
    """Return steps, and the sync to come after each."""
    last: dict[Sync, int] = {}
    for number in bits(dropped):
        atom = history.atoms[number]
        for sync in _syncs(atom):
            last[sync] = max(last.get(sync, 0), _end(history, atom.step))
    return sorted(((step, sync) for sync, step in last.items()), key=lambda pair: pair[0])


def _end(history: History, step: int) -> int:
    """Return the last step of the same call."""
    call = origin(history.steps[step])
    later = history.steps[step + 1 : step + _MOST_PIECES]
    return max([step, *(one.number for one in later if origin(one) == call)])


def _syncs(atom: Atom) -> list[Sync]:
    if atom.part is Part.NAME:
        return [Sync(directory) for directory in {entry.directory for entry in atom.entries}]
    return [Sync(atom.file, data_only=atom.part is not Part.ATTRIBUTES)]


def _word(history: History, sync: Sync) -> str:
    if _is_directory(history, sync):
        return "fsync of the directory"
    return "fdatasync" if sync.data_only else "fsync"


def _path(history: History, sync: Sync, step: int) -> str:
    path = history.steps[step].path or "."
    if _word(history, sync) != "fsync of the directory":
        return path
    return path.rpartition("/")[0] or "."


def _next_call(history: History, step: int) -> int | None:
    later = (one.call for one in history.steps[step + 1 :] if one.call is not None)
    return next(later, None)
