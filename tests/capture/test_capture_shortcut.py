"""Requests answered in C: what they do, the line they leave, and what is left to Python."""

import errno
import fcntl
import os
import resource
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracefs.capture.request import shortcut, shortcut_faults, shortcut_open

# isort: split
from tracefs.capture._request import answer
from tracefs.capture.inodes import Node, Openable
from tracefs.capture.operations.handlers import OpenFile
from tracefs.events import (
    FORMAT,
    VERSION,
    AnyEvent,
    Flush,
    Fsync,
    Header,
    Open,
    Release,
    Sighting,
    Write,
)
from tracefs.journal.format import JOURNAL, decode_event, encode
from tracefs.journal.writer import JournalWriter
from tracefs.witness.procfs import NO_FD

# linux/fuse.h: struct fuse_in_header, _write_in, _fsync_in, _flush_in, _release_in, _out_header.
IN_HEADER: Final = struct.Struct("=IIQQIIIHH")
WRITE_IN: Final = struct.Struct("=QQIIQII")
FSYNC_IN: Final = struct.Struct("=QII")
FLUSH_IN: Final = struct.Struct("=QIIQ")
RELEASE_IN: Final = struct.Struct("=QIIQ")
OUT_HEADER: Final = struct.Struct("=IiQ")
OPEN_IN: Final = struct.Struct("=II")
OPEN_OUT: Final = struct.Struct("=QII")
OPEN, WRITE, RELEASE, FSYNC, FLUSH, GETATTR = 14, 16, 18, 20, 25, 3
CACHE, KILL_SUIDGID, FDATASYNC = 1, 4, 1

FH, TID, PID, INO, UNIQUE = 9, 4711, 4700, 77, 1 << 40
FD, KEPT = 3, 5
"""A number of a descriptor that is looked at, and one whose fdinfo is not kept."""
HEADER: Final = Header(
    format=FORMAT, version=VERSION, tool="tracefs test", source="data",
    started="2026-01-01T00:00:00+00:00", start_ns=0, clock="CLOCK_MONOTONIC", kernel="6.18",
    machine="x86_64", mode="cached", page_size=4096, block_size=4096, witness="proc",
    command=None, operations=(),
)  # fmt: skip
ROOT: Final = Node(1, (1, 1, 0))


class Lane:
    """A file that is open, a caller whose ``/proc`` files are plain ones, and a journal."""

    def __init__(self, folder: Path) -> None:
        self.failures: list[str] = []
        self.journal = JournalWriter(
            folder / "r.trace", HEADER, shared=True, on_failure=self.failures.append
        )
        self.journal_path = folder / "r.trace" / JOURNAL
        self.pages = folder / "pages"
        self.kernel, self.device = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.kernel.setblocking(False)
        self.proc = [
            os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("syscall", "comm", "fdinfo")
        ]
        self.caller(b"18 0x3 0x7f 0x1000 0x2000 0x0 0x0 0x7ffd00000000 0x7f0100000000\n")
        node = Node(INO, (1, 2, 0))
        node.parent = ROOT
        fd = os.open(self.pages, os.O_RDWR | os.O_CREAT)
        self.opened = OpenFile(FH, fd, node, os.O_RDWR, in_memory=True)
        self.opened.closed = True
        self.files = {FH: self.opened}
        syscall, comm, fdinfo = self.proc
        self.threads = {TID: (PID, syscall, comm, {FD: fdinfo})}
        descriptors = bytes([NO_FD if nr == 99 else 0 for nr in range(100)])
        shortcut(self.files, self.threads, descriptors, self.journal, 4)
        self.node = node
        self.pinned = os.open(self.pages, os.O_PATH)
        self.openable = {INO: Openable(node, self.pinned, b'"caf\xc3\xa9"')}
        self.noted: list[tuple[int, Node, int]] = []
        shortcut_open(self.openable, self.note, os.O_SYNC | os.O_APPEND, False)

    def note(self, fd: int, node: Node, flags: int) -> int:
        """Take note of an open."""
        self.noted.append((fd, node, flags))
        return 10

    def caller(
        self,
        call: bytes | None = None,
        comm: bytes = b"pager\n",
        fdinfo: bytes = b"pos:\t8192\nflags:\t0100002\nmnt_id:\t31\nino:\t77\n",
    ) -> None:
        """Let the caller be held in *call*, known as *comm*, with a descriptor as *fdinfo*."""
        for file, text in zip(self.proc, (call, comm, fdinfo), strict=True):
            if text is not None:
                os.ftruncate(file, 0)
                os.pwrite(file, text, 0)

    def ask(self, opcode: int, body: bytes, *, tid: int = TID, uid: int = 0) -> bool:
        """Send a request; return whether it was answered."""
        size = IN_HEADER.size + len(body)
        request = IN_HEADER.pack(size, opcode, UNIQUE, INO, uid, 0, tid, 0, 0) + body
        return answer(self.device.fileno(), request)

    def write(self, data: bytes, offset: int = 0, flags: int = KILL_SUIDGID, **more: Any) -> bool:
        return self.ask(WRITE, WRITE_IN.pack(FH, offset, len(data), flags, 0, 0, 0) + data, **more)

    def replied(self) -> tuple[int, int, bytes]:
        """Error number, unique number and the rest of the reply."""
        message = self.kernel.recv(1000)
        length, error, unique = OUT_HEADER.unpack_from(message)
        assert length == len(message)
        return -error, unique, message[OUT_HEADER.size :]

    def is_silent(self) -> bool:
        """Nothing was replied, recorded or written."""
        with pytest.raises(BlockingIOError):
            self.kernel.recv(1000)
        return not self.lines() and not self.pages.stat().st_size

    def lines(self) -> list[bytes]:
        return self.journal_path.read_bytes().splitlines()[1:]

    def close(self) -> None:
        shortcut()
        for file in self.proc:
            os.close(file)
        self.kernel.close()
        self.device.close()
        os.close(self.pinned)
        for fd, _, _ in self.noted:
            os.close(fd)
        if FH in self.files:
            os.close(self.opened.fd)
        self.journal.close(1, "unmounted")


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    # With FUSE_HANDLE_KILLPRIV_V2 the kernel says itself when set-id bits must go; without, as in
    # this process, root's writes clear none.
    made = Lane(tmp_path)
    yield made
    made.close()


