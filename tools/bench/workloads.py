"""What is done on each target, and by which program."""

from collections.abc import Sequence
from typing import Final

CALLS: Final = "calls"
THREADS: Final = "threads"
SQLITE: Final = "sqlite"
PGBENCH: Final = "pgbench"

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    CALLS: (
        "pwrite",
        "pwrite+fdatasync",
        "open+pwrite+fdatasync+close",
        "lseek+write",
        "pwrite+pread",
        "create+stat+unlink",
        "write-1MiB",
        "overwrite-1MiB",
        "read-1MiB",
        "read-random",
        "read-1MiB-cached",
        "read-random-cached",
    ),
    THREADS: ("8-threads-one-file", "8-threads-8-files"),
    SQLITE: ("sqlite-wal", "sqlite-rollback"),
    PGBENCH: ("pgbench",),
}
"""Group -> its workloads in their order; `worker.c` names those of the first two."""

WORKLOADS: Final = tuple(name for names in GROUPS.values() for name in names)

TOGETHER: Final = frozenset((*GROUPS[THREADS], *GROUPS[PGBENCH]))
"""Several do them at once: what one waits for is not what all of them get done."""

PROGRAMS: Final[dict[str, tuple[str, ...]]] = {
    "worker": (CALLS, THREADS),
    "sqlite": (SQLITE,),
    "pgbench": (PGBENCH,),
}
"""Program -> the groups that one run of it does."""


def chosen(asked: Sequence[str]) -> tuple[str, ...]:
    """Return the workloads that *asked*, names of workloads and groups, means; none: all.

    >>> chosen(["sqlite", "pwrite"])
    ('pwrite', 'sqlite-wal', 'sqlite-rollback')
    """
    names = {name for word in asked for name in GROUPS.get(word, (word,))}
    return tuple(name for name in WORKLOADS if name in names or not names)


def done_by(program: str) -> tuple[str, ...]:
    """Return the workloads of *program*."""
    return tuple(name for group in PROGRAMS[program] for name in GROUPS[group])


def group_of(workload: str) -> str:
    """Return the group that *workload* is in."""
    return next(group for group, names in GROUPS.items() if workload in names)
