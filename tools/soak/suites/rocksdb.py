"""RocksDB with its log synced, killed and opened again."""

from typing import Final

from soak.arena import Arena
from soak.databases.rounds import Database, Fault, try_all
from soak.programs import ROCKSDB, STRACE
from soak.suite import Scale, Suite, Tally


def _run(arena: Arena, scale: Scale) -> Tally:
    killed = (Fault.SERVER, Fault.CLIENT)
    return try_all(
        arena,
        [
            Database(
                module="rocksdb_store",
                variant=variant,
                faults=scale.pick(killed, (Fault.NONE, *killed * 15)),
                commits=scale.pick(80, 600),
            )
            for variant in scale.pick(("plain", "mmap"), ("plain", "mmap", "direct", "fsync"))
        ],
    )


SUITE: Final = Suite(
    name="rocksdb", about="RocksDB with synced writes, killed", needs=(ROCKSDB, STRACE), run=_run
)
