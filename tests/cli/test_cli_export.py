"""``tracefs export``: what it says, and how it ends."""

import json
from pathlib import Path

import pytest
from cli_support import astray, kept, torn, tracefs, undecided

FORMATS = ("csv", "jsonl", "perfetto", "c", "python", "fio")


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_written_and_named(tmp_path: Path, form: str) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("export", str(recording), "--to", form, "-o", f"{tmp_path}/out")
    assert answer.code == 0, answer.err
    assert (tmp_path / "out").stat().st_size > 0
    assert answer.err.startswith(f"tracefs: wrote {tmp_path}/out, from 6 calls\n")


def test_json_lines_are_what_show_prints(tmp_path: Path) -> None:
    recording = astray(tmp_path / "stray.trace")
    tracefs("export", str(recording), "--to", "jsonl", "-o", f"{tmp_path}/out")
    shown = tracefs("show", "--json", str(recording)).out
    assert (tmp_path / "out").read_text() == shown
    assert json.loads(shown.splitlines()[1])["source"] == "demo.py:12 in put"


def test_an_incomplete_recording_is_told(tmp_path: Path) -> None:
    recording = torn(tmp_path / "torn.trace")
    answer = tracefs("export", str(recording), "--to", "csv", "-o", f"{tmp_path}/out")
    assert answer.code == 4
    assert "the recording is incomplete: " in answer.err
    assert (tmp_path / "out").read_text().count("pwrite64")


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    recording = undecided(tmp_path / "unknown.trace")
    answer = tracefs("export", str(recording), "--to", "python", "-o", f"{tmp_path}/out")
    assert answer.code == 4
    assert "1 call left out, which python can't say" in answer.err
    assert "# 1 left out: its name is not known" in (tmp_path / "out").read_text()


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace")
    answer = tracefs("export", str(recording), "--to", "csv", "-o", f"{tmp_path}/no/out")
    assert answer.code == 3
    assert [one.name for one in tmp_path.iterdir()] == ["good.trace"]
