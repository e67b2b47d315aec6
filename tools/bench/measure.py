"""Runs the plan, and gathers what its steps came to."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.checking import Checking, check_speed
from bench.plan import PLACEMENTS, STORAGES, steps
from bench.sample import WORKLOADS, Cell, Figure, figure, percentile
from bench.startup import run_once
from bench.targets import TARGETS, TRACEFS, Worker, pinned


class Effort(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    iterations: int
    budget_ms: int
    starts: int
    """Runs of each command whose start is measured."""
    journals: tuple[int, ...]
    """Calls in each journal; two lengths show whether memory grows with them."""


FULL: Final = Effort(
    rounds=5, iterations=4000, budget_ms=500, starts=11, journals=(100_000, 1_000_000)
)
QUICK: Final = Effort(rounds=1, iterations=500, budget_ms=200, starts=3, journals=(10_000, 100_000))


class Commands(Struct, frozen=True, kw_only=True):
    """What has no program under it; wall times in nanoseconds, medians."""

    python_ns: int
    """An interpreter that does nothing: the floor of the others."""
    help_ns: int
    """``tracefs --help``."""
    run_true_ns: int
    """``tracefs run -- true``."""
    checking: tuple[Checking, ...]


def measure_targets(
    targets: Sequence[str],
    folders: dict[str, Path],
    scratch: Path,
    effort: Effort,
    progress: Callable[[str], None],
) -> tuple[Figure, ...]:
    """Measure every workload on every one of *targets*.

    Args:
        targets: names from `TARGETS`.
        folders: one empty directory for each storage.
        scratch: an empty directory for the worker and the recordings.
        effort: how much.
        progress: told what comes next.

    Raises:
        BenchError: A target doesn't work.
    """
    worker = Worker(scratch, iterations=effort.iterations, budget_ms=effort.budget_ms)
    recordings = scratch / "recordings"
    recordings.mkdir()
    times = {cell: list[int]() for cell in cells(targets)}
    for step in steps(targets, effort.rounds):
        progress(f"{step.round + 1}/{effort.rounds} {step.storage}, {step.placement} {step.target}")
        run = TARGETS[step.target]
        measured = run(worker, folders[step.storage], pinned(step.placement), recordings)
        for workload, values in measured.items():
            times[_cell(step.storage, step.placement, workload, step.target)] += values
    return tuple(figure(cell, values) for cell, values in times.items())


def measure_commands(folder: Path, scratch: Path, effort: Effort) -> Commands:
    """Measure the starts of commands, in the empty directory *folder*, and the check of journals.

    Raises:
        BenchError: A command doesn't work.
    """
    recorded = (
        [TRACEFS, "run", "-o", str(scratch / f"true-{number}.trace"), "--", "true"]
        for number in range(effort.starts)
    )
    return Commands(
        python_ns=_wall([[sys.executable, "-c", "pass"]] * effort.starts, folder),
        help_ns=_wall([[TRACEFS, "--help"]] * effort.starts, folder),
        run_true_ns=_wall(list(recorded), folder),
        checking=tuple(check_speed(scratch, calls) for calls in effort.journals),
    )


def cells(targets: Sequence[str]) -> list[Cell]:
    """Return every figure's place, in the order of the table."""
    return [
        _cell(storage, placement, workload, target)
        for storage in STORAGES
        for placement in PLACEMENTS
        for workload in WORKLOADS
        for target in targets
    ]


def _cell(storage: str, placement: str, workload: str, target: str) -> Cell:
    return Cell(storage=storage, placement=placement, workload=workload, target=target)


def _wall(commands: Sequence[Sequence[str]], folder: Path) -> int:
    return percentile([run_once(command, folder).wall_ns for command in commands], 50)
