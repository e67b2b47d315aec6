"""Every page writer with a fault at each of its calls: each is reported, and no page is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mounted_support import TRACEFS, Guard
from pagealloc.generated import generated_page
from pagealloc.page import PAGE_SIZE, build_page
from pagewriters import Writer
from writers_support import command, each_writer

OLD = build_page(b"old")
WRITTEN = OLD + bytes(PAGE_SIZE) + build_page(b"text")
FILLED = b"".join(generated_page(0, page_no) for page_no in range(3))

CHECK = """
import os, sys
directory, wanted, old = sys.argv[1:]
with open(directory + "/pages.db", "rb") as left, open(wanted, "rb") as whole:
    data, expected = left.read(), whole.read()
if len(data) < int(old) or len(data) % 4096:
    sys.exit(f"{len(data)} bytes")
if os.environ["TRACEFS_STATUS"] == "0" and data != expected:
    sys.exit("false success")
"""
"""A checker: the file is no shorter than it was, of whole pages, and a success is one."""


@each_writer
@pytest.mark.parametrize(
    ("words", "wanted", "runs"),
    [(("write", "pages.db", "2", "text"), WRITTEN, 9), (("fill", "pages.db", "3"), FILLED, 21)],
    ids=["write", "fill"],
)
def test_a_writer_reports_each_fault_and_loses_nothing(
    tmp_path: Path, guard: Guard, writer: Writer, words: tuple[str, ...], wanted: bytes, runs: int
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "pages.db").write_bytes(OLD)
    (tmp_path / "wanted").write_bytes(wanted)
    (tmp_path / "check.py").write_text(CHECK)
    judge = f"{sys.executable} -E -S {tmp_path}/check.py {{dir}} {tmp_path}/wanted {len(OLD)}"

    done = subprocess.run(
        [*TRACEFS, "torture", "--check", judge, "--format", "json", "--", *command(writer, *words)],
        capture_output=True, text=True, cwd=home, timeout=55, check=False,
    )  # fmt: skip

    found = [json.loads(line) for line in done.stdout.splitlines()]
    not_passed = [run for run in found if run["outcome"] != "passed"]
    assert (done.returncode, not_passed) == (0, []), done.stderr
    exits = [(run["strikes"][0]["fault"], run["exit"]) for run in found]
    # Of open EIO and ENOSPC, of write EIO, ENOSPC, short, EINTR, of sync EIO, EINTR, of close EIO.
    assert len(exits) == runs
    assert {code for fault, code in exits if fault == "EINTR"} == {"0"}
    assert {code for fault, code in exits if fault != "EINTR"} == {"3", "4"}
    assert (home / "pages.db").read_bytes() == OLD
