"""The suites, in the order in which they run."""

from typing import Final

from soak.suite import Suite
from soak.suites import (
    builds,
    copies,
    dbench,
    fio,
    fsx,
    git,
    hostile_journals,
    initdb,
    pjdfstest,
    stress_ng,
    tables,
    twins,
)

SUITES: Final[tuple[Suite, ...]] = (
    dbench.SUITE,
    tables.SUITE,
    twins.SUITE,
    hostile_journals.SUITE,
    pjdfstest.SUITE,
    fsx.SUITE,
    fio.SUITE,
    stress_ng.SUITE,
    git.SUITE,
    copies.SUITE,
    builds.SUITE,
    initdb.SUITE,
)
