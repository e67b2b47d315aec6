"""A trace as columns and tables."""

import re

import pytest
from report_support import PAGE, START_NS, call, close, fdatasync, pwrite

from tracefs.events import Injected
from tracefs.report.columns import LARGEST
from tracefs.report.documents import asset
from tracefs.report.effects import effect
from tracefs.report.report_data import (
    _NUMBERS,
    TICK_NS,
    Collector,
    ReportData,
    Thread,
    number_of,
)
from tracefs.trace.call import Call

FAULT = Injected(kind="error", rule="fsync=EIO")
OPENED = "O_RDWR|O_CREAT, created"
LATE = Injected(kind="delay", rule="fsync:delay_enter=1", delay_ns=1)


def collected(*calls: Call) -> ReportData:
    collector = Collector(START_NS, PAGE, timed=True, locate=lambda _: "store.py:7")
    collector.add_all(calls, lambda _: None)
    return collector.data()


@pytest.mark.parametrize(
    ("one", "number"),
    [
        (pwrite(0), 1),
        (pwrite(0, synced_by="O_DSYNC"), 2),
        (fdatasync(), 3),
        (fdatasync(errno=5, result=None), 4),
        (call("ftruncate", "truncate", length=LARGEST), 5),
        (call("openat", "open", flags=("O_TRUNC",)), 6),
        (call("sync", "syncfs", ino=None, result=0), 7),
        (call("mmap", "write", offset=0, length=9, result=9), 8),
        (call("openat", "open", created=True), 0),
        (call("unlink", "unlink"), 0),
        (call("write", "write", result=5), 0),
        (pwrite(-1), 0),
        (pwrite(LARGEST + 1), 0),
        (pwrite(0, LARGEST + 1), 0),
        (call("ftruncate", "truncate", length=LARGEST + 1), 0),
        (call("ftruncate", "truncate", length=-1), 0),
    ],
)
def test_the_page_is_told_what_changes_pages_that_it_can_count_to(one: Call, number: int) -> None:
    assert number_of(effect(one)) == number


def test_the_page_has_the_same_numbers() -> None:
    [table] = re.findall(r"const EFFECT = ({.*});", asset("report_data.js"))
    theirs = dict(re.findall(r"(\w+): (\d)", table))
    ours = {kind.upper().replace(" ", "_"): str(number) for kind, number in _NUMBERS.items()}
    assert theirs == {"NONE": "0"} | ours


def test_threads_are_known_by_what_is_ever_seen_of_them() -> None:
    data = collected(
        close(tid=5, pid=None), close(tid=5, pid=4, comm="db"), close(tid=None, pid=None)
    )
    assert data.tables.threads == (Thread(4, 5, "db"), Thread(None, None, None))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (close(), ""),
        (call("open", "open", flags=("O_RDWR", "O_CREAT"), created=True), OPENED),
        (call("rename", "rename", target="new"), "to new"),
        (pwrite(0, synced_by="O_DSYNC"), "O_DSYNC"),
        (fdatasync(injected=(FAULT,), errno=5), "injected"),
        (fdatasync(injected=(FAULT, LATE), errno=5), "injected, delayed on purpose"),
        (fdatasync(after_failed=3), "proves nothing after a failed sync"),
        (call("unknown", "write", known_by=None, reason="nobody saw"), "unknown: nobody saw"),
        (pwrite(0, path="a\x1b[2J\n", note="glibc's \u202e"), "glibc's \\xe2\\x80\\xae"),
    ],
)  # fmt: skip
def test_what_else_is_known_of_a_call(one: Call, said: str) -> None:
    assert collected(one).tables.more[-1] == said


def test_names_are_shown_as_they_can_be_printed() -> None:
    data = collected(pwrite(0, path="a\x1b[2J\n\u202e"))
    assert data.tables.files == ("a\\x1b[2J\\x0a\\xe2\\x80\\xae",)
    assert data.tables.paths == ("?", "a\\x1b[2J\\x0a\\xe2\\x80\\xae")


def test_what_is_no_call_is_left_out() -> None:
    assert collected(pwrite(0), call("pread64", "read", index=-1)).calls == 1


def test_times_never_seem_shorter_than_they_were() -> None:
    begin, end = START_NS + TICK_NS - 1, START_NS + TICK_NS + 1
    data = collected(close(start_ns=begin, end_ns=end))
    length = dict(zip(data.packed.names, data.packed.lengths, strict=True))
    assert length["start"] == length["duration"] == 1
