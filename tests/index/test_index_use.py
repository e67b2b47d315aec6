"""When an index is used, and when the journal is read instead."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from index_support import index, show, show_without
from journal_samples import CARRIED, HEADER, NAMES, PAGE_WRITE, record

from tracefs.cli import progress as progress_module
from tracefs.cli import selected
from tracefs.cli.main import main
from tracefs.cli.progress import Progress
from tracefs.errors import RecordingError
from tracefs.index import card as cards
from tracefs.index.build import build
from tracefs.journal.format import CARD, JOURNAL, TABLE
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter

WORDS = ["--call", "pwrite64,rename,fsync"]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording that has an index."""
    folder = tmp_path / "r"
    record(folder, [*PAGE_WRITE, *NAMES, *CARRIED] * 20)
    index(folder)
    return folder


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and whatever reads a journal's events fails from then on."""

    def refuse(_self: JournalReader) -> Iterator[None]:
        pytest.fail("the journal was read")

    return lambda: monkeypatch.setattr(JournalReader, "events", refuse)


def test_the_journal_is_not_read(recording: Path, unread: Callable[[], None]) -> None:
    expected = show_without(recording, WORDS)
    unread()
    assert show(recording, WORDS) == expected


def test_without_a_filter_it_is(recording: Path) -> None:
    (recording / TABLE).write_bytes(b"")
    assert show(recording).err == ""


def test_a_copy_of_a_recording_has_its_index(
    recording: Path, tmp_path: Path, unread: Callable[[], None]
) -> None:
    expected = show(recording, WORDS)
    shutil.copytree(recording, tmp_path / "copy")
    unread()
    assert show(tmp_path / "copy", WORDS) == expected


def _flip(file: Path, place: int) -> None:
    """Change one byte, and leave size and mtime as they are."""
    before = file.stat()
    with file.open("r+b") as opened:
        opened.seek(place)
        byte = opened.read(1)
        opened.seek(place)
        opened.write(bytes([byte[0] ^ 1]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _change_journal(folder: Path) -> None:
    _flip(folder / JOURNAL, (folder / JOURNAL).read_bytes().rindex(b'"offset":') + 9)


def _append(folder: Path) -> None:
    with (folder / JOURNAL).open("ab") as journal:
        journal.write(b"{}\n")


def _record_anew(folder: Path) -> None:
    record(folder.parent / "new", PAGE_WRITE).rename(folder / JOURNAL)


def _edit_card(folder: Path, **fields: object) -> None:
    card = msgspec.json.decode((folder / CARD).read_bytes())
    (folder / CARD).write_bytes(msgspec.json.encode(card | fields))


HARM: dict[str, tuple[Callable[[Path], object], str]] = {
    "journal changed, size and mtime as before": (_change_journal, "the journal was changed"),
    "journal longer": (_append, "the journal was changed"),
    "journal recorded anew": (_record_anew, "the journal was changed"),
    "table torn": (lambda f: os.truncate(f / TABLE, 100), "its table is damaged"),
    "table changed": (lambda f: _flip(f / TABLE, 1000), "its table is damaged"),
    "table gone": (lambda f: (f / TABLE).unlink(), "it can't be read"),
    "card torn": (lambda f: os.truncate(f / CARD, 100), "it is damaged"),
    "card no JSON": (lambda f: (f / CARD).write_bytes(b"\xff"), "it is damaged"),
    "card of a later version": (lambda f: _edit_card(f, version=2), "it is of another version"),
    "joined by other rules": (lambda f: _edit_card(f, rules="0"), "it was made by another version"),
}


@pytest.mark.parametrize("harm", HARM)
def test_one_that_is_not_of_this_very_journal_is_not_used(harm: str, recording: Path) -> None:
    change, reason = HARM[harm]
    change(recording)
    told = show(recording, WORDS)
    assert (told.code, told.out) == show_without(recording, WORDS)[:2]
    assert told.err.startswith(f"tracefs: the index is not used: {reason}")
    assert told.err.count("\n") == 1


def test_a_journal_changed_a_moment_ago_is_hashed(recording: Path) -> None:
    """Its times may be those of the change before: what a clock's tick hides, a hash doesn't."""
    card = cards.read(recording)
    assert card is not None
    assert card.journal.mark is None


def test_an_old_journal_is_known_by_its_times(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "_SETTLED_NS", 0)
    index(recording)
    monkeypatch.setattr(cards, "hash_of", lambda _fd: pytest.fail("hashed"))
    descriptor = os.open(recording / JOURNAL, os.O_RDONLY)
    try:
        card = cards.read(recording)
        assert card is not None
        cards.require_same(descriptor, card.journal, "changed")
    finally:
        os.close(descriptor)


def test_without_duckdb_the_journal_is_read(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = show(recording, WORDS)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    told = show(recording, WORDS)
    assert told[:2] == expected[:2]
    assert "DuckDB is missing: pip install 'tracefs[index]'" in told.err


def test_where_one_would_help_it_is_said(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selected, "_LARGE", 1000)
    assert show_without(recording).err == ""
    said = show_without(recording, WORDS)
    assert f"after tracefs index {recording}, filters are quick" in said.err
    assert show(recording, WORDS).err == ""


def test_one_half_written_leaves_nothing(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two renames there is no card, so no index."""
    expected = show(recording, WORDS)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if target.name == CARD:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RecordingError, match="No space left on device"):
        index(recording)
    assert sorted(os.listdir(recording)) == [TABLE, JOURNAL]
    assert show(recording, WORDS) == expected


def test_a_recording_without_an_end_has_one_too(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    journal = record(folder, PAGE_WRITE * 5)
    os.truncate(journal, journal.stat().st_size - 700)
    index(folder)
    told = show(folder, WORDS)
    assert "# incomplete: no footer" in told.out
    assert told == show_without(folder, WORDS)


def test_one_that_is_being_made_has_none(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "r", HEADER, on_failure=pytest.fail)
    with pytest.raises(RecordingError, match="still being made"):
        index(tmp_path / "r")
    writer.close(1, "unmounted")


@pytest.mark.parametrize("name", ["-", JOURNAL])
def test_only_a_folder_has_one(
    name: str, recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recording)
    assert main(["index", "--", f"./{name}" if name != "-" else name]) == 2
    assert "an index needs the recording's folder" in capsys.readouterr().err


def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "r", PAGE_WRITE)
    assert main(["index", str(tmp_path / "r")]) == 0
    assert f"calls in {TABLE}" in capsys.readouterr().out
    modes = {name: (tmp_path / "r" / name).stat().st_mode & 0o777 for name in (TABLE, CARD)}
    assert modes == {TABLE: 0o600, CARD: 0o600}


def test_how_far_it_is_is_told_to_the_end(recording: Path) -> None:
    told: list[tuple[int, int]] = []
    build(recording, lambda done, total: told.append((done, total)))
    size = (recording / JOURNAL).stat().st_size
    assert told[-1] == (size, size)


@pytest.mark.parametrize(
    ("terminal", "told"), [(True, "\r\x1b[Ktracefs: reading: 100 %\r\x1b[K"), (False, "")]
)
def test_only_a_terminal_is_told(
    terminal: bool,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(progress_module, "_PATIENCE_S", 0)
    progress = Progress("reading")
    progress(2, 2)
    progress.end()
    assert capsys.readouterr().err == told
