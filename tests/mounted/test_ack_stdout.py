"""``--ack-stdout``: what a command prints is in the journal, then passed on unchanged."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mounted_support import PATIENCE_S, TRACEFS, Run

from tracefs.capture.said import Lines
from tracefs.events import Create, acknowledged
from tracefs.journal.reader import JournalReader

Traced = Callable[..., Run]


def said(recording: Path) -> list[str]:
    with JournalReader(recording) as reader:
        found = [text for text in map(acknowledged, reader.events()) if text is not None]
        assert reader.ending.reason is None
    return found


@given(st.lists(st.binary(max_size=9)), st.integers(1, 6))
def test_lines_are_those_of_the_output_and_nothing_is_lost(
    pieces: list[bytes], longest: int
) -> None:
    lines = Lines(longest)
    found, passed = [], b""
    for piece in pieces:
        more, out = lines.add(piece)
        found += more
        passed += out
    more, out = lines.end()
    whole = b"".join(pieces)
    assert passed + out == whole
    wanted = whole.split(b"\n")
    if not wanted[-1]:
        wanted.pop()
    assert found + more == [line for line in wanted if len(line) <= longest]
    assert lines.overlong == sum(len(line) > longest for line in wanted)


@pytest.mark.parametrize("mode", [(), ("--visible",), ("--witness", "proc")])
def test_no_line_stands_above_what_came_before_it(
    traced_run: Traced, mode: tuple[str, ...]
) -> None:
    script = "echo one; : > a; echo two; : > b; printf 'x\\\\\\ny'"
    run = traced_run(["sh", "-c", script], "--ack-stdout", *mode)
    assert run.returncode == 0
    with JournalReader(run.recording) as reader:
        found = [
            event.path if isinstance(event, Create) else acknowledged(event)
            for event in reader.events()
        ]
    # A line may come late, after what the command did meanwhile, but never early.
    assert [one for one in found if one not in {None, "a", "b"}] == ["one", "two", "x\\\\", "y"]
    assert found.index("a") < found.index("two")
    assert found.index("b") < found.index("x\\\\")


def _start(tmp_path: Path, script: str, **streams: object) -> "subprocess.Popen[bytes]":
    (tmp_path / "src").mkdir()
    command = [*TRACEFS, "run", "-q", "--ack-stdout", "--dir", "src", "-o", "rec", "--"]
    command += [sys.executable, "-c", script]
    return subprocess.Popen(command, cwd=tmp_path, **streams)  # type: ignore[call-overload, no-any-return]


def test_bytes_of_all_kinds_and_a_line_too_long(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "out = sys.stdout.buffer\n"
        "out.write(bytes(range(256)) * 4000 + b'\\n' + b'z' * (3 << 20) + b'\\nend')\n"
    )
    with _start(tmp_path, script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert out == bytes(range(256)) * 4000 + b"\n" + b"z" * (3 << 20) + b"\nend"
    assert b"1 lines on standard output are longer than 1 MiB" in err
    texts = said(tmp_path / "rec")
    assert len(texts) == 4002
    assert texts[-1] == "end"


def test_a_line_is_in_the_journal_when_it_can_be_read(tmp_path: Path) -> None:
    script = "print('saved', flush=True); input()"
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with _start(tmp_path, script, **streams) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
        assert b'"text":"saved","ack":true' in (tmp_path / "rec/journal.jsonl").read_bytes()
        process.communicate(b"\n", timeout=PATIENCE_S)


def test_a_reader_that_goes_is_told_to_the_command(tmp_path: Path) -> None:
    script = (
        "import signal, sys\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "while True: print('y' * 100)\n"
    )
    with _start(tmp_path, script, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"y" * 100 + b"\n"
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 128 + signal.SIGPIPE
    assert set(said(tmp_path / "rec")) <= {"y" * 100, *("y" * n for n in range(100))}


def test_what_is_left_running_is_heard_to_its_end(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "print('first', flush=True)\n"
        "if os.fork() == 0:\n"
        "    sys.stdin.readline()\n"
        "    open('late', 'w').close()\n"
        "    print('late')\n"
    )
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with _start(tmp_path, script, **streams) as process:
        assert process.stderr is not None
        assert b"left processes running" in process.stderr.readline()
        out, _ = process.communicate(b"\n", timeout=PATIENCE_S)
    assert out == b"first\nlate\n"
    assert said(tmp_path / "rec") == ["first", "late"]


def test_a_command_that_closes_its_output_goes_on(traced_run: Traced) -> None:
    script = "import os; print('one', flush=True); os.close(1); open('a', 'w').close()"
    run = traced_run([sys.executable, "-c", script], "--ack-stdout")
    assert (run.returncode, run.stdout) == (0, "one\n")
    assert said(run.recording) == ["one"]


def test_a_closed_output_of_ours_does_not_end_the_trace(tmp_path: Path) -> None:
    script = "open('a', 'w').close()"
    with _start(tmp_path, script, preexec_fn=lambda: os.close(1)) as process:
        assert process.wait(PATIENCE_S) == 0
    assert said(tmp_path / "rec") == []
