"""What the pytest plugin costs: its import, the first test that is traced, and each further one.

    .venv/bin/python tools/plugin_times.py [TESTS]

Times are of whole tests, from set-up to the end of the teardown, of three kinds: with pytest's own
tmp_path, with traced_dir, and with traced_dir and contracts that are judged.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

KINDS = {
    "tmp_path": "def test_it(tmp_path, number):\n    save(tmp_path / 'a.db')\n",
    "traced_dir": (
        "def test_it(traced_dir, trace, number):\n    save(traced_dir / 'a.db')\n"
        "    assert len(trace.calls()) == 3\n"
    ),
    "judged": (
        "@pytest.mark.tracefs(contracts='page-write', without=['synced'])\n"
        "def test_it(traced_dir, number):\n    save(traced_dir / 'a.db')\n"
    ),
}
HEAD = """
import os
import pytest

def save(path):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(fd, bytes(4096), 0)
    os.close(fd)

@pytest.mark.parametrize("number", range({tests}))
"""
CONFTEST = """
import collections
times = collections.defaultdict(float)

def pytest_runtest_logreport(report):
    assert report.outcome == "passed", report.longreprtext
    times[report.nodeid] += report.duration

def pytest_unconfigure():
    print("\\nTIMES", *times.values())
"""


def import_ms() -> tuple[float, float]:
    """Return what importing the plugin and what importing pytest takes, in milliseconds."""
    found = []
    for _ in range(15):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", "import pytest, tracefs.pytest_plugin"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = re.findall(r"\| +(\d+) \| +(\S+)$", done.stderr, re.MULTILINE)
        by_name = {name: int(us) / 1000 for us, name in lines}
        plugin = by_name["tracefs.pytest_plugin"] + by_name["tracefs"]
        found.append((plugin, by_name["pytest"]))
    return statistics.median(one for one, _ in found), statistics.median(two for _, two in found)


def times_ms(kind: str, tests: int) -> list[float]:
    """Return how long each test took, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(HEAD.format(tests=tests) + KINDS[kind], "utf-8")
        Path(folder, "conftest.py").write_text(CONFTEST, "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp=base"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stdout)
        (line,) = re.findall(r"^TIMES (.*)$", done.stdout, re.MULTILINE)
        return [float(word) * 1000 for word in line.split()]


def main() -> None:
    tests = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    plugin, pytest = import_ms()
    print(f"import: {plugin:.2f} ms, beside {pytest:.0f} ms of pytest (median of 15)")
    for kind in KINDS:
        first, *others = times_ms(kind, tests)
        middle = statistics.median(others)
        p90 = statistics.quantiles(others, n=10)[-1]
        print(
            f"{kind:<10}: first {first:7.1f} ms, {len(others)} more: "
            f"median {middle:5.2f}, p90 {p90:5.2f}, most {max(others):5.1f} ms"
        )


if __name__ == "__main__":
    main()
