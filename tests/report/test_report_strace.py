"""Calls as lines of text and of JSON."""

import errno
import json

import pytest
from report_support import HEADER, PAGE, START_NS, call, close, fdatasync, pwrite
from syrupy.assertion import SnapshotAssertion

from tracefs.events import Injected
from tracefs.findings import TraceSummary
from tracefs.report import call_json, frame
from tracefs.report.strace import CallLines, spelled
from tracefs.report.style import Style
from tracefs.trace.call import Call

LINES = CallLines(start_ns=START_NS, page_size=PAGE)

CALLS = [
    call("openat", "open", flags=("O_RDWR", "O_CREAT"), created=True, size=0, handle=1),
    pwrite(8192, index=1),
    fdatasync(index=2),
    pwrite(8192, 8192, index=3),
    pwrite(8292, index=4, fragments=2),
    pwrite(0, 100, index=5),
    pwrite(8192, index=6, result=100),
    pwrite(8192, index=7, result=None, errno=errno.ENOSPC),
    pwrite(4096, index=8, synced_by="O_DSYNC"),
    call("write", "write", index=9, fd=3, offset=4096, length=4096, result=4096, fragments=1),
    call("pwritev2", "write", index=10, fd=4, offset=0, length=10, result=10, flags=("RWF_DSYNC",)),
    call("mmap", "write", index=11, known_by="fuse", tid=None, pid=None, offset=0, length=4096,
         result=4096, note="store through a shared mapping"),
    call("unknown", "write", index=12, known_by=None, pid=None, offset=0, length=None, result=4096,
         reason="the caller belongs to another user"),
    call("fsync", "sync", index=13, tid=12345, fd=9, errno=errno.EIO),
    call("msync", "sync", index=14, result=0),
    call("fsync", "syncdir", index=15, path=".", fd=5, result=0),
    call("ftruncate", "truncate", index=16, fd=3, length=4096, result=0),
    call("truncate", "truncate", index=17, length=0, result=0),
    call("renameat2", "rename", index=18, path="a.tmp", target="a", flags=("RENAME_NOREPLACE",)),
    call("link", "link", index=19, path="new", target="old", result=0),
    call("symlink", "symlink", index=20, path="new", target="anything", result=0),
    call("unlink", "unlink", index=21, errno=errno.ENOENT),
    call("fchmod", "attr", index=22, fd=3, result=0),
    call("chmod", "attr", index=23, result=0),
    call("fallocate", "allocate", index=24, fd=3, offset=0, length=65536, result=0),
    call("fallocate", "allocate", index=24, fd=3, offset=0, length=8192, result=0,
         flags=("FALLOC_FL_KEEP_SIZE", "FALLOC_FL_PUNCH_HOLE")),
    call("copy_file_range", "write", index=24, fd=3, offset=0, length=8192, result=4096,
         target="from"),
    call("ioctl", "attr", index=24, fd=3, result=0),
    call("sync", "sync", index=25, path=None, ino=None, result=0),
    call("read", "read", index=-1, offset=0, length=4096, result=4096),
    call("mkdir", "mkdir", index=26, path="d", errno=9999),
    close(index=27),
    call("fsync", "sync", index=28, fd=3, errno=errno.EIO,
         injected=(Injected(rule="fsync:error=EIO", kind="error"),)),
    call("fsync", "sync", index=29, fd=3, result=0,
         injected=(Injected(rule="fsync:delay_enter=5", kind="delay", delay_ns=5_000_000),)),
    call("fsync", "sync", index=30, fd=3, result=0,
         injected=(Injected(rule="sync:retval=0", kind="retval"),
                   Injected(rule="all:stuck", kind="stuck", delay_ns=7))),
]  # fmt: skip


def test_every_kind_of_call(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(LINES.line(call) for call in CALLS) == snapshot


def test_a_duration_that_is_not_known_is_not_told() -> None:
    lines = CallLines(start_ns=START_NS, page_size=PAGE, lasting=False)
    assert lines.outcome(fdatasync()) == "fdatasync(3<pages.db>) = 0"
    assert LINES.outcome(fdatasync()) == "fdatasync(3<pages.db>) = 0 <0.000045>"


def test_every_kind_of_call_as_json(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(call_json.call_line(call, PAGE) for call in CALLS) == snapshot


@pytest.mark.parametrize("call", CALLS)
def test_json_has_the_fields_that_are_promised(call: Call) -> None:
    record = json.loads(call_json.call_line(call, PAGE))
    promised = "index call known_by path offset length result errno pid tid start_ns end_ns flags"
    assert set(promised.split()) | {"fragments"} <= set(record)
    assert record["errno"] is None or isinstance(record["errno"], str)


def test_a_hostile_name_stays_on_its_line() -> None:
    hostile = 'x\n12341 0.1 fsync(3) = 0\x1b[2J>"'
    for family, name in (("write", "pwrite64"), ("open", "openat"), ("rename", "rename")):
        line = LINES.line(call(name, family, path=hostile, target=hostile, note=hostile, fd=3))
        assert line.isprintable()


def test_a_call_before_the_start_has_a_negative_time() -> None:
    early = call("close", "close", start_ns=START_NS - 1_500_000, end_ns=START_NS)
    assert " -0.001500  close" in LINES.line(early)


def test_arguments_that_are_not_known_are_question_marks() -> None:
    nothing = call("unknown", "write", path=None, known_by=None)
    assert spelled(nothing) == "unknown(?, ? bytes, ?)"


def test_colour_marks_failed_and_unknown_calls_only() -> None:
    lines = CallLines(start_ns=START_NS, page_size=PAGE, style=Style(colour=True))
    assert "\x1b[31m" in lines.line(CALLS[7])
    assert "\x1b[33m" in lines.line(CALLS[12])
    assert "\x1b" not in lines.line(fdatasync())


def test_head_and_foot(snapshot: SnapshotAssertion) -> None:
    whole = TraceSummary(complete=True, calls=1, unknown_calls=0)
    torn = TraceSummary(complete=False, calls=9, unknown_calls=2, incomplete_because="no footer")
    lines = [*frame.head(HEADER), frame.foot(whole, 1), frame.foot(torn, 3), frame.foot(torn)]
    assert "\n".join(lines) == snapshot


def test_the_end_of_a_process_returns_nothing() -> None:
    assert " = ?" in LINES.line(call("exit_group", "close", result=None))


@pytest.mark.parametrize("name", ["copy_file_range", "sendfile", "splice"])
def test_what_ends_with_its_source_names_the_pages_that_were_written(name: str) -> None:
    whole_file = call(name, "write", offset=4096, length=1 << 62, result=10000)
    line = LINES.line(whole_file)
    assert line.endswith(f"# pages 1-3, offset 4096, short: 10000 of {1 << 62} bytes")
