"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import (
    builds,
    concurrency,
    copies,
    dbench,
    faults,
    fio,
    fsx,
    git,
    hostile_journals,
    initdb,
    large,
    lmdb,
    memory,
    mounts,
    pjdfstest,
    postgres,
    redis,
    rocksdb,
    sqlite,
    stress_ng,
    tables,
    twins,
)

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    pjdfstest.SUITE,
    fsx.SUITE,
    fio.SUITE,
    stress_ng.SUITE,
    tables.SUITE,
    twins.SUITE,
    git.SUITE,
    copies.SUITE,
    builds.SUITE,
    initdb.SUITE,
    sqlite.SUITE,
    lmdb.SUITE,
    rocksdb.SUITE,
    redis.SUITE,
    postgres.SUITE,
    concurrency.SUITE,
    large.SUITE,
    memory.SUITE,
    faults.SUITE,
    mounts.SUITE,
    hostile_journals.SUITE,
)
