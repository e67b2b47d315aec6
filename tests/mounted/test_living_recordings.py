"""One mount, many recordings: every line is in exactly one of them."""

import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from fault_support import ending, tracefs
from mounted_support import Guard, act, calls, journal

from tracefs.capture.living import LivingMount, Options
from tracefs.errors import RecordingError
from tracefs.events import Flush, Mark, Open, Release, Write
from tracefs.journal.payload import PayloadReader
from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Marked, Trace

T = TypeVar("T")

THREADS = 8
ROTATIONS = 200
PIECE = 16
WAYS = pytest.mark.parametrize("plain", ["", "loop,shortcut"])


@pytest.fixture
def base(tmp_path: Path, guard: Guard) -> Path:
    """Where recordings go; its directory "src" is to be traced."""
    (tmp_path / "src").mkdir()
    guard.watch(tmp_path / "src")
    return tmp_path


def begin(base: Path, **options: bool) -> LivingMount:
    return LivingMount.start(base / "src", base / "src", base / "r0", Options(**options))  # type: ignore[arg-type]


def recordings(base: Path) -> list[Path]:
    """Return those there are, in their order."""
    return sorted(base.glob("r*"), key=lambda path: int(path.name[1:]))


def piece(name: int, number: int) -> bytes:
    return b"%7d %7d\n" % (name, number)


def _write_and_rotate(base: Path, plain: str, payload: bool) -> dict[int, tuple[int, int]]:
    """Return by thread how many pieces it wrote, and into the file of which inode number."""
    os.environ["TRACEFS_PLAIN"] = plain
    written: dict[int, tuple[int, int]] = {}
    stop = threading.Event()

    def work(name: int) -> None:
        number = 0
        fd = -1
        while not stop.is_set():
            if number % 50 == 0:
                if number:
                    os.close(fd)
                fd = os.open(base / "src" / str(name), os.O_RDWR | os.O_CREAT)
            os.pwrite(fd, piece(name, number), number * PIECE)
            number += 1
        written[threading.get_native_id()] = number, os.fstat(fd).st_ino
        os.close(fd)

    with begin(base, payload=payload) as mount:
        threads = [threading.Thread(target=work, args=(name,)) for name in range(THREADS)]
        for thread in threads:
            thread.start()
        for number in range(1, ROTATIONS + 1):
            mount.begin(base / f"r{number}")
        stop.set()
        for thread in threads:
            thread.join()
    return written


@pytest.mark.parametrize(
    ("plain", "payload"),
    [("", False), ("", True), ("loop,shortcut", False)],
    ids=["shortcut", "payload", "plain"],
)
def test_while_eight_threads_write_each_line_is_in_one_recording(
    base: Path, plain: str, payload: bool
) -> None:
    written = act(base, _write_and_rotate, base, plain, payload)

    found = recordings(base)
    assert len(found) == ROTATIONS + 1
    offsets: dict[tuple[int, int], list[int]] = defaultdict(list)
    opens = []
    for recording in found:
        require_whole(recording, "unmounted" if recording == found[-1] else "rotated")
        for write in journal(recording, Write):
            assert (write.size, write.result) == (PIECE, PIECE)
            offsets[write.tid, write.ino].append(write.offset)
        opens += [opened.fh for opened in journal(recording, Open) if not opened.errno]
    assert len(written) == THREADS
    assert offsets == {
        (tid, ino): [number * PIECE for number in range(count)]
        for tid, (count, ino) in written.items()
    }
    assert len(opens) == len(set(opens)), "a number of an open came back"


