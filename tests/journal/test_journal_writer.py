import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from journal_samples import HEADER, PAGE_WRITE, record, unexpected

from tracefs.errors import RecordingError
from tracefs.events import Sighting, Statfs
from tracefs.journal import lock
from tracefs.journal.format import decode_line, encode
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import CHECK_EVERY, JournalWriter

WRITE = PAGE_WRITE[1]
CHILD = Path(__file__).parent / "journal_child.py"


def started(folder: Path, reasons: list[str], *, payload: bool = False) -> JournalWriter:
    return JournalWriter(folder, HEADER, payload=payload, on_failure=reasons.append)


def run_child(*arguments: str, before: tuple[str, ...] = ()) -> dict[str, object]:
    """Run journal_child.py and return what it reports."""
    command = [*before, sys.executable, str(CHILD), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_the_files_are_private(tmp_path: Path) -> None:
    record(tmp_path / "a.trace", PAGE_WRITE, payload=True)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "a.trace", *(tmp_path / "a.trace").iterdir())
    }
    assert modes == {"a.trace": 0o700, "journal.jsonl": 0o600, "payload.bin": 0o600}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    record(tmp_path, PAGE_WRITE)
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(RecordingError, match=r"it exists and is not empty"):
        started(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


@pytest.mark.parametrize(
    ("name", "why"), [("missing/a.trace", "No such file"), ("file", "Not a directory")]
)
def test_a_folder_that_cannot_be_made_is_one_clear_line(
    tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=why) as caught:
        started(tmp_path / name, [])
    assert "\n" not in str(caught.value)


def test_a_recording_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot record into"):
        JournalWriter(
            tmp_path / "a.trace",
            msgspec.structs.replace(HEADER, source="\udc80"),
            payload=True,
            on_failure=unexpected,
        )
    assert not list(tmp_path.iterdir())


def test_each_event_is_one_write(tmp_path: Path) -> None:
    # A pipe in packet mode (pipe(7), O_DIRECT) gives back one write with each read.
    writer = started(tmp_path / "a.trace", [])
    read_end, write_end = os.pipe2(os.O_DIRECT)
    os.dup2(write_end, writer.descriptor)
    for event in PAGE_WRITE:
        writer.event(event)
        assert os.read(read_end, 4096) == encode(event) + b"\n"
    os.close(read_end)
    os.close(write_end)
    writer._close_files()


def test_the_footer_counts_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    writer = started(tmp_path / "a.trace", [])
    for event in PAGE_WRITE:
        writer.event(event)
    writer.close(end_ns=7, reason="unmounted")
    written = (tmp_path / "a.trace" / "journal.jsonl").read_bytes()
    writer.close(end_ns=8, reason="terminated")
    writer.event(WRITE)
    assert (tmp_path / "a.trace" / "journal.jsonl").read_bytes() == written
    footer = decode_line(written.splitlines()[-1])
    assert getattr(footer, "events", None) == writer.events == len(PAGE_WRITE)
    assert getattr(footer, "end_ns", None) == 7
    assert writer.failed is None


def test_the_journal_is_locked_while_it_is_written(tmp_path: Path) -> None:
    writer = started(tmp_path / "a.trace", [])
    with (tmp_path / "a.trace" / "journal.jsonl").open("rb") as journal:
        assert lock.is_held(journal.fileno())
        assert not lock.take(journal.fileno())
        writer.close(end_ns=1, reason="unmounted")
        assert not lock.is_held(journal.fileno())
        assert lock.take(journal.fileno())


def test_no_descriptor_reaches_another_program(tmp_path: Path) -> None:
    writer = started(tmp_path / "a.trace", [], payload=True)
    assert not os.get_inheritable(writer.descriptor)
    assert writer._payload is not None
    assert not os.get_inheritable(writer._payload.fd)
    writer.close(end_ns=1, reason="unmounted")


def test_payload_goes_to_the_side_file(tmp_path: Path) -> None:
    writer = started(tmp_path / "a.trace", [], payload=True)
    assert [writer.payload(data) for data in (b"abc", b"", b"de")] == [0, 3, 3]
    writer.close(end_ns=1, reason="unmounted")
    assert (tmp_path / "a.trace" / "payload.bin").read_bytes() == b"abcde"
    assert writer.payload(b"late") is None


def test_no_payload_is_kept_unless_asked(tmp_path: Path) -> None:
    writer = started(tmp_path / "a.trace", [])
    assert writer.payload(b"secret") is None
    writer.close(end_ns=1, reason="unmounted")
    assert not (tmp_path / "a.trace" / "payload.bin").exists()


def break_by_full_device(descriptor: int) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, descriptor)
    os.close(full)


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [(break_by_full_device, "No space left on device"), (os.close, "Bad file descriptor")],
)
def test_a_write_that_fails_ends_journalling(
    tmp_path: Path, break_it: Callable[[int], None], reason: str
) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons)
    writer.event(WRITE)
    break_it(writer.descriptor)
    for event in PAGE_WRITE:
        writer.event(event)
    writer.close(end_ns=1, reason="unmounted")
    assert reasons == [f"journal.jsonl: {reason}"]
    assert writer.failed == reasons[0]
    assert writer.events == 1
    with JournalReader(tmp_path / "a.trace") as reader:
        assert list(reader.events()) == [WRITE]
        assert reader.ending.footer is None


