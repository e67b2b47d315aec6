"""Rounds of commit, kill, open again: what was acknowledged must be there, and sound."""

import json
import os
import random
import shutil
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from mounting import TRACEFS

from soak.arena import Arena
from soak.databases.syncs import difference, of_recording, of_strace
from soak.suite import Tally

_TOOLS: Final = Path(__file__).resolve().parents[2]
# Not the working directory, which is traced, but the tools are where modules are looked for.
_PYTHON: Final = (sys.executable, "-P", "-m")
_ENV: Final = {"PYTHONPATH": str(_TOOLS)}
_ENOUGH: Final = 1_000_000
_LIMIT_S: Final = 300


class Fault(Enum):
    """What is killed with SIGKILL, in the midst of commits."""

    NONE = "nothing"
    CLIENT = "the client"
    SERVER = "tracefs"


@dataclass(frozen=True, kw_only=True)
class Database:
    """A way to use a database, and how it is tried."""

    module: str
    """Its client below `soak.databases`."""
    variant: str
    faults: Sequence[Fault]
    """One for each round, all on the same data."""
    commits: int = 60
    """In a round without a fault; with one, it comes after so many at most."""
    writers: int = 1
    """Processes that commit."""
    idle: bool = False
    """It recovers from kills between transactions only: that's when they come."""


@dataclass(frozen=True)
class _Round:
    """What came of one round, before the database is opened again."""

    directory: Path
    """The bare directory with the database in ``db``."""
    acknowledged: frozenset[int]
    recording: Path
    seen_in: Path
    """The directory as the client saw it."""
    log: Path


def try_all(arena: Arena, databases: Sequence[Database]) -> Tally:
    """Try out each; where kills come is drawn by a seed, given by ``SOAK_SEED`` or new."""
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    tally = Tally(notes=(f"SOAK_SEED={seed}",))
    for database in databases:
        chance = random.Random(f"{seed} {database}")  # noqa: S311  # no secret
        tally += _Trial(arena, database, chance).run()
    return tally