def require_whole(recording: Path, reason: str) -> None:
    """Expect a footer that is right, whoever computes it."""
    end = ending(recording)
    assert end.complete, end.reason
    assert end.footer is not None
    assert end.footer.reason == reason
    *lines, _ = (recording / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert end.footer.sha256 == hashlib.sha256(b"".join(lines)).hexdigest()
    assert end.footer.events == len(lines) - 1


def _write_kept_bytes(base: Path) -> None:
    with begin(base, payload=True) as mount:
        for number in range(20):
            fd = os.open(base / "src" / "a", os.O_RDWR | os.O_CREAT)
            os.pwrite(fd, contents(number), 0)
            os.close(fd)
            mount.begin(base / f"r{number + 1}")


def contents(number: int) -> bytes:
    """Return more than what is written at once, and by a thread therefore."""
    return bytes([number + 1]) * (300_000 + number)


def test_each_recording_has_its_own_bytes(base: Path) -> None:
    act(base, _write_kept_bytes, base)
    for number, recording in enumerate(recordings(base)[:-1]):
        end = ending(recording)
        assert end.footer is not None
        payload = PayloadReader(recording)
        assert payload.difference(end.footer) is None
        parts = [payload.read(w.payload, w.result) for w in journal(recording, Write)]
        payload.close()
        assert b"".join(parts) == contents(number)


def _ask_in_turn(base: Path) -> list[str]:
    done = []
    with begin(base) as mount:
        fd = os.open(base / "src" / "a", os.O_RDWR | os.O_CREAT)
        for number in range(30):
            os.pwrite(fd, bytes(PIECE), number * PIECE)
            mount.mark(f"after {number}")
            done.append(f"r{number}")
            mount.begin(base / f"r{number + 1}")
        os.close(fd)
    return done


@WAYS
def test_what_a_thread_did_before_it_asked_is_before(
    base: Path, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEFS_PLAIN", plain)
    for number, name in enumerate(act(base, _ask_in_turn, base)):
        with JournalReader(base / name) as reader:
            events = [event for event in reader.events() if isinstance(event, Write | Mark)]
        write, mark = events
        assert isinstance(write, Write)
        assert isinstance(mark, Mark)
        assert write.offset == number * PIECE
        assert (mark.text, mark.tid) == (f"after {number}", write.tid)


def _mark(base: Path) -> None:
    with begin(base) as mount:
        mount.mark("")
        (base / "src" / "a").write_text("x")
        mount.mark("load\n\u2028 \x1b[31m" + "x" * 100_000)
        (base / "src" / "b").write_text("x")


def test_marks_are_in_a_trace_if_asked_for(base: Path) -> None:
    act(base, _mark, base)
    with JournalReader(base / "r0") as reader:
        names = [
            item.text[:4] if isinstance(item, Marked) else item.path
            for item in Trace(reader).marked()
            if isinstance(item, Marked) or (isinstance(item, Call) and item.family == "open")
        ]
    assert names == ["", "a", "load", "b"]
    with JournalReader(base / "r0") as reader:
        assert not [item for item in Trace(reader).items() if isinstance(item, Marked)]


def _use_in_the_next(base: Path) -> None:
    with begin(base) as mount:
        old = os.open(base / "src" / "old", os.O_RDWR | os.O_CREAT)
        os.pwrite(old, bytes(4096), 0)
        mount.begin(base / "r1")
        os.pwrite(old, bytes(4096), 4096)
        os.fdatasync(old)
        # The same file: what is not known of one open is not to be taken from another.
        new = os.open(base / "src" / "old", os.O_RDWR)
        os.pwrite(new, bytes(4096), 0)
        os.fdatasync(new)
        os.close(new)
        os.close(old)
        mount.begin(base / "r2")


def test_of_an_open_from_before_nothing_is_claimed(base: Path) -> None:
    act(base, _use_in_the_next, base)
    require_whole(base / "r1", "rotated")
    assert [(call.call, call.path) for call in calls(base / "r1")] == [
        ("pwrite64", None),
        ("fdatasync", None),
        ("openat", "old"),
        ("pwrite64", "old"),
        ("fdatasync", "old"),
        ("close", "old"),
        ("close", None),
    ]
    reasons = {call.reason for call in calls(base / "r1") if call.path is None}
    assert reasons == {"the open is not in the journal"}
    # Nothing is wrong with it, but that is not known.
    judged = tracefs("check", base / "r1")
    assert judged.returncode == 4, judged.stdout
    assert "Expected to see the open" in judged.stdout
    assert [call.call for call in calls(base / "r0")] == ["openat", "pwrite64"]


def _begin_beside_a_way_past(base: Path) -> None:
    past = os.open(base / "src" / "log", os.O_WRONLY | os.O_CREAT)
    with begin(base) as mount:
        through = os.open(base / "src" / "a", os.O_WRONLY | os.O_CREAT)
        mount.begin(base / "r1")
        os.write(past, b"unseen")
        os.close(past)
        mount.begin(base / "r2")
        os.close(through)


def test_each_recording_says_what_leads_past_it(base: Path) -> None:
    act(base, _begin_beside_a_way_past, base)
    found = []
    for recording in recordings(base):
        with JournalReader(recording) as reader:
            found.append(len(reader.header.bypassed_by))
    assert found == [1, 1, 0]


def _release_in_the_next(base: Path) -> None:
    with begin(base) as mount:
        fd = os.open(base / "src" / "a", os.O_RDWR | os.O_CREAT)
        mount.begin(base / "r1")
        os.close(fd)
        mount.begin(base / "r2")


def test_a_release_in_a_later_recording_is_harmless(base: Path) -> None:
    act(base, _release_in_the_next, base)
    assert len(journal(base / "r1", Flush)) == len(journal(base / "r1", Release)) == 1
    (call,) = calls(base / "r1")
    assert (call.call, call.path, call.reason) == ("close", None, "the open is not in the journal")
    assert tracefs("check", base / "r1").returncode == 4
    assert not journal(base / "r2", Release)


def _settle(base: Path) -> Iterator[tuple[int, int, int]]:
    def told() -> tuple[int, int, int]:
        settled = mount.settle()
        assert settled.failed is None
        return settled.opens, settled.closed, len(journal(base / "r0", Release))

    with begin(base) as mount:
        yield told()
        fds = [os.open(base / "src" / str(number), os.O_CREAT) for number in range(30)]
        yield told()
        other = os.dup(fds[0])
        os.close(fds[0])
        yield told()
        os.close(other)
        yield told()
        for fd in fds[1:]:
            os.close(fd)
        yield told()


def _told(base: Path) -> list[tuple[int, int, int]]:
    return list(_settle(base))


@WAYS
def test_all_that_was_done_can_be_read_once_it_settled(
    base: Path, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEFS_PLAIN", plain)
    assert act(base, _told, base) == [
        (0, 0, 0),
        (30, 0, 0),
        (30, 1, 0),
        (29, 0, 1),
        (0, 0, 30),
    ]


def _settle_kept_bytes(base: Path) -> bool:
    with begin(base, payload=True) as mount:
        (base / "src" / "a").write_bytes(bytes(1 << 20) * 7)
        mount.settle()
        kept = (base / "r0" / "payload.bin").stat().st_size
    return kept == 7 << 20


def test_kept_bytes_are_there_once_it_settled(base: Path) -> None:
    assert act(base, _settle_kept_bytes, base)


def refused(call: Callable[[], object]) -> str:
    try:
        call()
    except RecordingError as error:
        return str(error)
    raise AssertionError("it was done")


def _begin_where_it_cannot_be(base: Path) -> list[str]:
    (base / "full").mkdir()
    (base / "full" / "notes").write_text("mine")
    (base / "src" / "sub").mkdir()
    (base / "link").symlink_to(base / "src" / "sub")
    with begin(base) as mount:
        (base / "src" / "a").write_text("before")
        said = [
            refused(lambda: mount.begin(base / "full")),
            refused(lambda: mount.begin(base / "missing" / "r1")),
            refused(lambda: mount.begin(base / "src" / "r1")),
            refused(lambda: mount.begin(base / "link" / "r1")),
        ]
        (base / "src" / "b").write_text("after")
    return said


def test_a_recording_that_cannot_begin_leaves_the_one_so_far(base: Path) -> None:
    full, missing, *inside = act(base, _begin_where_it_cannot_be, base)
    assert full.endswith("it exists and is not empty")
    assert missing.endswith("No such file or directory")
    assert all(said.endswith("would lie inside the traced directory") for said in inside)
    assert [call.path for call in calls(base / "r0", "open")] == ["a", "b"]
    require_whole(base / "r0", "unmounted")


def _fill(base: Path) -> tuple[str | None, str | None]:
    with begin(base) as mount:
        # Where it is written to is gone: seen every 1024 lines, and at the end.
        os.unlink(base / "r0" / "journal.jsonl")
        former = mount.begin(base / "r1")
        (base / "src" / "a").write_text("x")
        return former.failed, mount.settle().failed


def test_a_recording_that_failed_does_not_spoil_the_next(base: Path) -> None:
    assert act(base, _fill, base) == ("journal.jsonl: it was deleted", None)
    require_whole(base / "r1", "unmounted")
    assert calls(base / "r1", "write")


def _elsewhere(base: Path) -> None:
    (base / "mnt").mkdir()
    with LivingMount.start(base / "src", base / "mnt", base / "r0") as mount:
        (base / "mnt" / "a").write_text("x")
        mount.begin(base / "r1")
        (base / "mnt" / "b").write_text("x")


def test_it_can_be_mounted_elsewhere(base: Path, guard: Guard) -> None:
    guard.watch(base / "mnt")
    act(base, _elsewhere, base)
    names = [[call.path for call in calls(base / name, "open")] for name in ("r0", "r1")]
    assert names == [["a"], ["b"]]
