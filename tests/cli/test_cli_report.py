"""``tracefs report``: what is written, from recordings and from strace's text."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_support import broken, kept, torn, tracefs, undecided

PROGRAM = """
import os
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, bytes(4096), 4096)
os.close(fd)
"""

APPEND = """
import os
fd = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(fd, b"line")
os.close(fd)
"""


def head(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="head">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = json.loads(found[1])
    return read


def test_a_page_is_written_and_named(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("report", str(recording), "-o", f"{tmp_path}/out.html")
    assert answer.code == 0, answer.err
    page = (tmp_path / "out.html").read_text()
    assert head(page)["calls"] == 6
    assert f"wrote {tmp_path}/out.html: 6 calls (none unknown), {len(page.encode()):,} bytes" in (
        answer.err
    )
    assert f"next: open it in a browser, xdg-open {tmp_path}/out.html\n" in answer.err
    assert "No contract was asked" in page


def test_the_next_step_can_be_typed(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("report", str(recording), "-o", f"{tmp_path}/my report.html")
    assert f"xdg-open '{tmp_path}/my report.html'\n" in answer.err


def test_findings_have_their_calls(tmp_path: Path) -> None:
    recording = broken(tmp_path / "bad.trace")
    answer = tracefs(
        "report", str(recording), "-o", f"{tmp_path}/out.html", "--contract", "page-write"
    )
    assert answer.code == 0, answer.err
    page = (tmp_path / "out.html").read_text()
    assert {one["call"] for one in head(page)["findings"]} >= {1, 3}
    assert '<a href="#call=3">call 3</a>' in page
    assert "\N{MULTIPLICATION SIGN} broken" in page


def test_an_incomplete_recording_says_so(tmp_path: Path) -> None:
    recording = torn(tmp_path / "torn.trace")
    answer = tracefs("report", str(recording), "-o", f"{tmp_path}/out.html")
    assert answer.code == 4
    assert "tracefs: the recording is incomplete: " in answer.err
    assert "recording incomplete: " in (tmp_path / "out.html").read_text()


def test_calls_that_nobody_named_are_counted(tmp_path: Path) -> None:
    recording = undecided(tmp_path / "unknown.trace")
    answer = tracefs("report", str(recording), "-o", f"{tmp_path}/out.html")
    assert "(1 unknown)" in answer.err
    assert "unknown: the caller belongs to another user" in (tmp_path / "out.html").read_text()


def traced(folder: Path, program: str) -> Path:
    """Return what strace writes of *program*."""
    (folder / "traced").mkdir()
    strace = ["strace", "-f", "-y", "-ttt", "-T", "-o", f"{folder}/strace.txt"]
    command = [*strace, sys.executable, "-c", program]
    subprocess.run(command, cwd=folder / "traced", check=True)
    return folder / "strace.txt"


def test_straces_text_has_a_page_as_well(tmp_path: Path) -> None:
    text = traced(tmp_path, PROGRAM)
    answer = tracefs(
        "report", str(text), "--dir", f"{tmp_path}/traced", "-o", f"{tmp_path}/out.html"
    )
    assert answer.code == 0, answer.err
    page = (tmp_path / "out.html").read_text()
    assert (head(page)["calls"], head(page)["timed"], head(page)["lasting"]) == (3, True, True)
    assert "seen by: strace" in page
    elsewhere = tracefs(
        "report", f"{tmp_path}/strace.txt", "--dir", f"{tmp_path}/no", "-o", f"{tmp_path}/out.html"
    )
    assert "tracefs: not judged: 1 file written elsewhere, as " in elsewhere.err


def test_appends_of_which_the_place_is_not_known_are_told(tmp_path: Path) -> None:
    text = traced(tmp_path, APPEND)
    text.write_text(re.sub(r" <[\d.]+>$", "", text.read_text(), flags=re.MULTILINE))
    answer = tracefs("report", str(text), "-o", f"{tmp_path}/out.html")
    assert answer.code == 0, answer.err
    assert head((tmp_path / "out.html").read_text())["lasting"] is False
    page = (tmp_path / "out.html").read_text()
    assert "Not counted here, nor as pages: 1 write without a known place." in page
    assert "At least 0 bytes were not synced at the end." in page
    assert "No file is known to have been closed with bytes that were not synced." in page


@pytest.mark.parametrize(
    ("name", "words"), [("out.html", ["--contract", "no-such"]), ("no/such/out.html", [])]
)
def test_what_cannot_be_done_leaves_nothing(tmp_path: Path, name: str, words: list[str]) -> None:
    recording = kept(tmp_path / "good.trace")
    there = set(tmp_path.iterdir())
    answer = tracefs("report", str(recording), "-o", f"{tmp_path}/{name}", *words)
    assert answer.code in {2, 3}
    assert answer.err.startswith("tracefs: ")
    assert set(tmp_path.iterdir()) == there