SEEN: Final = Sighting(
    nr=18,
    args=(3, 127, 4096, 8192, 0, 0),
    pid=PID,
    comm="pager",
    fd=FD,
    position=8192,
    fd_flags=0o100002,
    fd_ino=77,
)


def is_as_python_writes(line: bytes, expected: AnyEvent) -> bool:
    """The line is what the journal's own encoder makes of *expected*, but for the times."""
    event = decode_event(line)
    assert 0 < event.start_ns <= event.end_ns
    timed = msgspec.structs.replace(expected, start_ns=event.start_ns, end_ns=event.end_ns)
    return line == encode(timed)


def test_a_write_is_done_recorded_and_answered(lane: Lane) -> None:
    assert lane.write(b"x" * 4096, 8192)
    assert lane.pages.read_bytes() == bytes(8192) + b"x" * 4096
    assert lane.replied() == (0, UNIQUE, struct.pack("=II", 4096, 0))
    expected = Write(
        start_ns=0, end_ns=0, tid=TID, errno=0, ino=INO, fh=FH, offset=8192, size=4096,
        result=4096, seen=SEEN,
    )  # fmt: skip
    (line,) = lane.lines()
    assert is_as_python_writes(line, expected)
    assert lane.opened.closed is False


@pytest.mark.parametrize("datasync", [True, False])
def test_a_sync_in_memory(lane: Lane, datasync: bool) -> None:
    assert lane.ask(FSYNC, FSYNC_IN.pack(FH, FDATASYNC if datasync else 0, 0))
    assert lane.replied() == (0, UNIQUE, b"")
    expected = Fsync(
        start_ns=0, end_ns=0, tid=TID, errno=0, ino=INO, fh=FH, datasync=datasync, seen=SEEN
    )
    (line,) = lane.lines()
    assert is_as_python_writes(line, expected)
    assert lane.opened.closed is False


def test_a_flush_looks_at_nobody(lane: Lane) -> None:
    lane.threads.clear()
    lane.opened.closed = False
    assert lane.ask(FLUSH, FLUSH_IN.pack(FH, 0, 0, 0))
    assert lane.replied() == (0, UNIQUE, b"")
    (line,) = lane.lines()
    assert is_as_python_writes(line, Flush(start_ns=0, end_ns=0, tid=TID, errno=0, ino=INO, fh=FH))
    assert lane.opened.closed is True


