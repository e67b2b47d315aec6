"""dbench: the file operations of an office's server, by several clients at once."""

from typing import Final

from soak.arena import Arena
from soak.programs import DBENCH
from soak.suite import Scale, Suite, Tally

_CLIENTS: Final = 4


def _run(arena: Arena, scale: Scale) -> Tally:
    seconds = scale.pick(4, 120)
    command = ["dbench", "--timelimit", str(seconds), "--directory", ".", str(_CLIENTS)]
    done = arena.run_traced(command, arena.bare())
    # Its table of operations: name, how many, average and longest time.
    rows = [line.split() for line in done.stdout.splitlines()]
    counts = [int(row[1]) for row in rows if len(row) == 4 and row[1].isdigit()]
    failures = () if done.returncode == 0 and counts else (f"dbench: {done.stderr[-500:]}",)
    return Tally(operations=sum(counts), failures=failures)


SUITE: Final = Suite(name="dbench", about="an office's file server", needs=(DBENCH,), run=_run)
