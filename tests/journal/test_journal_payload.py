"""The side file: bytes in order, in the background, with every failure said and nothing made up."""

import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import HEADER, PAGE_WRITE, record, unexpected

from tracefs.errors import RecordingError
from tracefs.journal import _spool
from tracefs.journal.payload import (
    MOST_HELD,
    PayloadReader,
    PayloadWriter,
    PlainSpool,
    Spool,
    SpoolType,
)
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter

MIB: Final = 1 << 20
LARGE: Final = (16 << 10) + 1
"""Bytes that are left to the thread."""
SPOOLS: Final[list[type[SpoolType]]] = [_spool.Spool, PlainSpool]
both = pytest.mark.parametrize("spool", SPOOLS, ids=["thread", "plain"])


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC)


class Pipe:
    """A file that takes bytes only as they are read: a write of more than it holds waits."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC)

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            more = os.read(self.read_end, size - len(found))
            assert more
            found += more
        return found

    def close(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_the_one_with_a_thread_is_used() -> None:
    assert Spool is _spool.Spool


@both
@given(sizes=st.lists(st.sampled_from([0, 1, 4096, LARGE - 1, LARGE, 1 << 17]), max_size=30))
def test_bytes_are_kept_in_order(
    tmp_path_factory: pytest.TempPathFactory, spool: type[SpoolType], sizes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("spool") / "payload.bin"
    writer = PayloadWriter(opened(path), spool)
    wanted = b""
    for number, size in enumerate(sizes):
        data = bytes([number]) * size
        # More than is to be kept: a write that was short.
        assert writer.keep(data + b"not written", size) == len(wanted)
        wanted += data
    whole = writer.finish()
    writer.close()
    assert path.read_bytes() == wanted
    assert (whole.size, whole.sha256) == (len(wanted), hashlib.sha256(wanted).hexdigest())


@both
def test_no_more_bytes_than_there_are(spool: type[SpoolType], tmp_path: Path) -> None:
    fd = opened(tmp_path / "f")
    kept = spool(fd, MIB)
    if spool is _spool.Spool:
        for length in (-1, 4):
            with pytest.raises(ValueError, match="there are not so many bytes"):
                kept.add(b"abc", length)
        with pytest.raises(TypeError):
            kept.add(bytearray(b"abc"), 3)  # type: ignore[arg-type]
    assert kept.add(b"abc", 3) == 0
    assert kept.finish() == 0
    assert (tmp_path / "f").read_bytes() == b"abc"
    os.close(fd)


def test_a_large_piece_is_not_waited_for_and_not_copied(pipe: Pipe) -> None:
    data = os.urandom(MIB)
    references = sys.getrefcount(data)
    spool = _spool.Spool(pipe.write_end, 4 * MIB)
    # Nobody reads yet, so a write would wait for ever.
    assert spool.add(data, len(data)) == 0
    assert spool.add(b"small", 5) == 0
    assert sys.getrefcount(data) == references + 1
    assert pipe.read(MIB + 5) == data + b"small"
    assert spool.finish() == 0
    assert sys.getrefcount(data) == references


def test_when_it_is_full_whoever_has_more_waits_and_nothing_is_lost(pipe: Pipe) -> None:
    pieces = [bytes([number]) * MIB for number in range(5)]
    spool = _spool.Spool(pipe.write_end, 2 * MIB + 1000)
    added: list[int] = []

    def add() -> None:
        added.extend(spool.add(piece, MIB) for piece in pieces)

    adding = threading.Thread(target=add)
    adding.start()
    assert pipe.read(MIB) == pieces[0]
    # One is written, two are held: the last can't have been taken.
    assert len(added) < len(pieces)
    assert [pipe.read(MIB) for _ in pieces[1:]] == pieces[1:]
    adding.join()
    assert (added, spool.finish()) == ([0] * len(pieces), 0)


def test_a_piece_larger_than_what_may_be_held_is_taken_alone(tmp_path: Path) -> None:
    fd = opened(tmp_path / "f")
    spool = _spool.Spool(fd, 1)
    assert [spool.add(bytes(LARGE), LARGE) for _ in range(3)] == [0] * 3
    assert spool.finish() == 0
    assert (tmp_path / "f").stat().st_size == 3 * LARGE
    os.close(fd)


@both
@pytest.mark.parametrize("size", [10, LARGE])
def test_a_failure_is_told_from_then_on(spool: type[SpoolType], size: int) -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    kept = spool(fd, MIB)
    kept.add(bytes(size), size)
    assert kept.finish() == errno.ENOSPC
    assert kept.error() == errno.ENOSPC
    assert kept.add(b"more", 4) == errno.ENOSPC
    os.close(fd)


@both
def test_after_a_failure_nothing_is_written(spool: type[SpoolType]) -> None:
    # As one message, the first is too long (unix(7)) and the others aren't.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        kept = spool(ours.fileno(), 32 * MIB)
        for size in (16 * MIB, LARGE, 5):
            kept.add(bytes(size), size)
        assert kept.finish() == errno.EMSGSIZE
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(1) == b""


@both
def test_what_is_dropped_is_written_to_no_other_file(
    spool: type[SpoolType], tmp_path: Path
) -> None:
    threads = len(os.listdir("/proc/self/task"))
    writer = PayloadWriter(opened(tmp_path / "payload.bin"), spool)
    for _ in range(4):
        writer.keep(bytes(MIB), MIB)
    number = writer.fd
    writer.close()
    assert len(os.listdir("/proc/self/task")) == threads
    fd = opened(tmp_path / "other")
    assert fd == number
    os.close(fd)
    assert (tmp_path / "other").stat().st_size == 0
    assert (tmp_path / "payload.bin").stat().st_size % MIB == 0


def test_a_spool_that_nobody_holds_any_longer_leaves_no_thread(tmp_path: Path) -> None:
    threads = len(os.listdir("/proc/self/task"))
    fd = opened(tmp_path / "f")
    for _ in range(20):
        _spool.Spool(fd, MIB).add(bytes(LARGE), LARGE)
    assert len(os.listdir("/proc/self/task")) == threads
    os.close(fd)


# The stack of a thread doesn't fit into the address space.
NO_THREAD = """
import os, resource, sys
from tracefs.journal._spool import Spool
data = bytes(1 << 20)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size, size))
spool = Spool(int(sys.argv[1]), 1 << 20)
print([spool.add(data, len(data)) for _ in range(3)], spool.finish())
print(len(os.listdir("/proc/self/task")))
"""


def test_without_a_thread_bytes_are_written_at_once(tmp_path: Path) -> None:
    fd = opened(tmp_path / "f")
    done = subprocess.run(
        [sys.executable, "-c", NO_THREAD, str(fd)],
        pass_fds=[fd], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[0, 0, 0] 0\n1\n", "")
    assert (tmp_path / "f").stat().st_size == 3 * MIB
    os.close(fd)


# -- in a recording


def started(folder: Path, on_failure: Callable[[str], None] = unexpected) -> JournalWriter:
    return JournalWriter(folder, HEADER, payload=True, on_failure=on_failure)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    writer = started(tmp_path / "a.trace")
    for size in (3, LARGE, 5):
        writer.payload(b"x" * size)
    writer.close(end_ns=1, reason="unmounted")
    return tmp_path / "a.trace"


def said_of(recording: Path) -> str | None:
    with JournalReader(recording) as reader:
        list(reader.events())
        assert reader.ending.complete
        footer = reader.ending.footer
    assert footer is not None
    kept = PayloadReader(recording)
    try:
        return kept.difference(footer)
    finally:
        kept.close()


def test_the_footer_vouches_for_every_byte(recording: Path) -> None:
    payload = recording / "payload.bin"
    data = payload.read_bytes()
    assert said_of(recording) is None
    payload.write_bytes(data[:-1] + b"y")
    assert said_of(recording) == "the footer's hash of payload.bin doesn't match: it was changed"
    for wrong in (data[:-1], data + b"x", b""):
        payload.write_bytes(wrong)
        assert (
            said_of(recording) == f"payload.bin has {len(wrong)} bytes, the footer says {len(data)}"
        )


def test_without_bytes_the_footer_says_nothing_of_them(tmp_path: Path) -> None:
    record(tmp_path / "a.trace", PAGE_WRITE)
    (tmp_path / "a.trace" / "payload.bin").write_bytes(b"of somebody else")
    assert said_of(tmp_path / "a.trace") == "the footer says nothing of payload.bin"


def test_a_side_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="has no bytes to replay"):
        PayloadReader(tmp_path)
    os.mkfifo(tmp_path / "payload.bin")
    with pytest.raises(RecordingError, match="is no regular file"):
        PayloadReader(tmp_path)


def test_bytes_that_others_put_into_the_side_file_are_noticed(tmp_path: Path) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons.append)
    writer.payload(b"abc")
    with (tmp_path / "a.trace" / "payload.bin").open("ab") as file:
        file.write(b"z")
    writer.close(end_ns=1, reason="unmounted")
    assert reasons == ["payload.bin: it has 4 bytes instead of 3"]


def test_bytes_that_fail_after_their_line_end_the_recording_at_the_next(tmp_path: Path) -> None:
    reasons: list[str] = []
    writer = started(tmp_path / "a.trace", reasons.append)
    assert writer._payload is not None
    read_end, write_end = os.pipe()
    os.dup2(write_end, writer._payload.fd)
    os.close(write_end)
    assert writer.payload(bytes(MIB)) == 0
    # The thread is in the write, or comes to it: it fails once nobody is to read.
    os.read(read_end, 1)
    writer.event(PAGE_WRITE[1])
    assert not reasons
    os.close(read_end)
    while not reasons:
        writer.event(PAGE_WRITE[1])
    writer.close(end_ns=1, reason="unmounted")
    assert reasons == ["payload.bin: Broken pipe"]
    with JournalReader(tmp_path / "a.trace") as reader:
        assert list(reader.events())
        assert not reader.ending.complete


def test_the_end_waits_for_the_bytes(tmp_path: Path) -> None:
    writer = started(tmp_path / "a.trace")
    pieces = [bytes([number]) * MIB for number in range(2 * MOST_HELD // MIB)]
    assert [writer.payload(piece) for piece in pieces] == [n * MIB for n in range(len(pieces))]
    writer.close(end_ns=1, reason="unmounted")
    assert (tmp_path / "a.trace" / "payload.bin").read_bytes() == b"".join(pieces)
    assert said_of(tmp_path / "a.trace") is None


# The journal's disk has room for some, and no more.
FILL = """
import resource, sys
from pathlib import Path
from journal_samples import HEADER, PAGE_WRITE
from tracefs.journal.writer import JournalWriter
reasons = []
writer = JournalWriter(Path(sys.argv[1]), HEADER, payload=True, on_failure=reasons.append)
resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, resource.RLIM_INFINITY))
offsets = []
for number in range(64):
    offsets.append(writer.payload(bytes([number]) * (1 << 20)))
    writer.event(PAGE_WRITE[1])
