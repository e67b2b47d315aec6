"""Redis with appendfsync always, killed and started again."""

from typing import Final

from soak.arena import Arena
from soak.databases.rounds import Database, Fault, try_all
from soak.programs import REDIS, STRACE
from soak.suite import Scale, Suite, Tally


def _run(arena: Arena, scale: Scale) -> Tally:
    killed = (Fault.SERVER, Fault.CLIENT)
    return try_all(
        arena,
        [
            Database(
                module="redis_store",
                variant=variant,
                faults=scale.pick(killed, (Fault.NONE, *killed * 20)),
                commits=scale.pick(150, 600),
                writers=2,
            )
            for variant in scale.pick(("both",), ("log", "both"))
        ],
    )


SUITE: Final = Suite(
    name="redis", about="Redis with appendfsync always, killed", needs=(REDIS, STRACE), run=_run
)
