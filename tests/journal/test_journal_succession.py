"""One writer, one recording after the other."""

import os
from pathlib import Path

import msgspec
import pytest
from journal_samples import HEADER, NAMES, PAGE_WRITE, unexpected

from tracefs.errors import RecordingError
from tracefs.events import AnyEvent
from tracefs.journal import lock
from tracefs.journal.payload import PayloadReader
from tracefs.journal.reader import Ending, JournalReader
from tracefs.journal.writer import JournalWriter

LATER = msgspec.structs.replace(HEADER, start_ns=HEADER.start_ns + 5)


def read(folder: Path) -> tuple[list[AnyEvent], Ending]:
    with JournalReader(folder) as reader:
        return list(reader.events()), reader.ending


@pytest.mark.parametrize("shared", [False, True])
def test_each_has_its_own_lines_and_footer(tmp_path: Path, shared: bool) -> None:
    writer = JournalWriter(tmp_path / "a", HEADER, shared=shared, on_failure=unexpected)
    for event in PAGE_WRITE:
        writer.event(event)
    former = writer.succeed(tmp_path / "b", LATER)
    for event in NAMES:
        writer.event(event)
    former.close(7, "rotated")
    writer.event(PAGE_WRITE[0])
    writer.close(9, "unmounted")

    events, ending = read(tmp_path / "a")
    assert tuple(events) == PAGE_WRITE
    assert ending.complete
    assert ending.footer is not None
    assert (ending.footer.reason, former.events) == ("rotated", len(PAGE_WRITE))
    events, ending = read(tmp_path / "b")
    assert tuple(events) == (*NAMES, PAGE_WRITE[0])
    assert ending.complete
    assert writer.events == len(NAMES) + 1


def test_each_has_its_own_bytes(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a", HEADER, payload=True, on_failure=unexpected)
    assert writer.payload(b"a" * 100_000) == 0
    former = writer.succeed(tmp_path / "b", LATER)
    assert writer.payload(b"b" * 100_000) == 0
    former.close(7, "rotated")
    writer.close(9, "unmounted")
    for name in ("a", "b"):
        _, ending = read(tmp_path / name)
        assert ending.footer is not None
        payload = PayloadReader(tmp_path / name)
        assert payload.difference(ending.footer) is None
        assert payload.read(0, 100_000) == name.encode() * 100_000
        payload.close()


def test_the_former_is_no_longer_being_written(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a", HEADER, on_failure=unexpected)
    journal = os.open(tmp_path / "a" / "journal.jsonl", os.O_RDONLY)
    former = writer.succeed(tmp_path / "b", LATER)
    assert lock.is_held(journal)
    former.close(7, "rotated")
    assert not lock.is_held(journal)
    os.close(journal)
    writer.close(9, "unmounted")


def test_where_it_cannot_begin_all_goes_on(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a", HEADER, on_failure=unexpected)
    with pytest.raises(RecordingError, match="not empty"):
        writer.succeed(tmp_path / "a", LATER)
    writer.event(PAGE_WRITE[0])
    writer.close(9, "unmounted")
    assert read(tmp_path / "a")[1].complete
    assert writer.events == 1


def test_one_that_has_failed_is_over_with_itself(tmp_path: Path) -> None:
    reasons: list[str] = []
    writer = JournalWriter(tmp_path / "a", HEADER, on_failure=reasons.append)
    writer.stop("a request failed")
    former = writer.succeed(tmp_path / "b", LATER)
    assert (writer.failed, former.failed) == (None, "a request failed")
    writer.event(PAGE_WRITE[0])
    former.close(7, "rotated")
    writer.close(9, "unmounted")
    assert not read(tmp_path / "a")[1].complete
    assert read(tmp_path / "b")[1].complete
    assert reasons == ["a request failed"]


def test_once_settled_all_bytes_are_there(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a", HEADER, payload=True, on_failure=unexpected)
    for number in range(1, 30):
        for _ in range(7):
            writer.payload(bytes(1 << 20))
        writer.settle()
        assert (tmp_path / "a" / "payload.bin").stat().st_size == number * (7 << 20)
    writer.close(9, "unmounted")
