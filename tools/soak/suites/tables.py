"""Every call in every situation as every user, traced and bare: the same result, error and tree."""

import errno
import os
from collections import Counter
from itertools import islice
from random import Random
from typing import Final

from soak.arena import Arena
from soak.suite import Scale, Suite, Tally
from soak.tables.calls import ON_PATH, ON_PATHS
from soak.tables.cells import Cell, cells, prepare
from soak.twins.tree import differences, scan
from soak.twins.worker import Worker
from soak.twins.world import Plain, Step, World, become

_SHOWN: Final = 20
_BATCH: Final = 500
"""As many cells are made and compared at once."""
_SEED: Final = 6
_SHARE: Final = 0.03
"""Of the cells, in the short form; the same ones each time."""


def act(world: World, batch: list[tuple[str, Cell]]) -> Plain:
    """Make the calls of *batch*, each in its directory."""
    return tuple(_outcome(world, name, cell) for name, cell in batch)


def _outcome(world: World, name: str, cell: Cell) -> Plain:
    world.home()
    os.chdir(name)
    os.chdir("in")
    function = ON_PATH.get(cell.call) or ON_PATHS[cell.call]
    with become(cell.who.uid, cell.who.gid, cell.who.groups):
        try:
            value: Plain = function(*cell.paths)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
    return value


def _run(arena: Arena, scale: Scale) -> Tally:
    failures: list[str] = []
    results: Counter[str] = Counter()
    chance = Random(_SEED)  # noqa: S311  # no secret
    todo = (cell for cell in cells() if scale is Scale.LONG or chance.random() < _SHARE)
    with arena.mounted() as place:
        bare = arena.bare()
        workers = Worker(place.path), Worker(bare)
        try:
            number = 0
            while batch := [
                (str(at), cell) for at, cell in enumerate(islice(todo, _BATCH), number)
            ]:
                number += len(batch)
                for name, cell in batch:
                    for top in (place.source, bare):
                        prepare(os.fsencode(top / name), cell)
                for worker in workers:
                    worker.tell(Step(act, (batch,), look=False))
                traced, plain = [worker.hear().value for worker in workers]
                assert isinstance(traced, tuple)
                assert isinstance(plain, tuple)
                for (_, cell), ours, theirs in zip(batch, traced, plain, strict=True):
                    results[theirs if isinstance(theirs, str) else "ok"] += 1
                    if ours != theirs:
                        failures.append(f"{cell}: traced {ours!r:.80}, bare {theirs!r:.80}")
        finally:
            for worker in workers:
                worker.close()
        left, right = (scan(os.fsencode(top), contents=False) for top in (place.source, bare))
    failures += differences(left, right, ("traced", "bare"))
    count = len(failures)
    note = f"{number} cells: " + ", ".join(f"{name} {of}" for name, of in results.most_common(30))
    notes = (note, *([f"{count} differences"] if count else []))
    return Tally(operations=2 * number, failures=tuple(failures[:_SHOWN]), notes=notes)


SUITE: Final = Suite(name="tables", about="each call in each situation as each user", run=_run)