def test_a_footer_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons)
    break_by_full_device(writer.descriptor)
    # The link count of a device says nothing; only the write fails.
    writer.close(end_ns=1, reason="unmounted")
    assert reasons == ["journal.jsonl: No space left on device"]


def test_payload_that_fails_ends_journalling_before_its_line(tmp_path: Path) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons, payload=True)
    assert writer._payload is not None
    break_by_full_device(writer._payload.fd)
    assert writer.payload(b"data") is None
    writer.event(WRITE)
    writer.close(end_ns=1, reason="unmounted")
    assert reasons == ["payload.bin: No space left on device"]
    assert len((tmp_path / "a.trace" / "journal.jsonl").read_bytes().splitlines()) == 1


@pytest.mark.parametrize(
    "event",
    [
        Statfs(start_ns="\udc80", end_ns=0, tid=0),  # type: ignore[arg-type]
        Statfs(start_ns=Sighting, end_ns=0, tid=0),  # type: ignore[arg-type]
    ],
    ids=["a lone surrogate", "no JSON"],
)
def test_an_event_that_cannot_be_written_is_not_left_out_in_silence(
    tmp_path: Path, event: Statfs
) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons)
    writer.event(event)
    writer.event(WRITE)
    writer.close(end_ns=1, reason="unmounted")
    assert len(reasons) == 1
    assert "an event can't be written" in reasons[0]
    with JournalReader(tmp_path / "a.trace") as reader:
        assert list(reader.events()) == []
        assert not reader.ending.complete


@pytest.mark.parametrize("file", ["journal.jsonl", "payload.bin"])
def test_a_deleted_file_is_noticed_while_recording(tmp_path: Path, file: str) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons, payload=True)
    (tmp_path / "a.trace" / file).unlink()
    for _ in range(CHECK_EVERY - 1):
        writer.event(WRITE)
    assert not reasons
    writer.event(WRITE)
    assert reasons == [f"{file}: it was deleted"]


def test_a_deleted_journal_is_noticed_at_the_end(tmp_path: Path) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons)
    (tmp_path / "a.trace" / "journal.jsonl").unlink()
    writer.close(end_ns=1, reason="unmounted")
    assert reasons == ["journal.jsonl: it was deleted"]


def test_a_full_filesystem_leaves_a_prefix_and_no_footer(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@"'
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    namespace = ("unshare", "--mount", *user, "sh", "-ec", script, "sh", str(tmp_path / "disk"))
    report = run_child("fill", str(tmp_path / "disk" / "a.trace"), before=namespace)
    check_prefix(report)


def test_a_file_size_limit_leaves_a_prefix_and_no_footer(tmp_path: Path) -> None:
    check_prefix(run_child("limit", str(tmp_path / "a.trace")))


def check_prefix(report: dict[str, object]) -> None:
    """Every event that was accepted is read, and journalling stopped once, for good."""
    assert report["reasons"] == [report["failed"]]
    assert report["accepted"] == report["read"]
    assert isinstance(report["accepted"], int)
    assert report["accepted"] > 100
    assert report["size"] == report["size_after_space_was_freed"]
    assert report["complete"] is False
    assert "\n" not in str(report["failed"])


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(CHILD), "acknowledge", str(tmp_path / "a.trace")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        acknowledged = child.stdout.read(5000)
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.read()
    assert child.returncode == -signal.SIGKILL
    with JournalReader(tmp_path / "a.trace") as reader:
        offsets = [getattr(event, "offset", None) for event in reader.events()]
        assert not reader.ending.complete
    # At most the one event that was being acknowledged is in the journal beyond them.
    assert len(acknowledged) <= len(offsets) <= len(acknowledged) + 1
    assert offsets == [number * 4096 for number in range(len(offsets))]
