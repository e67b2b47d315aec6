"""Which runs there are of a program: each fault at each call, or at a sample of them."""

import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from mounting import Guard

from judges.outcome import Fault, Outcome
from judges.programs import Judge
from judges.trial import Counts, Trials


class Session(msgspec.Struct, frozen=True, kw_only=True, tag="session"):
    """What all runs of one program have in common."""

    judge: str
    version: str
    syncs: int
    """Calls that a run without faults makes."""
    writes: int


class Result(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """One run."""

    outcome: Outcome


Line = Session | Result
"""A line of the file of results."""


def places(judge: Judge, fault: Fault, counts: Counts, limit: int, seed: int) -> list[int]:
    """Return the numbers of the calls to strike: all, or *limit* of them, drawn by *seed*."""
    most = {
        Fault.EIO: counts.sync,
        Fault.ENOSPC: counts.write,
        Fault.FULL: counts.write,
    }.get(fault, counts.files)
    everywhere = range(1, most + 1)
    if most <= limit:
        return list(everywhere)
    chance = random.Random(f"{seed} {judge.name} {fault}")  # noqa: S311  # no secret
    return sorted(chance.sample(everywhere, limit))


def run_all(
    judge: Judge,
    faults: Iterable[Fault],
    scratch: Path,
    guard: Guard,
    *,
    jobs: int,
    limit: int,
    seed: int,
) -> Iterator[Line]:
    """Run *judge* under each fault at each place, *jobs* at a time; yield what comes of them."""
    trials = Trials(judge, scratch, guard)
    counts = trials.counts()
    yield Session(judge=judge.name, version=trials.version, syncs=counts.sync, writes=counts.write)
    rules = [
        (fault, fault.rule(number))
        for fault in faults
        for number in places(judge, fault, counts, limit, seed)
    ]
    with ThreadPoolExecutor(jobs) as pool:
        for outcome, _ in pool.map(lambda pair: trials.under(*pair), rules):
            yield Result(outcome=outcome)
