"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import (
    concurrency,
    dbench,
    faults,
    hostile_journals,
    large,
    lmdb,
    memory,
    mounts,
    postgres,
    redis,
    rocksdb,
    sqlite,
    tables,
    twins,
)

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    tables.SUITE,
    twins.SUITE,
    sqlite.SUITE,
    lmdb.SUITE,
    rocksdb.SUITE,
    redis.SUITE,
    postgres.SUITE,
    concurrency.SUITE,
    large.SUITE,
    memory.SUITE,
    hostile_journals.SUITE,
    faults.SUITE,
    mounts.SUITE,
)
