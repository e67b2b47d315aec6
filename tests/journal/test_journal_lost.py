"""That a witness was lost is found without decoding the other lines."""

from pathlib import Path

import pytest
from journal_samples import HEADER, PAGE_WRITE, record

from tracefs.errors import RecordingError
from tracefs.events import Lost, Unlink
from tracefs.journal.format import encode
from tracefs.journal.lines import READ_SIZE
from tracefs.journal.lost import find_lost

LOST = Lost(start_ns=HEADER.start_ns + 5, end_ns=HEADER.start_ns + 5, tid=0, reason="killed")


@pytest.mark.parametrize("before", [0, 1, READ_SIZE // 300, READ_SIZE // 100])
def test_wherever_it_stands(before: int, tmp_path: Path) -> None:
    events = (*PAGE_WRITE[:1] * before, LOST, *PAGE_WRITE)
    record(tmp_path / "r", events)
    assert find_lost(tmp_path / "r") == (5, "killed")


def test_at_the_very_beginning_of_what_is_read_at_once(tmp_path: Path) -> None:
    head, line = encode(HEADER) + b"\n", encode(LOST) + b"\n"
    filler = encode(Unlink(start_ns=0, end_ns=0, tid=0, path="", ino=0))
    path = "x" * (READ_SIZE - len(head) - len(filler) - 1)
    filler = encode(Unlink(start_ns=0, end_ns=0, tid=0, path=path, ino=0)) + b"\n"
    assert len(head + filler) == READ_SIZE
    (tmp_path / "journal.jsonl").write_bytes(head + filler + line)
    assert find_lost(tmp_path) == (5, "killed")


def test_none_is_found_in_a_name(tmp_path: Path) -> None:
    hostile = "\n" + encode(LOST).decode()
    record(tmp_path / "r", (Unlink(start_ns=0, end_ns=0, tid=0, path=hostile, ino=0), *PAGE_WRITE))
    assert find_lost(tmp_path / "r") is None


def test_what_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"")
    with pytest.raises(RecordingError):
        find_lost(tmp_path)
