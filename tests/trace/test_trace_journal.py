"""A trace read from a real journal."""

from pathlib import Path

from trace_support import Recording, pwrite

from tracefs.events import Read
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter
from tracefs.trace import Call, Trace


def written(folder: Path, recording: Recording) -> Path:
    writer = JournalWriter(folder, recording.header, on_failure=_fail)
    for event in recording.events:
        writer.event(event)
    writer.close(recording.clock, "unmounted")
    return folder


def _fail(reason: str) -> None:
    raise AssertionError(reason)


def sample() -> Recording:
    recording = Recording()
    recording.open()
    recording.write(pwrite(4096, 0), 0, 4096)
    recording.write(None, 4096, 4096)
    recording.add(Read, ino=77, fh=1, offset=0, size=4096, result=4096)
    recording.flush()
    recording.release()
    return recording


def test_a_whole_journal(tmp_path: Path) -> None:
    recording = sample()
    trace = Trace(JournalReader(written(tmp_path / "a.trace", recording)))
    assert list(trace.items()) == recording.items()
    summary = trace.summary()
    assert (summary.complete, summary.incomplete_because) == (True, None)
    assert (summary.calls, summary.unknown_calls) == (4, 1)
    assert trace.header == recording.header


def test_reads_count_for_nothing(tmp_path: Path) -> None:
    trace = Trace(JournalReader(written(tmp_path / "a.trace", sample())), reads=True)
    families = [item.family for item in trace.items() if isinstance(item, Call)]
    assert families == ["open", "write", "write", "read", "close"]
    assert (trace.calls, trace.unknown_calls) == (4, 1)


def test_a_torn_journal_says_so(tmp_path: Path) -> None:
    file = written(tmp_path / "a.trace", sample()) / "journal.jsonl"
    file.write_bytes(file.read_bytes()[:-40])
    trace = Trace(JournalReader(file))
    assert len(list(trace.items())) == 5
    summary = trace.summary()
    assert not summary.complete
    assert summary.incomplete_because is not None


def test_a_trace_that_was_not_read_to_its_end_is_incomplete(tmp_path: Path) -> None:
    trace = Trace(JournalReader(written(tmp_path / "a.trace", sample())))
    next(trace.items())
    summary = trace.summary()
    assert (summary.complete, summary.calls) == (False, 1)
    assert summary.incomplete_because == "not read to its end"
