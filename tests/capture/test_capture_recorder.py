"""What the recorder passes on, keeps, and leaves out."""

import hashlib
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.capture.recorder import Recorder, Wanted
from tracefs.events import FORMAT, VERSION, Header, Line, Query, Statfs
from tracefs.journal.format import JOURNAL, PAYLOAD
from tracefs.journal.writer import JournalWriter
from tracefs.witness.proc import ProcWitness

HEADER = Header(
    format=FORMAT,
    version=VERSION,
    tool="tests",
    source="/traced",
    started="2026-01-01T00:00:00+00:00",
    start_ns=0,
    clock="CLOCK_MONOTONIC",
    kernel="6",
    machine=os.uname().machine,
    mode="cached",
    page_size=4096,
    block_size=4096,
    witness="proc",
    command=None,
    operations=(),
)
Make = Callable[..., Recorder]


@pytest.fixture
def journals() -> Iterator[list[JournalWriter]]:
    made: list[JournalWriter] = []
    yield made
    for journal in made:
        journal.close(0, "terminated")


@pytest.fixture
def make(tmp_path: Path, journals: list[JournalWriter]) -> Make:
    def build(witness: ProcWitness | None = None, **wanted: bool) -> Recorder:
        payload = wanted.get("payload", False)
        journals.append(
            JournalWriter(tmp_path / "rec", HEADER, payload=payload, on_failure=pytest.fail)
        )
        return Recorder(journals[-1], witness, Wanted(**wanted))

    return build


def written(tmp_path: Path) -> list[Line]:
    decoder = msgspec.json.Decoder(Line)
    lines: list[Line] = decoder.decode_lines((tmp_path / "rec" / JOURNAL).read_bytes())
    return lines[1:]


def test_an_event_is_in_the_journal_before_record_returns(make: Make, tmp_path: Path) -> None:
    event = Statfs(start_ns=1, end_ns=2, tid=3)
    make().record(event)
    assert written(tmp_path) == [event]


def test_a_query_is_recorded_with_its_reply_and_its_end(make: Make, tmp_path: Path) -> None:
    make(queries=True).query("lookup", 5, 77, 2, 9, "a\\xff")
    (event,) = written(tmp_path)
    assert isinstance(event, Query)
    assert event.end_ns >= event.start_ns
    assert event == Query(
        start_ns=5,
        end_ns=event.end_ns,
        tid=77,
        errno=2,
        operation="lookup",
        ino=9,
        path="a\\xff",
    )


def test_queries_are_recorded_only_when_wanted(make: Make) -> None:
    assert not make().queries


def test_without_a_witness_nobody_looks(make: Make) -> None:
    assert make(None).look(os.getpid()) is None


def test_the_kernel_itself_is_not_looked_at(make: Make) -> None:
    witness = ProcWitness(os.uname().machine)
    recorder = make(witness)
    assert recorder.look(0) is None
    seen = recorder.look(os.getpid())
    assert seen is not None
    assert seen.pid == os.getpid()
    witness.close()


def test_contents_are_kept_only_when_wanted(make: Make, tmp_path: Path) -> None:
    assert make().contents(b"secret", 6) == (None, None)
    assert b"secret" not in (tmp_path / "rec" / JOURNAL).read_bytes()


def test_a_digest_alone_keeps_no_bytes(make: Make, tmp_path: Path) -> None:
    digest = hashlib.blake2b(b"page", digest_size=16).hexdigest()
    assert make(digests=True).contents(b"page, of which so much", 4) == (None, digest)
    assert not (tmp_path / "rec" / PAYLOAD).exists()


def test_of_the_bytes_written_no_copy_is_made(make: Make) -> None:
    recorder = make(payload=True, digests=True)
    data = bytes(1 << 20)
    tracemalloc.start()
    try:
        for result in (len(data), len(data) - 1):
            recorder.contents(data, result)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 64 << 10


@given(
    writes=st.lists(st.tuples(st.binary(max_size=64), st.integers(0, 64)), max_size=8),
    digests=st.booleans(),
)
def test_payload_offsets_lead_back_to_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[bytes, int]], digests: bool
) -> None:
    folder = tmp_path_factory.mktemp("payload") / "rec"
    journal = JournalWriter(folder, HEADER, payload=True, on_failure=pytest.fail)
    recorder = Recorder(journal, None, Wanted(payload=True, digests=digests))
    accepted = [(data, min(most, len(data))) for data, most in writes]
    kept = [recorder.contents(data, result) for data, result in accepted]
    journal.close(0, "terminated")
    raw = (folder / PAYLOAD).read_bytes()
    for (data, result), (offset, digest) in zip(accepted, kept, strict=True):
        assert offset is not None
        assert raw[offset : offset + result] == data[:result]
        hashed = hashlib.blake2b(data[:result], digest_size=16).hexdigest()
        assert digest == (hashed if digests else None)
    assert len(raw) == sum(result for _, result in accepted)
