import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from journal_samples import HEADER, NAMES, PAGE_WRITE, record

from tracefs.errors import RecordingError
from tracefs.events import AnyEvent, Write
from tracefs.journal.format import MAX_LINE, decode_line, encode
from tracefs.journal.reader import Ending, JournalReader

EVENTS = (*PAGE_WRITE, *NAMES)
HEADER_LINE = encode(HEADER) + b"\n"


def read(journal: Path) -> tuple[list[AnyEvent], Ending]:
    with JournalReader(journal) as reader:
        return list(reader.events()), reader.ending


def written(tmp_path: Path, content: bytes) -> Path:
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(content)
    return journal


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return record(tmp_path / "whole.trace", EVENTS)


def test_a_folder_and_its_journal_read_the_same(journal: Path) -> None:
    assert read(journal) == read(journal.parent)
    events, ending = read(journal)
    assert tuple(events) == EVENTS
    assert (ending.complete, ending.reason, ending.events) == (True, None, len(EVENTS))


def test_truncated_at_any_byte_it_yields_the_whole_lines_before(journal: Path) -> None:
    content = journal.read_bytes()
    for length in range(len(content) - 1, len(HEADER_LINE) - 1, -1):
        os.truncate(journal, length)
        events, ending = read(journal)
        assert events == list(EVENTS[: content[:length].count(b"\n") - 1])
        assert not ending.complete
        assert ending.reason
        assert ending.events == len(events)
        torn = length - content.rfind(b"\n", 0, length) - 1
        assert (f"torn after {torn} bytes" in ending.reason) == (torn > 0)


def test_truncated_in_the_header_it_is_no_recording(journal: Path) -> None:
    for length in range(len(HEADER_LINE) - 1, 0, -1):
        os.truncate(journal, length)
        with pytest.raises(RecordingError, match="the header is torn: nothing was recorded"):
            JournalReader(journal)


def test_a_flipped_bit_is_noticed_wherever_it_is(journal: Path) -> None:
    content = journal.read_bytes()
    # The footer's own end_ns and reason are the only bytes that no hash covers.
    for offset in range(content.rindex(b',"end_ns"')):
        damaged = bytearray(content)
        damaged[offset] ^= 1 << offset % 8
        journal.write_bytes(damaged)
        try:
            _, ending = read(journal)
        except RecordingError:
            assert offset < len(HEADER_LINE)
        else:
            assert not ending.complete, offset
            assert ending.reason


def test_a_line_that_is_missing_is_noticed(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3] + lines[4:]))
    _, ending = read(journal)
    assert ending.reason == f"the footer counts {len(EVENTS)} events, there are {len(EVENTS) - 1}"


def test_an_event_that_was_changed_is_noticed(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes().replace(b'"offset":4096', b'"offset":8192'))
    events, ending = read(journal)
    assert getattr(events[1], "offset", None) == 8192
    assert ending.reason == "the footer's hash doesn't match: the journal was changed"
    assert ending.footer is not None


@pytest.mark.parametrize(
    "bad",
    [
        b"{}",
        b"",
        b"\xff\xfe",
        b'{"type":"write"}',
        b'{"type":"teleport","start_ns":1}',
        b"[" * 99999,
    ],
    ids=["no type", "empty", "binary", "fields missing", "unheard of", "nested without end"],
)
def test_nothing_after_a_line_that_is_not_valid_is_evidence(journal: Path, bad: bytes) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[3] = bad + b"\n"
    journal.write_bytes(b"".join(lines))
    events, ending = read(journal)
    assert events == list(EVENTS[:2])
    assert not ending.complete
    assert str(ending.reason).startswith("line 4 is not valid: ")
    assert "\n" not in str(ending.reason)


def test_a_second_header_ends_the_evidence(tmp_path: Path) -> None:
    _, ending = read(written(tmp_path, HEADER_LINE + HEADER_LINE))
    assert ending.reason == "line 2 is a second header"


