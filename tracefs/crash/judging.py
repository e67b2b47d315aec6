"""What an exploration comes to: verdict, reasons, coverage, points."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tracefs.crash.choice import Transient
from tracefs.crash.exploration import Explored
from tracefs.crash.recorded import Recorded
from tracefs.crashes import Blind, Coverage, Failure, Loss, Point
from tracefs.findings import TraceSummary, Verdict
from tracefs.pathtext import fits, quoted
from tracefs.persistence.history import Atom, History, StepKind, bits
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import State

_COUNTS = frozenset({Loss.CORRUPT, Loss.ACKNOWLEDGED})


def verdict(failures: Sequence[Failure], why: Sequence[str]) -> Verdict:
    """Return broken where a failure counts, else unknown where *why* has something."""
    if any(failure.loss in _COUNTS for failure in failures):
        return Verdict.BROKEN
    return Verdict.UNKNOWN if why else Verdict.KEPT


def reasons(
    summary: TraceSummary,
    blind: Sequence[Blind],
    explored: Explored,
    failures: Sequence[Failure],
) -> tuple[str, ...]:
    """Say why a state may be missing, or is not known to be good."""
    found = []
    if not summary.complete:
        found.append(f"the recording is not complete: {summary.incomplete_because}")
    if not explored.answered:
        found.append("no state was explored")
    if explored.left:
        found.append("not all states were explored: the limit of states or time was reached")
    found += [
        f"{spot.kind}{f' of {quoted(spot.path)}' if spot.path else ''}: {spot.reason}"
        for spot in blind
        if spot.harmless is None
    ]
    if any(failure.loss is Loss.CHECKER for failure in failures):
        found.append("the checker gave no answer about some states")
    return tuple(found)


def blind_spots(blind: Sequence[Blind], transient: Sequence[Transient]) -> tuple[Blind, ...]:
    """Return *blind*, those in files whose contents don't count as harmless."""
    found = []
    for spot in blind:
        path = spot.path or ""
        why = next((one.why for one in transient if path and fits(path, one.glob)), None)
        found.append(replace(spot, harmless=why) if why and spot.harmless is None else spot)
    return tuple(found)


def coverage(
    history: History,
    profiles: Sequence[Persistence],
    explored: Explored,
    blind: tuple[Blind, ...],
) -> Coverage:
    """Return how much the answer rests on."""
    return Coverage(
        points=len(history.steps) + 1,
        possible=round(max((_possible(one) for one in profiles), default=0.0), 1),
        generated=explored.counts.generated,
        same_operations=explored.counts.same_operations,
        same_content=explored.counts.same_content,
        explored=len(explored.answered),
        left=explored.left,
        blind=blind,
    )


def points(
    history: History,
    recorded: Recorded,
    explored: Explored,
    stands_for: Mapping[State, str],
) -> tuple[Point, ...]:
    """Return each point with what came of its states."""
    states = Counter(found.state.point for found, _ in explored.answered)
    failed = Counter(found.state.point for found, _ in explored.failing)
    names: dict[int, dict[str, None]] = {}
    for found, _ in explored.failing:
        if found.state in stands_for:
            names.setdefault(found.state.point, {})[stands_for[found.state]] = None
    return tuple(
        Point(
            number=number,
            call=history.steps[number - 1].call if number else None,
            at_ns=history.steps[number - 1].end_ns if number else 0,
            shown=_shown(history, recorded, number),
            kind=str(history.steps[number - 1].kind) if number else "start",
            states=states[number],
            failed=failed[number],
            failures=tuple(names.get(number, ())),
        )
        for number in range(len(history.steps) + 1)
    )


def _shown(history: History, recorded: Recorded, number: int) -> str:
    if not number:
        return "the start of the recording"
    step = history.steps[number - 1]
    if step.kind is StepKind.ACK:
        return f"acknowledgement {quoted(step.ack or '')}"
    if step.call is None and step.kind is StepKind.SYNC:
        return "a sync"
    return recorded.shown(step.call)


def _possible(persistence: Persistence) -> float:
    """Return an upper bound of the states of all points, as a power of ten.

    Each cell has one version more than changes of it that may be lost; what needs what is left out.
    """
    history = persistence.history
    cells: Counter[object] = Counter()
    logs: list[float] = []
    total, free = 0.0, 0
    for point in range(len(history.steps) + 1):
        now = persistence.happened(point) & ~persistence.forced(point)
        for change, atoms in ((1, now & ~free), (-1, free & ~now)):
            for number in bits(atoms):
                cell = _cell(history.atoms[number])
                total -= math.log10(cells[cell] + 1)
                cells[cell] += change
                total += math.log10(cells[cell] + 1)
        free = now
        logs.append(total)
    most = max(logs)
    return most + math.log10(sum(10 ** (one - most) for one in logs))


def _cell(atom: Atom) -> object:
    if atom.entries:
        return atom.entries[0].directory, atom.entries[0].name
    return atom.file, atom.part, atom.number if atom.overlays else None