def test_a_release_closes_the_file(lane: Lane) -> None:
    assert lane.ask(RELEASE, RELEASE_IN.pack(FH, 0, 0, 0), tid=0)
    assert lane.replied() == (0, UNIQUE, b"")
    (line,) = lane.lines()
    assert is_as_python_writes(line, Release(start_ns=0, end_ns=0, tid=0, errno=0, ino=INO, fh=FH))
    assert lane.files == {}
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(lane.opened.fd)


def test_a_close_that_fails_is_recorded_as_one(lane: Lane) -> None:
    os.close(lane.opened.fd)
    assert lane.ask(RELEASE, RELEASE_IN.pack(FH, 0, 0, 0))
    assert lane.replied() == (0, UNIQUE, b"")
    (line,) = lane.lines()
    expected = Release(start_ns=0, end_ns=0, tid=TID, errno=errno.EBADF, ino=INO, fh=FH)
    assert is_as_python_writes(line, expected)


FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_SYNC
OPENAT: Final = b"99 0xffffff9c 0x7f 0x2 0x0 0x0 0x0 0x7ffd00000000 0x7f0100000000\n"


@pytest.mark.parametrize("size", [0, 5000])
def test_a_file_is_opened_as_the_last_time(lane: Lane, size: int) -> None:
    os.truncate(lane.pages, size)
    lane.caller(OPENAT)
    assert lane.ask(OPEN, OPEN_IN.pack(FLAGS, 0))
    assert lane.replied() == (0, UNIQUE, OPEN_OUT.pack(10, 0, 0))
    ((fd, node, flags),) = lane.noted
    assert (node, flags) == (lane.node, FLAGS)
    assert os.path.samestat(os.fstat(fd), lane.pages.stat())
    kept = fcntl.fcntl(fd, fcntl.F_GETFL)
    assert kept & os.O_ACCMODE == os.O_RDWR
    assert not kept & (os.O_APPEND | os.O_SYNC)
    assert not os.get_inheritable(fd)
    seen = Sighting(nr=99, args=(0xFFFFFF9C, 0x7F, 2, 0, 0, 0), pid=PID, comm="pager")
    expected = Open(
        start_ns=0, end_ns=0, tid=TID, errno=0, path="café", ino=INO, fh=10, flags=FLAGS,
        size=size, seen=seen,
    )  # fmt: skip
    (line,) = lane.lines()
    assert is_as_python_writes(line, expected)


def test_without_the_page_cache_the_reply_says_so(lane: Lane) -> None:
    shortcut_open(lane.openable, lane.note, 0, True)
    lane.caller(OPENAT)
    assert lane.ask(OPEN, OPEN_IN.pack(os.O_RDONLY, 0))
    assert lane.replied()[2] == OPEN_OUT.pack(10, 1, 0)  # FOPEN_DIRECT_IO


def test_what_is_out_of_the_ordinary_of_an_open_is_left_to_python(lane: Lane) -> None:
    lane.caller(OPENAT)
    assert not lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR | os.O_TRUNC, 0))
    assert not lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR, 0), tid=TID + 1)
    assert not lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR | os.O_DIRECTORY, 0))  # fails: ENOTDIR
    assert not lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR, 0)[:-1])
    lane.openable.clear()
    assert not lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR, 0))
    assert lane.is_silent()
    assert not lane.noted


UNSIGNED: Final = st.integers(0, 2**64 - 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nr=st.integers(0, 200),
    args=st.lists(UNSIGNED, min_size=6, max_size=6),
    stack=st.integers(2**32, 2**64 - 1),
    comm=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=15),
    position=UNSIGNED,
    flags=st.integers(0, 2**32 - 1),
    tid=st.integers(1, 2**32 - 1),
)
def test_every_line_is_what_the_encoder_makes(
    lane: Lane,
    nr: int,
    args: list[int],
    stack: int,
    comm: str,
    position: int,
    flags: int,
    tid: int,
) -> None:
    if nr < 99:
        args[0] = args[0] & ~0xFFFFFFFF | FD
    line = " ".join([str(nr), *map(hex, [*args, stack, 1])])
    info = f"pos:\t{position}\nflags:\t0{flags:o}\nmnt_id:\t1\nino:\t{INO}\n"
    lane.caller(line.encode() + b"\n", comm.encode() + b"\n", info.encode())
    lane.threads = {tid: lane.threads[TID]} | lane.threads
    shortcut(lane.files, lane.threads, bytes(99), lane.journal, 4)
    before = len(lane.lines())
    answered = lane.write(b"ab", tid=tid)
    if '"' in comm or "\\" in comm:
        assert not answered
        return
    assert answered
    seen = Sighting(
        nr=nr,
        args=tuple(args),
        pid=PID,
        comm=comm,
        fd=FD if nr < 99 else None,
        position=position if nr < 99 else None,
        fd_flags=flags if nr < 99 else None,
        fd_ino=INO if nr < 99 else None,
    )
    expected = Write(
        start_ns=0, end_ns=0, tid=tid, errno=0, ino=INO, fh=FH, offset=0, size=2, result=2,
        seen=seen,
    )  # fmt: skip
    (written,) = lane.lines()[before:]
    assert is_as_python_writes(written, expected)
    lane.replied()


