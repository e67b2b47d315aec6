"""No command writes its answer over the recording that it reads."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import kept, tracefs

COMMANDS = pytest.mark.parametrize(
    "words",
    [
        ["export", "--to", "csv", "-o"], ["export", "--to", "python", "-o"], ["report", "-o"],
        ["check", "-o"], ["check", "--format", "json", "-o"],
        ["crash", "--check", "true", "--html"],
    ],
    ids=" ".join,
)  # fmt: skip


def sums(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@COMMANDS
@pytest.mark.parametrize("name", ["journal.jsonl", "start.jsonl", "start/131", "linked"])
def test_the_recording_stays(tmp_path: Path, words: list[str], name: str) -> None:
    recording = kept(tmp_path / "good.trace")
    (recording / "start").mkdir()
    for other in ("start.jsonl", "start/131"):
        (recording / other).write_text("kept")
    (recording / "linked").symlink_to("journal.jsonl")
    before = sums(tmp_path)
    first, *rest = words
    answer = tracefs(first, str(recording), *rest, str(recording / name))
    assert answer.code == 2
    assert answer.err == (
        f"tracefs: {recording / name} belongs to the recording that is read\n"
        "  repair: name another file\n"
    )
    assert sums(tmp_path) == before


def test_a_bare_journal_on_standard_input_stays(tmp_path: Path) -> None:
    journal = kept(tmp_path / "good.trace") / "journal.jsonl"
    before = journal.read_bytes()
    command = [sys.executable, "-m", "tracefs", "export", "-", "--to", "jsonl", "-o"]
    with journal.open("rb") as file:
        done = subprocess.run([*command, journal], stdin=file, capture_output=True, check=False)
    assert done.returncode == 2
    assert journal.read_bytes() == before


@pytest.mark.parametrize("name", ["strace.txt", "import.json", "journal.jsonl"])
def test_what_was_imported_stays(tmp_path: Path, name: str) -> None:
    text = tmp_path / "text"
    text.write_text('1 openat(AT_FDCWD</d>, "a", O_RDWR) = 3</d/a>\n')
    folder = tmp_path / "imported"
    tracefs("import", "-o", str(folder), str(text))
    assert (folder / "import.json").exists()
    before = sums(folder)
    answer = tracefs("export", str(folder), "--to", "csv", "-o", str(folder / name))
    assert answer.code == 2, answer.err
    assert sums(folder) == before


def test_another_file_in_the_recordings_folder_is_written(tmp_path: Path) -> None:
    recording = kept(tmp_path / "good.trace")
    for _ in range(2):
        page = str(recording / "report.html")
        assert tracefs("report", str(recording), "-o", page).code == 0
