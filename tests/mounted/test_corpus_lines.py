"""The comparison of the corpus itself: what it reads, and that it refuses a wrong trace."""

from pathlib import Path
from typing import Any

import corpus_lines as lines
import pytest
from corpus_strace import StraceLog, words_of
from msgspec.structs import replace

from tracefs.trace import Call

PROGRAM = """
/* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
/* EXPECT lseek(f, 4096, SEEK_SET) = 4096 */
/* EXPECT write(f, 512) = 512 @4096 */
/* EXPECT dup(f) = ok -- unknown: result: not visible */
/* EXPECT fdatasync(f) = 0 */
/* EXPECT close(f) = 0 */
"""


def call(index: int, name: str, family: str, **fields: Any) -> Call:
    known: dict[str, Any] = {"known_by": "seccomp", "path": "f", "tid": 7, "result": 0}
    times = {"start_ns": index, "end_ns": index}
    return Call(index=index, call=name, family=family, **(known | times | fields))


CALLS = (
    call(0, "openat", "open", result=None, flags=("O_RDWR", "O_CREAT")),
    call(1, "lseek", "seek", offset=4096, result=4096, flags=("SEEK_SET",)),
    call(2, "write", "write", offset=4096, length=512, result=512),
    call(3, "dup", "dup", result=None, reason="the result is not visible at the entry of a call"),
    call(4, "fdatasync", "sync"),
    call(5, "close", "close"),
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "program.c"
    path.write_text(PROGRAM)
    return path


def test_the_right_calls_are_equal_or_unknown_as_stated(source: Path) -> None:
    tally = lines.compare(source, "full", CALLS)
    assert (tally.equal, sum(tally.unknown.values()), tally.missing, tally.wrong) == (5, 1, 0, 0)


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (0, {"flags": ("O_RDWR",)}),
        (1, {"result": 4097}),
        (1, {"offset": 0}),
        (1, {"result": None, "reason": "nobody said so"}),
        (2, {"call": "pwrite64"}),
        (2, {"length": 511}),
        (2, {"offset": 0}),
        (2, {"path": "g"}),
        (2, {"call": "unknown", "reason": "the thread was not in a system call"}),
        (3, {"reason": "another reason"}),
        (4, {"errno": 5, "result": None}),
        (4, {"call": "fsync"}),
        (5, {"tid": 8}),
    ],
)
def test_a_wrong_call_is_refused(source: Path, place: int, changes: dict[str, Any]) -> None:
    wrong = [*CALLS]
    wrong[place] = replace(wrong[place], **changes)
    tally = lines.compare(source, "full", wrong)
    assert tally.wrong
    assert tally.complaints


@pytest.mark.parametrize(
    "extra", [call(6, "mkdir", "mkdir"), call(6, "chmod", "attr"), call(6, "fsync", "sync", tid=9)]
)
def test_an_invented_call_is_refused(source: Path, extra: Call) -> None:
    assert lines.compare(source, "full", [*CALLS, extra]).wrong


def test_a_missing_call_and_another_order_are_refused(source: Path) -> None:
    assert lines.compare(source, "full", CALLS[:-1]).missing == 1
    assert lines.compare(source, "full", [*CALLS[:4], CALLS[5], CALLS[4]]).wrong


def test_the_log_of_strace_is_read() -> None:
    log = [
        '7 openat(AT_FDCWD</bare>, "f", O_RDWR|O_CREAT, 0644) = 3</bare/f>',
        "7 lseek(3</bare/f>, 4096, SEEK_SET) = 4096",
        '7 write(3</bare/f>, ""..., 512 <unfinished ...>',
        "8 close(4</elsewhere/g>) = 0",
        "7 <... write resumed>) = 512",
        "8 fdatasync(3</bare/f>) = -1 EIO (Input/output error)",
        "8 exit_group(0) = ?",
    ]
    seen = StraceLog("/bare").read(log)
    assert list(map(str, seen[7])) == [
        str(lines.read("openat(f, O_RDWR|O_CREAT) = ok")),
        str(lines.read("lseek(f, 4096, SEEK_SET) = 4096")),
        str(lines.read("write(f, 512) = 512")),
    ]
    assert list(map(str, seen[8])) == [str(lines.read("fdatasync(f) = -EIO"))]


def test_arguments_are_split_outside_brackets_and_quotes() -> None:
    text = '3</bare/a, b>, [{iov_base="x, y"..., iov_len=2}, {iov_base=NULL, iov_len=0}], 2'
    assert words_of(text) == [
        "3</bare/a, b>",
        '[{iov_base="x, y"..., iov_len=2}, {iov_base=NULL, iov_len=0}]',
        "2",
    ]
