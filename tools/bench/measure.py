"""Runs the plan, and gathers what its steps came to."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench import postgres
from bench.checking import Checking, check_speed
from bench.peers import TARGETS
from bench.plan import PLACEMENTS, STORAGES, Step, steps
from bench.program import started
from bench.programs import Amount, Compiled, command
from bench.sample import Cell, Figure, Measured, Sample, Served, figure, sample
from bench.spread import percentile
from bench.startup import run_once
from bench.targets import TRACEFS, Site, pinned
from bench.workloads import PGBENCH, PROGRAMS, done_by, group_of


class Effort(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int
    amount: Amount
    writer_ms: int
    """Milliseconds of a round of a page writer."""
    starts: int
    """Runs of each command whose start is measured."""
    journals: tuple[int, ...]
    """Calls in each journal; two lengths show whether memory grows with them."""


FULL: Final = Effort(
    rounds=5,
    amount=Amount(iterations=10_000, budget_ms=200, warm_up=100, transactions=200),
    writer_ms=500,
    starts=11,
    journals=(100_000, 1_000_000),
)
QUICK: Final = Effort(
    rounds=1,
    amount=Amount(iterations=500, budget_ms=100, warm_up=20, transactions=40),
    writer_ms=200,
    starts=3,
    journals=(10_000, 100_000),
)
LONG: Final = 10
"""So many times the transactions, where the long form is asked for."""


class Commands(Struct, frozen=True, kw_only=True):
    """What has no program under it; wall times in nanoseconds, medians."""

    python_ns: int
    """An interpreter that does nothing: the floor of the others."""
    help_ns: int
    """``tracefs --help``."""
    run_true_ns: int
    """``tracefs run -- true``."""
    checking: tuple[Checking, ...]


class Bench:
    """One run of the benchmark.

    Args:
        targets: names from `peers.TARGETS`.
        workloads: what is done on them.
        folders: one empty directory for each storage.
        scratch: an empty directory for programs, mounts and recordings.
        amount: how much is done in a round.
        lazyfs: the program of LazyFS.
    """

    def __init__(
        self,
        targets: Sequence[str],
        workloads: Sequence[str],
        folders: dict[str, Path],
        scratch: Path,
        amount: Amount,
        lazyfs: str = "lazyfs",
    ) -> None:
        self._targets = targets
        self._workloads = workloads
        self._folders = folders
        self._scratch = scratch
        self._amount = amount
        self._lazyfs = lazyfs
        self._compiled = Compiled(scratch)
        self._mount_point = scratch / "mnt"
        self._mount_point.mkdir()

    def measure(self, rounds: int, progress: Callable[[str], None]) -> tuple[Figure, ...]:
        """Measure every workload on every target; *progress* is told what comes next.

        Raises:
            BenchError: A target or a program doesn't work.
        """
        if PGBENCH in map(group_of, self._workloads):
            progress("a PostgreSQL cluster on each storage")
            self._make_clusters()
        samples: dict[Cell, list[Sample]] = {cell: [] for cell in self.cells()}
        for step in steps(self._plan(), rounds):
            progress(f"{step.round + 1}/{rounds} {_words(step)}")
            for cell, one in self._run(step):
                samples[cell].append(one)
        return tuple(figure(cell, ones) for cell, ones in samples.items())

    def cells(self) -> list[Cell]:
        """Return every figure's place, in the order of the tables."""
        return [
            Cell(storage=storage, placement=placement, workload=workload, target=target)
            for storage in STORAGES
            for placement in PLACEMENTS
            for workload in self._workloads
            for target in self._targets
            if group_of(workload) in TARGETS[target].groups
        ]

    def _plan(self) -> dict[str, list[str]]:
        """Return program -> the targets that it has work on."""
        plan = {
            program: [name for name in self._targets if self._work(program, name)]
            for program in PROGRAMS
        }
        return {program: names for program, names in plan.items() if names}

    def _work(self, program: str, target: str) -> list[str]:
        """Return the workloads that *program* has to do on *target*."""
        able = TARGETS[target].groups
        names = [name for name in done_by(program) if name in self._workloads]
        return [name for name in names if group_of(name) in able]

    def _run(self, step: Step) -> list[tuple[Cell, Sample]]:
        site = Site(
            folder=self._folders[step.storage],
            prefix=pinned(step.placement),
            mount_point=self._mount_point,
            logs=self._scratch,
            compiled=self._compiled,
            lazyfs=self._lazyfs,
        )
        found = []
        work = self._work(step.program, step.target)
        for measured, served in run_on(step.target, site, step.program, work, self._amount):
            cell = Cell(
                storage=step.storage,
                placement=step.placement,
                workload=measured.workload,
                target=step.target,
            )
            found.append((cell, sample(step.round, measured, served)))
        return found

    def _make_clusters(self) -> None:
        for folder in self._folders.values():
            folder.chmod(0o711)  # the user who runs PostgreSQL may pass
            with tempfile.TemporaryDirectory(prefix="bench-") as parent:
                Path(parent).chmod(0o711)
                postgres.make_cluster(folder, postgres.new_folder(Path(parent) / "s"))


def run_on(
    target: str, site: Site, program: str, workloads: Sequence[str], amount: Amount
) -> list[tuple[Measured, Served | None]]:
    """Put *target* up, and have *program* do *workloads* on it.

    Raises:
        BenchError: One of them doesn't work.
    """
    with TARGETS[target].place(site) as place:
        words = command(program, place.folder, place.wrap, amount, site.compiled)
        with started([*site.prefix, *words]) as running:
            found = [running.measure(name, place.watch) for name in workloads]
            running.end()
    return found


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


def _words(step: Step) -> str:
    return f"{step.storage}, {step.placement}: {step.program} on {step.target}"


def _wall(commands: Sequence[Sequence[str]], folder: Path) -> int:
    return percentile([run_once(command, folder).wall_ns for command in commands], 50)
