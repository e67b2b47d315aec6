"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import concurrency, dbench, hostile_journals, large, memory, tables, twins

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    tables.SUITE,
    twins.SUITE,
    concurrency.SUITE,
    large.SUITE,
    memory.SUITE,
    hostile_journals.SUITE,
)
