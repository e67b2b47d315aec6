"""LMDB, with and without stores through its mapping, killed and opened again."""

from typing import Final

from soak.arena import Arena
from soak.databases.rounds import Database, Fault, try_all
from soak.programs import LMDB, STRACE
from soak.suite import Scale, Suite, Tally


def _run(arena: Arena, scale: Scale) -> Tally:
    killed = (Fault.SERVER, Fault.CLIENT)
    return try_all(
        arena,
        [
            Database(
                module="lmdb_store",
                variant=variant,
                faults=scale.pick(killed, (Fault.NONE, *killed * 20)),
                commits=scale.pick(60, 300),
                writers=2,
            )
            for variant in ("plain", "writemap")
        ],
    )


SUITE: Final = Suite(name="lmdb", about="LMDB, killed", needs=(LMDB, STRACE), run=_run)
