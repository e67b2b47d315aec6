"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import dbench, fio, fsx, hostile_journals, pjdfstest, stress_ng, tables, twins

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    tables.SUITE,
    twins.SUITE,
    hostile_journals.SUITE,
    pjdfstest.SUITE,
    fsx.SUITE,
    fio.SUITE,
    stress_ng.SUITE,
)
