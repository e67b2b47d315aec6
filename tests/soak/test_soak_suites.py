"""Every suite in its short form; what each does is in its module."""

import tempfile
from pathlib import Path

import pytest
from lacking import lacking
from mounted_support import Guard
from soak.cli import run_suite
from soak.suite import Scale, Suite
from soak.suites import SUITES

FILLS_THE_MACHINE = {"stress-ng", "dbench", "fio", "large", "memory", "concurrency"}
EACH = [
    pytest.param(
        suite, id=suite.name,
        marks=[pytest.mark.alone] if suite.name in FILLS_THE_MACHINE else [],
    )
    for suite in SUITES
]  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize("suite", EACH)
def test_suite(suite: Suite, guard: Guard, as_root: None) -> None:
    if suite.missing:
        names = ", ".join(program.name for program in suite.missing)
        lacking(f"not installed: {names}; make setup-soak installs it")
    # Not pytest's folders: other users, whom programs become, must get there.
    tally = run_suite(suite, Scale.SHORT, Path(tempfile.gettempdir()), guard)
    assert tally.passed, "\n".join((*tally.failures, f"events lost: {tally.events_lost}"))
    assert tally.operations or tally.faults or tally.bad_inputs
