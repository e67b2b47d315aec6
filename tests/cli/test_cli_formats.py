"""``tracefs check --format`` and ``--output``, on recordings made by the real writer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_support import Recorder, astray, broken, kept, torn, tracefs, undecided

from tracefs.cli.format_names import FORMATS

MACHINES = sorted(set(FORMATS) - {"text"})


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_ends_as_text_does(tmp_path: Path, form: str) -> None:
    made = [make(tmp_path / make.__name__) for make in (kept, broken, undecided, torn)]
    codes = [tracefs("check", "--format", form, str(each)).code for each in made]
    assert codes == [0, 1, 4, 4]


def test_json_is_short_for_its_format(tmp_path: Path) -> None:
    recording = str(broken(tmp_path / "r"))
    assert tracefs("check", "--json", recording) == tracefs("check", "--format", "json", recording)


def test_two_formats_are_refused(tmp_path: Path) -> None:
    answer = tracefs("check", "--json", "--format", "tap", str(kept(tmp_path / "r")))
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_gets_what_would_be_printed(tmp_path: Path, form: str) -> None:
    recording, file = str(broken(tmp_path / "r")), tmp_path / "answer"
    printed = tracefs("check", "--format", form, recording)
    written = tracefs("check", "--format", form, "-o", str(file), recording)
    assert (written.code, written.out, written.err) == (1, "", "")
    assert file.read_text("utf-8") == printed.out


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(tmp_path: Path) -> None:
    recording, folder = str(broken(tmp_path / "r")), tmp_path / "folder"
    folder.mkdir()
    file = folder / "answer"
    file.write_text("old")
    limited = 'ulimit -f 0; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", limited, "sh", sys.executable, "-B", "-m", "tracefs", "check", "-o", str(file),
         "--json", recording],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "can't be written: File too large" in done.stderr
    assert file.read_text() == "old"
    assert os.listdir(folder) == ["answer"]


def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    recording, new, old = str(kept(tmp_path / "r")), tmp_path / "new", tmp_path / "old"
    old.write_text("")
    old.chmod(0o604)
    for file in (new, old):
        assert tracefs("check", "-o", str(file), recording).code == 0
    mask = os.umask(0)
    os.umask(mask)
    assert new.stat().st_mode & 0o777 == 0o666 & ~mask
    assert old.stat().st_mode & 0o777 == 0o604


def test_a_link_and_a_device_are_written_and_not_replaced(tmp_path: Path) -> None:
    recording, file, link = str(kept(tmp_path / "r")), tmp_path / "file", tmp_path / "link"
    file.write_text("")
    link.symlink_to(file)
    assert tracefs("check", "--format", "tap", "-o", str(link), recording).code == 0
    assert link.is_symlink()
    assert file.read_text().startswith("TAP version 14\n")
    assert tracefs("check", "--format", "tap", "-o", "/dev/stdout", recording).out.startswith("TAP")


def test_github_writes_the_summary_that_the_job_names(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    answer = tracefs(
        "check", "--format", "github", str(broken(tmp_path / "r")),
        env={"GITHUB_STEP_SUMMARY": str(summary)},
    )  # fmt: skip
    assert all(line.startswith("::") for line in answer.out.splitlines())
    assert summary.read_text().startswith("before\n**`page-write`: broken**\n")


def test_github_prints_the_summary_that_cannot_be_written(tmp_path: Path) -> None:
    answer = tracefs(
        "check", "--format", "github", str(broken(tmp_path / "r")),
        env={"GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "summary.md")},
    )  # fmt: skip
    assert answer.code == 1
    assert "**`page-write`: broken**\n" in answer.out
    assert "no summary can be written" in answer.err


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_files_are_named_below_the_checked_out_tree(tmp_path: Path, form: str) -> None:
    answer = tracefs(
        "check", "--format", form, str(astray(tmp_path / "r")), env={"GITHUB_WORKSPACE": "/srv"}
    )
    assert answer.code == 1
    if form == "github":
        assert "::error file=demo.py,line=12,title=page-write%3A no-seek::" in answer.out
    else:
        uris = [
            place["physicalLocation"]["artifactLocation"]["uri"]
            for found in json.loads(answer.out)["runs"][0]["results"]
            for place in found.get("locations", ())
        ]
        assert "demo.py" in uris


@pytest.mark.parametrize("form", MACHINES)
def test_a_hostile_path_is_text_in_every_format(tmp_path: Path, form: str) -> None:
    path = "]]>\n::error::x\n##[error]y\x1b[2J%0A\u2028 # SKIP\\xff.db"
    recorder = Recorder(tmp_path / "r")
    recorder.create(path)
    recorder.write(0)
    recorder.shut()
    answer = tracefs("check", "--format", form, str(recorder.finish()), env={"LC_ALL": "C"})
    assert answer.code == 1, answer.err
    assert answer.out.replace("\n", "").isprintable()
    lines = answer.out.splitlines()
    assert [line for line in lines if line.startswith("::error::x")] == []
    if form == "junit":
        assert len(ET.fromstring(answer.out).findall(".//failure")) == 1
    elif form == "github":
        assert not any("##[" in line for line in lines if not line.startswith("::"))
    elif form == "tap":
        assert [line for line in lines if line.startswith("not ok")] == ["not ok 1 - page-write"]
    else:
        assert isinstance(json.loads(answer.out), dict)
