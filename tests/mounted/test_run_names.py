"""A traced directory may hold files named like modules that tracefs imports."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import Run


@pytest.mark.parametrize("module", ["trio", "logging", "queue", "random"])
def test_a_module_of_the_program_is_not_imported(
    module: str, traced_run: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "src" / f"{module}.py").write_text("raise SystemExit(9)\n")
    run = traced_run([sys.executable, "-c", "open('made', 'w').close()"])
    assert run.returncode == 0
    assert (tmp_path / "src" / "made").exists()
