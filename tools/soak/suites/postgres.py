"""PostgreSQL with pgbench at work beside, killed and started again."""

from typing import Final

from soak.arena import Arena
from soak.databases.rounds import Database, Fault, try_all
from soak.programs import POSTGRES, STRACE
from soak.suite import Scale, Suite, Tally

_SYNC_METHODS: Final = ("fdatasync", "open_datasync", "fsync", "open_sync")


def _run(arena: Arena, scale: Scale) -> Tally:
    return try_all(
        arena,
        [
            Database(
                module="postgres_store",
                variant=method,
                faults=scale.pick(
                    (Fault.CLIENT, Fault.SERVER),
                    (Fault.NONE, *(Fault.CLIENT, Fault.SERVER) * 8),
                ),
                commits=scale.pick(60, 1000),
                writers=2,
            )
            for method in scale.pick(_SYNC_METHODS[:1], _SYNC_METHODS)
        ],
    )


SUITE: Final = Suite(
    name="postgres", about="PostgreSQL with pgbench, killed", needs=(POSTGRES, STRACE), run=_run
)
