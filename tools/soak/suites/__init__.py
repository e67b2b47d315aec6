"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import dbench, hostile_journals, tables, twins

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    tables.SUITE,
    twins.SUITE,
    hostile_journals.SUITE,
)
