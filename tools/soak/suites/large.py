"""Files over 4 GiB, sparse ones of terabytes, full directories, long names, deep trees."""

import sys
from itertools import zip_longest
from pathlib import Path
from typing import Final

from mounting import Run

from soak import large
from soak.arena import Arena
from soak.suite import Scale, Suite, Tally
from tracefs import events
from tracefs.journal.reader import JournalReader

_TIB: Final = 1 << 40
_PATH_MAX: Final = 4096


def _run(arena: Arena, scale: Scale) -> Tally:
    count, depth = scale.pick((3000, 40), (100_000, 300))
    program = str(Path(large.__file__))
    command = [sys.executable, "-I", "-S", program, str(count), str(depth)]
    bare = arena.run(command, arena.bare())
    traced = arena.run_traced(command, arena.bare(), limit_s=1200)
    failures = [
        f"{name}: exit status {done.returncode}: {done.stderr[-2000:]}"
        for name, done in (("bare", bare), ("traced", traced))
        if done.returncode != 0
    ]
    lines = list(zip_longest(bare.stdout.splitlines(), traced.stdout.splitlines()))
    failures += [f"bare: {one}; traced: {other}" for one, other in lines if one != other]
    recorded, missing = _recorded(traced, count, depth)
    return Tally(operations=recorded, failures=(*failures, *missing))


def _recorded(run: Run, count: int, depth: int) -> tuple[int, list[str]]:
    """Return how many events the journal has, and what it lacks of what was done."""
    longest = furthest = created = total = 0
    with JournalReader(run.recording) as reader:
        for event in reader.events():
            total += 1
            if isinstance(event, events.Create):
                created += 1
                longest = max(longest, len(event.path))
            elif isinstance(event, events.Write):
                furthest = max(furthest, event.offset)
    failures = []
    if longest < depth * 200 or longest <= _PATH_MAX:
        failures.append(f"the longest path in the journal has {longest} bytes")
    if furthest < 8 * _TIB:
        failures.append(f"the furthest write in the journal is at {furthest}")
    if created < count:
        failures.append(f"{created} files created, by the journal")
    return total, failures


SUITE: Final = Suite(name="large", about="large files, directories, names and trees", run=_run)
