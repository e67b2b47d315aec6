"""What is known of a few programs and power failures: what `tools/crash_suite` does at length."""

from pathlib import Path

import pytest
from crash_suite import runner
from crash_suite.cases import CASES, Case
from lacking import lacking
from mounted_support import Guard

pytestmark = pytest.mark.alone


@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", [case for case in CASES if case.short], ids=lambda case: case.name)
def test_what_is_known_is_found_and_nothing_else(case: Case, guard: Guard, tmp_path: Path) -> None:
    if missing := runner.missing(case):
        lacking(f"not installed: {', '.join(missing)}")
    results = list(runner.run(case, tmp_path / case.name, guard))
    assert results
    for result in results:
        assert result.wrong is None, result
        assert result.states