CALL: Final = b"18 0x5 0x7f 0x1000 0x2000 0x0 0x0 0x7ffd00000000 0x7f0100000000\n"
"""Through the descriptor whose fdinfo is not kept."""


@pytest.mark.parametrize(
    "proc",
    [
        {"call": b"running\n"},
        {"call": b"-1 0x7ffd00000000 0x7f0100000000\n"},
        {"call": b"18 0x3 0x7f 0x1000 0x2000 0x0 0x0 0x7ffd 0x7f01\n"},
        {"call": CALL},
        {"comm": b'a"b\n'},
        {"comm": b"a\\b\n"},
        {"comm": "é\n".encode()},
        {"comm": b"a\nb\n"},
        {"fdinfo": b"pos:\t1\nflags:\t02\nmnt_id:\t31\n"},
        {"fdinfo": b""},
    ],
    ids=["running", "in no call", "32-bit", "new descriptor", "quote", "backslash", "umlaut",
         "newline", "old kernel", "closed"],
)  # fmt: skip
def test_what_is_out_of_the_ordinary_of_a_caller_is_left_to_python(
    lane: Lane, proc: dict[str, bytes]
) -> None:
    lane.caller(**proc)
    assert not lane.write(b"xx")
    assert not lane.ask(FSYNC, FSYNC_IN.pack(FH, 0, 0))
    assert lane.is_silent()


def test_what_is_out_of_the_ordinary_of_a_write_is_left_to_python(lane: Lane) -> None:
    assert not lane.write(b"xx", tid=TID + 1)
    assert not lane.write(b"xx", tid=0)
    assert not lane.write(b"xx", flags=CACHE)
    assert not lane.write(b"\0")
    body = WRITE_IN.pack(FH, 0, 3, 0, 0, 0, 0)
    assert not lane.ask(WRITE, body + b"xx")
    assert not lane.ask(WRITE, body[:-1])
    assert not lane.ask(WRITE, WRITE_IN.pack(FH + 1, 0, 2, 0, 0, 0, 0) + b"xx")
    assert not lane.ask(GETATTR, bytes(16))
    assert lane.is_silent()
    assert lane.opened.closed is True


def test_a_file_with_set_id_bits_is_left_to_python_where_they_must_go(lane: Lane) -> None:
    # Without FUSE_HANDLE_KILLPRIV_V2, as in this process, a write by root clears none.
    lane.pages.chmod(0o4755)
    assert not lane.write(b"xx", uid=1)
    lane.pages.chmod(0o2755)
    assert not lane.write(b"xx", uid=1)
    assert lane.is_silent()
    assert lane.write(b"xx", uid=0)
    lane.pages.chmod(0o755)
    assert lane.write(b"xx", uid=1)


def test_a_write_whose_caller_may_have_gone_on_is_left_to_python(lane: Lane) -> None:
    body = WRITE_IN.pack(FH, 0, 2, 0, 0, os.O_RDWR | os.O_DIRECT, 0)
    assert not lane.ask(WRITE, body + b"xx")
    assert lane.is_silent()


def test_a_write_that_fails_is_left_to_python(lane: Lane) -> None:
    read_only = os.open(lane.pages, os.O_RDONLY)
    lane.opened.fd, kept = read_only, lane.opened.fd
    assert not lane.write(b"xx")
    lane.opened.fd = kept
    os.close(read_only)
    assert lane.is_silent()


