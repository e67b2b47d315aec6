"""``tracefs pages``: what it prints, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import Recorder, broken, kept, torn, tracefs

from tracefs.cli.main import main
from tracefs.report.unsynced import Unsynced


def test_the_pages_of_a_file_are_drawn(tmp_path: Path) -> None:
    recording = str(broken(tmp_path / "bad.trace"))
    answer = tracefs("pages", recording, "pages.db")
    assert answer.code == 0
    assert answer.out.splitlines()[1] == "         0  !.#" + "." * 61
    earlier = tracefs("pages", recording, "pages.db", "--call", "1")
    assert earlier.out.splitlines()[1] == "         0  ..!" + "." * 61
    as_json = json.loads(tracefs("pages", recording, "pages.db", "--json").out)
    assert as_json["states"] == {"0": "!", "2": "#"}


@pytest.mark.parametrize("given", ["a\\x0ab \\xe9", "a\nb \\xe9", "a\nb \udce9"], ids=ascii)
def test_a_name_can_be_given_as_it_is_printed_or_as_it_is(tmp_path: Path, given: str) -> None:
    recording = str(kept(tmp_path / "good.trace", path="a\nb \\xe9"))
    answer = tracefs("pages", recording, given)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("a\\x0ab \\xe9: 2 pages of 4096 bytes written")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_name_that_the_locale_lacks_stays_that_name(tmp_path: Path, encoding: str) -> None:
    recording = str(kept(tmp_path / "good.trace", path="\u0107"))
    answer = tracefs("pages", recording, "\u0107", env={"PYTHONIOENCODING": encoding})
    assert answer.out.startswith("\\xc4\\x87: 2 pages")
    assert tracefs("pages", recording, "\\xc4\\x87").code == 0


def test_an_incomplete_recording_says_so(tmp_path: Path) -> None:
    answer = tracefs("pages", str(torn(tmp_path / "torn.trace")), "pages.db")
    assert answer.code == 4
    assert answer.out.splitlines()[-1].startswith("# incomplete: ")


def test_a_moment_before_the_file_is_told_with_its_first_call(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "late.trace")
    recorder.create("other.db", ino=8)
    recorder.create()
    recorder.write(0)
    recording = str(recorder.finish())
    answer = tracefs("pages", recording, "pages.db", "--call", "0")
    assert answer.code == 2
    assert answer.err == (
        "tracefs: up to call 0 none is about pages.db\n  repair: the first one is call 1\n"
    )


def test_of_straces_text_is_told_what_was_left_out(tmp_path: Path) -> None:
    program = "import os; os.pwrite(os.open('f', os.O_WRONLY | os.O_CREAT), b'x', 0)"
    strace = ["strace", "-f", "-y", "-o", f"{tmp_path}/strace.txt"]
    subprocess.run([*strace, sys.executable, "-c", program], cwd=tmp_path, check=True)
    drawn = tracefs("pages", f"{tmp_path}/strace.txt", "f", "--dir", str(tmp_path))
    assert (drawn.code, "seen by: strace" in drawn.err) == (0, True)
    answer = tracefs("pages", f"{tmp_path}/strace.txt", "f", "--dir", f"{tmp_path}/no")
    assert answer.code == 2
    assert f"not judged: 1 file written elsewhere, as {tmp_path}/f " in answer.err


@pytest.mark.parametrize(
    ("name", "limited"),
    [("pagemap.PAGE_LIMIT", 0), ("durability.Unsynced", lambda: Unsynced(range_limit=0))],
)
def test_more_than_is_followed_is_not_all(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    limited: object,
) -> None:
    monkeypatch.setattr(f"tracefs.report.{name}", limited)
    assert main(["pages", str(broken(tmp_path / "bad.trace")), "pages.db"]) == 4
    assert "limit reached: " in capsys.readouterr().out


def test_a_file_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    answer = tracefs("pages", str(broken(tmp_path / "bad.trace")), "other.db")
    assert answer.code == 2
    assert answer.err == (
        "tracefs: no call is about other.db\n  repair: name a file that was written: pages.db\n"
    )