class _Trial:
    def __init__(self, arena: Arena, database: Database, chance: random.Random) -> None:
        self._arena = arena
        self._database = database
        self._chance = chance
        self._name = f"{database.module} {database.variant}"
        self._state: Path | None = None
        """Bare directory with the database as the last round left it."""
        self._expected: frozenset[int] = frozenset()
        """Rows that must be there."""
        self._next = 0
        self._tally = Tally()

    def run(self) -> Tally:
        for fault in self._database.faults:
            try:
                self._round(fault)
            except Exception:  # noqa: BLE001  # the seed and what was done are to be told, too
                self._tally += Tally(failures=(traceback.format_exc(),))
            if not self._tally.passed:
                break
        return self._tally

    def _round(self, fault: Fault) -> None:
        did = self._under_mount(fault) if fault is Fault.SERVER else self._under_run(fault)
        failures, lost, synced = _judge_recording(did, whole=fault is not Fault.SERVER)
        self._expected |= did.acknowledged
        # Commits of several writers may share a sync.
        if synced * self._database.writers < len(did.acknowledged):
            failures.append(f"{len(did.acknowledged)} commits and {synced} syncs")
        failures += self._judge_rows(did.directory)
        self._tally += Tally(
            operations=len(did.acknowledged),
            faults=int(fault is not Fault.NONE),
            events_lost=lost,
            failures=tuple(f"{self._name}, {fault.value} killed: {text}" for text in failures),
        )

    def _under_run(self, fault: Fault) -> _Round:
        directory = self._arena.bare("d")
        self._carry_over(directory)
        log = self._arena.bare("l") / "strace"
        victim = "client" if fault is Fault.CLIENT else "none"
        command = self._kill(fault, victim, log)
        run = self._arena.run_traced(command, directory, env=_ENV, limit_s=_LIMIT_S)
        if run.returncode != 0:
            raise AssertionError(f"{self._name}: {run.stderr[-3000:]}")
        return _Round(directory, _numbers(run.stdout), run.recording, directory, log)

    def _under_mount(self, fault: Fault) -> _Round:
        log = self._arena.bare("l") / "strace"
        with self._arena.mounted() as place:
            self._carry_over(place.source)
            command = self._kill(fault, str(place.server), log)
            done = self._arena.run(command, place.path, env=_ENV, limit_s=_LIMIT_S)
            if done.returncode != 0:
                raise AssertionError(f"{self._name}: {done.stderr[-3000:]}")
            place.was_killed()
            return _Round(place.source, _numbers(done.stdout), place.recording, place.path, log)

    def _carry_over(self, directory: Path) -> None:
        """Copy the database of the round before; recovery is then this round's affair."""
        if self._state is not None:
            _copy(self._state, directory)

    def _kill(self, fault: Fault, victim: str, log: Path) -> list[str]:
        """Return the command that runs the client, and kills."""
        database = self._database
        after = database.commits
        if fault is not Fault.NONE and not database.idle:
            after = self._chance.randint(1, database.commits)
        kill = [*_PYTHON, "soak.databases.kill", "--after", str(after), "--victim", victim]
        kill += ["--wait-us", str(self._chance.randint(0, 5000)), "--log", str(log), "--"]
        count = _ENOUGH if fault is not Fault.NONE and not database.idle else after
        client = self._client("write", "--first", str(self._next), "--count", str(count))
        client += ["--writers", str(database.writers)]
        return kill + client + (["--linger"] if database.idle and fault is not Fault.NONE else [])

    def _client(self, *words: str) -> list[str]:
        sockets = self._arena.bare("s")
        client = [*_PYTHON, f"soak.databases.{self._database.module}"]
        return [*client, "--variant", self._database.variant, "--sockets", str(sockets), *words]

    def _judge_rows(self, directory: Path) -> list[str]:
        """Open what is left on the bare directory; every second time a copy of it.

        After a copy was opened the next round finds the database as it was killed.
        """
        opened = directory
        if self._chance.random() < 0.5:
            opened = self._arena.bare("c")
            _copy(directory, opened)
        done = self._arena.run(self._client("check"), opened, env=_ENV, limit_s=_LIMIT_S)
        if opened is not directory:
            shutil.rmtree(opened)
        if done.returncode != 0:
            return [f"it can't be opened: {done.stderr[-3000:]}"]
        found = json.loads(done.stdout)
        failures = [str(text) for text in found["damage"]]
        present = frozenset(map(int, found["rows"]))
        if missing := sorted(self._expected - present):
            failures.append(f"{len(missing)} acknowledged rows are gone: {missing[:10]}")
        # Of each writer one commit may be done and not yet acknowledged.
        more = sorted(present - self._expected)
        if len(more) > self._database.writers:
            failures.append(f"rows that nobody committed: {more[:10]}")
        if self._state is not None:
            shutil.rmtree(self._state)
        self._state, self._expected = directory, present
        self._next = max(present, default=-1) + 1
        return failures


def _judge_recording(did: _Round, *, whole: bool) -> tuple[list[str], int, int]:
    """Return what is wrong with the recording, how many syncs it lacks, how many there were."""
    with did.log.open(errors="replace") as lines:
        strace = of_strace(lines, did.seen_in)
    differs = difference(strace, of_recording(did.recording))
    failures = []
    if differs.lost:
        failures.append(f"syncs that the recording lacks: {dict(differs.lost)}")
    if differs.invented:
        failures.append(f"syncs that nobody made: {dict(differs.invented)}, {strace.cut} cut")
    failures += _unreadable(did.recording, whole=whole)
    return failures, differs.lost.total(), strace.done.total()


def _unreadable(recording: Path, *, whole: bool) -> list[str]:
    """Read the recording as a user does; return what is not as it should be."""
    failures = []
    for command, statuses in (("show", (0,)), ("check", (0, 1, 4) if whole else (1, 4))):
        done = subprocess.run(
            [*TRACEFS, command, str(recording)], capture_output=True, text=True, check=False
        )
        last = done.stdout.rstrip("\n").rpartition("\n")[2]
        said = "incomplete" not in last if whole else "incomplete" in last
        if done.returncode not in statuses or done.stderr or not said:
            failures.append(
                f"tracefs {command} ended with {done.returncode}: {last} {done.stderr[-500:]}"
            )
    return failures


def _copy(source: Path, target: Path) -> None:
    """Copy ``db`` with owners and holes."""
    if (source / "db").exists():
        subprocess.run(["cp", "-a", "--sparse=always", str(source / "db"), str(target)], check=True)


def _numbers(acknowledged: str) -> frozenset[int]:
    return frozenset(map(int, acknowledged.split()))