def test_a_short_write_is_recorded_as_one(lane: Lane) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        assert lane.write(b"x" * 4096, 99_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert lane.replied() == (0, UNIQUE, struct.pack("=II", 1000, 0))
    (line,) = lane.lines()
    event = decode_event(line)
    assert isinstance(event, Write)
    assert (event.size, event.result) == (4096, 1000)
    assert lane.pages.stat().st_size == 100_000


def test_what_may_wait_for_a_disk_is_left_to_python(lane: Lane) -> None:
    lane.opened.in_memory = False
    assert not lane.ask(FSYNC, FSYNC_IN.pack(FH, 0, 0))
    assert not lane.ask(FLUSH, FLUSH_IN.pack(FH, 0, 0, 0))
    assert lane.is_silent()


def test_the_last_open_of_a_file_without_a_name_is_left_to_python(lane: Lane) -> None:
    lane.opened.node.parent = None
    assert not lane.ask(RELEASE, RELEASE_IN.pack(FH, 0, 0, 0))
    assert lane.is_silent()
    assert lane.files


def test_a_journal_that_takes_no_more_ends_the_recording_and_not_the_write(lane: Lane) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, lane.journal.descriptor)
    os.close(full)
    assert lane.write(b"xx")
    assert lane.replied()[0] == 0
    assert lane.failures == ["journal.jsonl: No space left on device"]
    assert lane.pages.read_bytes() == b"xx"
    assert not lane.write(b"yy"), "journalling has stopped"
    assert not lane.lines()


def test_a_line_that_is_cut_short_ends_the_recording(lane: Lane) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = lane.journal_path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    try:
        assert lane.write(b"xx")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (failure,) = lane.failures
    assert failure.startswith("journal.jsonl: only 10 of ")
    assert lane.journal.descriptor == -1


def test_a_journal_that_was_deleted_is_noticed(lane: Lane) -> None:
    assert lane.write(b"xx")
    lane.journal_path.unlink()
    for _ in range(3):
        assert not lane.failures
        assert lane.write(b"xx")
    assert lane.failures == ["journal.jsonl: it was deleted"]
    assert lane.journal.events == 4, "whoever wrote them"


def test_without_a_shortcut_nothing_is_answered(lane: Lane) -> None:
    shortcut()
    assert not lane.write(b"xx")
    assert lane.is_silent()


class Decider:
    """Decides as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.strikes = False

    def __call__(self, *asked: object) -> bool:
        self.asked.append(asked)
        return self.strikes


@pytest.fixture
def decider() -> Iterator[Decider]:
    made = Decider()
    shortcut_faults(made)
    yield made
    shortcut_faults(None)


def test_what_rules_spare_is_answered_after_they_were_asked(lane: Lane, decider: Decider) -> None:
    assert lane.write(b"x" * 4096, 8192)
    assert lane.ask(FSYNC, FSYNC_IN.pack(FH, FDATASYNC, 0))
    assert lane.ask(FLUSH, FLUSH_IN.pack(FH, 0, 0, 0))
    assert lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR, 0))
    # What the witness saw: the call, its buffer and its length (a sync is the same call here).
    assert decider.asked == [
        (UNIQUE, "write", TID, 18, 0x7F, 0x1000, INO, 8192, 4096),
        (UNIQUE, "fsync", TID, 18, 0x7F, 0x1000, INO, 0, 0),
        (UNIQUE, "flush", TID, -1, 0, 0, INO, 0, 0),
        (UNIQUE, "open", TID, 18, 0x7F, 0x1000, INO, 0, 0),
    ]
    assert len(lane.lines()) == 4


def test_what_a_rule_strikes_is_left_to_python_untouched(lane: Lane, decider: Decider) -> None:
    decider.strikes = True
    assert not lane.write(b"x" * 4096)
    assert not lane.ask(FSYNC, FSYNC_IN.pack(FH, 0, 0))
    assert not lane.ask(FLUSH, FLUSH_IN.pack(FH, 0, 0, 0))
    assert not lane.ask(OPEN, OPEN_IN.pack(os.O_RDWR, 0))
    assert lane.is_silent()
    assert not lane.noted


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_where_rules_can_t_be_asked_python_is(lane: Lane) -> None:
    def broken(*_: object) -> bool:
        raise ValueError

    shortcut_faults(broken)
    try:
        assert not lane.write(b"x" * 4096)
    finally:
        shortcut_faults(None)
    assert lane.is_silent()
