"""What every run of pytest imports where tracefs is installed."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
import pytest
before = set(sys.modules)
import tracefs.pytest_plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_the_plugin_imports_itself_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=30
    )
    # Whatever is needed here is paid for by all tests that have nothing to do with tracefs.
    assert json.loads(done.stdout) == ["tracefs", "tracefs.pytest_plugin"]
