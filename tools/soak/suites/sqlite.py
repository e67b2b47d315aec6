"""SQLite in all its journal modes, killed and opened again."""

from typing import Final

from soak.arena import Arena
from soak.databases.rounds import Database, Fault, try_all
from soak.programs import STRACE
from soak.suite import Scale, Suite, Tally

# Variants (see sqlite_store), and how many processes write.
_SHORT: Final = (
    ("delete,extra,4096,0", 1),
    ("truncate,full,512,0", 1),
    ("persist,extra,4096,1000000", 1),
    ("wal,full,4096,1000000", 2),
)
_LONG: Final = tuple(
    (f"{mode},{synchronous},{page},{mapped}", writers)
    for mode in ("delete", "truncate", "persist", "wal")
    for synchronous in ("full", "extra")
    for page, mapped, writers in ((512, 0, 1), (4096, 100_000_000, 2), (65536, 0, 2))
)
# A kill within a transaction may damage these for good (sqlite.org/pragma.html).
_UNSAFE: Final = ("memory,extra,4096,0", "off,full,4096,0")


def _run(arena: Arena, scale: Scale) -> Tally:
    killed = (Fault.SERVER, Fault.CLIENT)
    faults = scale.pick(killed, (Fault.NONE, *killed * 5))
    commits = scale.pick(40, 300)
    databases = [
        Database(
            module="sqlite_store", variant=variant, faults=faults, commits=commits, writers=writers
        )
        for variant, writers in scale.pick(_SHORT, _LONG)
    ]
    faults = scale.pick((Fault.SERVER,), faults)
    databases += [
        Database(module="sqlite_store", variant=variant, faults=faults, commits=commits, idle=True)
        for variant in _UNSAFE
    ]
    return try_all(arena, databases)


SUITE: Final = Suite(
    name="sqlite", about="SQLite in all journal modes, killed", needs=(STRACE,), run=_run
)
