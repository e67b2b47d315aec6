"""``tracefs stats`` of a file that strace wrote."""

import json
import subprocess
import sys
from pathlib import Path

from cli_support import tracefs

PROGRAM = """
import os
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, bytes(4096), 4096)
os.fdatasync(fd)
os.pwrite(fd, bytes(100), 0)
os.close(fd)
"""


def test_straces_text_has_figures(tmp_path: Path) -> None:
    (tmp_path / "traced").mkdir()
    strace = ["strace", "-f", "-y", "-ttt", "-T", "-o", f"{tmp_path}/strace.txt"]
    subprocess.run([*strace, sys.executable, "-c", PROGRAM], cwd=tmp_path / "traced", check=True)
    answer = tracefs("stats", "--dir", f"{tmp_path}/traced", "--json", f"{tmp_path}/strace.txt")
    assert answer.code == 0, answer.err
    figures = json.loads(answer.out)
    assert figures["bytes_written"] == 4196
    assert figures["unsynced"]["at_close"][0]["bytes"] == 100
    assert [one["call"] for one in figures["syncs"]] == ["fdatasync"]
    as_text = tracefs("stats", "--dir", f"{tmp_path}/traced", f"{tmp_path}/strace.txt").out
    assert as_text.startswith("# seen by: strace")
