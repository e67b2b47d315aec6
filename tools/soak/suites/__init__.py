"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import dbench, lmdb, postgres, redis, rocksdb, sqlite, tables, twins

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    tables.SUITE,
    twins.SUITE,
    sqlite.SUITE,
    lmdb.SUITE,
    rocksdb.SUITE,
    redis.SUITE,
    postgres.SUITE,
)
