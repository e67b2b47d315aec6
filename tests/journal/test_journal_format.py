import hashlib
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import EVENT_TYPES, EVENTS, HEADER, NAMES, PAGE_WRITE, record

from tracefs.events import AnyEvent, Footer, Line
from tracefs.journal.format import UNREADABLE, decode_event, decode_line, encode
from tracefs.journal.reader import JournalReader
from tracefs.pathtext import to_bytes

DATA = Path(__file__).parent.parent / "data"
GOLDEN = DATA / "page-write-v5.jsonl"


@given(st.lists(EVENTS, max_size=12))
def test_what_is_written_is_read(events: list[AnyEvent]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        record(Path(directory, "a.trace"), events)
        with JournalReader(Path(directory, "a.trace")) as reader:
            assert list(reader.events()) == events
            assert reader.header == HEADER
            assert reader.ending.complete


@given(EVENTS)
def test_an_event_is_one_line_of_json(event: AnyEvent) -> None:
    line = encode(event)
    assert b"\n" not in line
    assert decode_event(line) == decode_line(line) == event


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_in_one_way(line: bytes) -> None:
    # Anything else that escaped would end a reader in a traceback.
    try:
        decode_event(line)
    except UNREADABLE:
        return
    raise AssertionError(f"{line!r} is no event")


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"rmdir","start_ns":1,"end_ns":2,"tid":3,"ino":4,"path":"\xff"}',
        b'{"type":"flush","new":' + b"[" * 100_000,
        b'{"type":"flush","start_ns":1e999,"end_ns":2,"tid":3,"ino":4,"fh":5}',
        b"",
    ],
    ids=["not UTF-8", "nested without end", "beyond any number", "nothing"],
)
def test_lines_made_to_hurt_are_refused(line: bytes) -> None:
    with pytest.raises(UNREADABLE):
        decode_event(line)


def test_a_field_that_is_new_does_not_hide_the_event() -> None:
    line = encode(PAGE_WRITE[3])
    assert decode_event(line[:-1] + b',"added_later":{"a":[1]}}') == PAGE_WRITE[3]


def test_each_kind_of_line_has_a_name_of_its_own() -> None:
    tags = [kind.__struct_config__.tag for kind in EVENT_TYPES]
    assert len(set(tags)) == len(tags)
    assert all(tag == kind.__name__.lower() for tag, kind in zip(tags, EVENT_TYPES, strict=True))


def test_names_that_are_not_utf_8_come_back_as_bytes(tmp_path: Path) -> None:
    record(tmp_path / "a.trace", NAMES)
    with JournalReader(tmp_path / "a.trace") as reader:
        create, rename, _ = reader.events()
    assert to_bytes(getattr(create, "path", "")) == b"ol\xe9\\.tmp"
    assert to_bytes(getattr(rename, "path", "")) == b"\xff\n"


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_journal_of_an_older_version_still_reads_the_same(version: int) -> None:
    # Written once by the version that made it, and never again.
    with JournalReader(DATA / f"page-write-v{version}.jsonl") as reader:
        assert tuple(reader.events()) == PAGE_WRITE
        assert reader.header == msgspec.structs.replace(HEADER, version=version)
        assert reader.ending.complete, reader.ending.reason


def test_the_format_is_the_one_that_is_documented() -> None:
    # A change of spelling is a change of format: it needs a new version, not a new golden file.
    lines = GOLDEN.read_bytes().splitlines()
    assert [encode(line) for line in (HEADER, *PAGE_WRITE)] == lines[:-1]
    footer = msgspec.json.decode(lines[-1], type=Line)
    assert isinstance(footer, Footer)
    before = b"".join(line + b"\n" for line in lines[:-1])
    assert footer.sha256 == hashlib.sha256(before).hexdigest()