@pytest.mark.parametrize("more", [b"{", b"\n", encode(PAGE_WRITE[0]) + b"\n", b"\0" * 300_000])
def test_something_after_the_footer_is_said(journal: Path, more: bytes) -> None:
    with journal.open("ab") as file:
        file.write(more)
    events, ending = read(journal)
    assert tuple(events) == EVENTS
    assert not ending.complete
    assert ending.reason == f"something follows the footer in line {len(EVENTS) + 2}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty: nothing was recorded"),
        (b"\x7fELF\x02\x01\x01\0\0\0\n\0\n", "is not a tracefs journal: it holds binary data"),
        (b"\x00" * 5000, "is not a tracefs journal: it holds binary data"),
        (b"a line of something\n", "is not a tracefs journal: its first line is not JSON"),
        (b"openat(3, 0x1) = 4\n", "is strace text, not a tracefs journal"),
        (b'{"a":1}\n', "is JSON, but not the header of a journal"),
        (b"[1]\n", "is JSON, but not the header of a journal"),
        (b"17\n", "is JSON, but not the header of a journal"),
        (encode(PAGE_WRITE[0]) + b"\n", "is JSON, but not the header of a journal"),
        (HEADER_LINE.replace(b"tracefs-journal", b"other"), "but not the header of a journal"),
        (HEADER_LINE.replace(b'version":5', b'version":0'), "there is no version 0"),
        (HEADER_LINE.replace(b'version":5', b'version":"1"'), "there is no version '1'"),
        (HEADER_LINE.replace(b'"clock"', b'"klock"'), "the header can't be read: .*`clock`"),
    ],
)
def test_what_is_no_journal_is_refused_in_one_line(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(RecordingError, match=why) as caught:
        JournalReader(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_newer_version_is_named(tmp_path: Path) -> None:
    newer = b'{"type":"header","format":"tracefs-journal","version":6,"all":"new"}\n'
    with pytest.raises(RecordingError) as caught:
        JournalReader(written(tmp_path, newer))
    assert str(caught.value).endswith(
        "was written by a newer tracefs (journal version 6); this one reads up to 5"
    )
    assert caught.value.repair


def test_what_cannot_be_opened_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"there is no recording .*nowhere"):
        JournalReader(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match=r"is not a recording: it holds no journal\.jsonl"):
        JournalReader(tmp_path)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(RecordingError, match="Too many levels of symbolic links"):
        JournalReader(loop)


def test_a_journal_of_another_user_is_refused_in_one_line(journal: Path) -> None:
    journal.chmod(0)
    # Root may read anything: look as nobody, who may not pass the directory either.
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(RecordingError, match=r"cannot read .*: Permission denied"):
            JournalReader(journal)
    finally:
        if root:
            os.seteuid(0)


def test_a_line_without_end_exhausts_no_memory(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER_LINE + encode(PAGE_WRITE[0]) + b"\n")
    os.truncate(path, 4 << 30)  # sparse zeros
    tracemalloc.start()
    try:
        events, ending = read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert events == [PAGE_WRITE[0]]
    assert ending.reason == f"line 3 is longer than {MAX_LINE} bytes"
    assert peak < 4 * MAX_LINE


def test_a_first_line_without_end_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"")
    os.truncate(path, 4 << 30)
    with pytest.raises(RecordingError, match="its first line is too long"):
        JournalReader(path)


def test_a_long_journal_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "long"
    line = encode(PAGE_WRITE[1]) + b"\n"
    count = 40_000
    with path.open("wb") as file:
        file.write(HEADER_LINE)
        for _ in range(100):
            file.write(line * (count // 100))
    tracemalloc.start()
    try:
        with JournalReader(path) as reader:
            assert sum(1 for _ in reader.events()) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 8 << 20
    assert peak < 3 << 20


def test_a_long_command_line_can_be_recorded(tmp_path: Path) -> None:
    # The most that execve(2) takes, three quarters of 8 MiB, and each byte doubled by an escape.
    long = HEADER_LINE.replace(b'"first page"', b'"' + b"\\n" * (6 << 20) + b'"')
    with JournalReader(written(tmp_path, long)) as reader:
        assert reader.header.command is not None
        assert len(reader.header.command[-1]) == 6 << 20


def test_a_journal_is_read_once(journal: Path) -> None:
    with JournalReader(journal) as reader:
        with pytest.raises(RuntimeError, match="after the last event"):
            _ = reader.ending
        next(reader.events())
        with pytest.raises(RuntimeError, match="read once"):
            next(reader.events())


READ_STANDARD_INPUT = """
from tracefs.journal.reader import JournalReader
with JournalReader("-") as reader:
    print(sum(1 for _ in reader.events()), reader.ending.complete)
"""

READ_STANDARD_INPUT_SLOWLY = READ_STANDARD_INPUT.replace(
    "as reader:", "as reader:\n    print('header', flush=True)"
)


def test_standard_input_may_be_a_pipe_or_a_file(journal: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", READ_STANDARD_INPUT]
    expected = f"{len(EVENTS)} True\n".encode()
    with journal.open("rb") as file:
        assert subprocess.check_output(command, stdin=file, env=environment) == expected
    piped = subprocess.check_output(command, input=journal.read_bytes(), env=environment)
    assert piped == expected


def test_standard_input_that_is_closed_is_one_clear_line() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-c", READ_STANDARD_INPUT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "RecordingError: cannot read standard input: Bad file descriptor" in done.stderr


def test_a_journal_of_many_blocks_is_complete(tmp_path: Path) -> None:
    # Longer than one read, so that lines lie across its borders.
    events = [
        Write(start_ns=number, end_ns=number, tid=1, ino=1, fh=1, offset=0, size=1, result=1)
        for number in range(20_000)
    ]
    read_back, ending = read(record(tmp_path / "a.trace", events))
    assert read_back == events
    assert ending.complete
    assert decode_line(encode(events[-1])) == events[-1]


def test_a_header_that_comes_alone_is_not_the_end(journal: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", READ_STANDARD_INPUT_SLOWLY]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for line in journal.read_bytes().splitlines(keepends=True):
            child.stdin.write(line)
            child.stdin.flush()
            if line == HEADER_LINE:
                assert child.stdout.readline() == b"header\n"
        child.stdin.close()
        assert child.stdout.read() == f"{len(EVENTS)} True\n".encode()