writer.close(1, "unmounted")
print(reasons, writer.failed)
print(offsets[:6], offsets[-1])
"""


def run(text: str, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    command = [sys.executable, "-c", text, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_a_limit_in_the_middle_of_a_piece_ends_the_recording(tmp_path: Path) -> None:
    done = run(FILL, tmp_path / "a.trace").stdout.splitlines()
    why = "payload.bin: File too large"
    assert done[0] == f"['{why}'] {why}"
    assert done[1].endswith("] None")
    data = (tmp_path / "a.trace" / "payload.bin").read_bytes()
    assert data == b"".join(bytes([number]) * MIB for number in range(5))
    with JournalReader(tmp_path / "a.trace") as reader:
        list(reader.events())
        assert reader.ending.footer is None


KEEP_ON = """
import itertools, os, sys
from pathlib import Path
from journal_samples import HEADER, unexpected
from tracefs.journal.writer import JournalWriter
writer = JournalWriter(Path(sys.argv[1]), HEADER, payload=True, on_failure=unexpected)
for number in itertools.count():
    writer.payload(number.to_bytes(8, "little") * (1 << (10 + number % 8)))
    os.write(1, b".")
"""


def test_sigkill_leaves_a_beginning_and_nothing_else(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    command = [sys.executable, "-c", KEEP_ON, str(tmp_path / "a.trace")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read(500)
        child.send_signal(signal.SIGKILL)
    data = (tmp_path / "a.trace" / "payload.bin").read_bytes()
    assert len(data) > MIB
    place = number = 0
    while place < len(data):
        piece = number.to_bytes(8, "little") * (1 << (10 + number % 8))
        found = data[place : place + len(piece)]
        assert found == piece[: len(found)]
        place, number = place + len(piece), number + 1
