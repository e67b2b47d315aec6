import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from journal_samples import HEADER, PAGE_WRITE, record, unexpected

from tracefs.journal import lock
from tracefs.journal.format import encode
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter


class Script:
    """Does one thing each time the reader would wait; stops it when there is nothing left."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.steps = list(steps)

    def __call__(self) -> bool:
        if not self.steps:
            return False
        self.steps.pop(0)()
        return True


@contextmanager
def growing(path: Path) -> Iterator[int]:
    """A journal with a header that this test appends to as a recorder would."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    lock.hold(descriptor)
    os.write(descriptor, encode(HEADER) + b"\n")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_what_is_appended_is_read_until_the_footer(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a.trace", HEADER, on_failure=unexpected)
    steps: list[Callable[[], object]] = [
        lambda event=event: writer.event(event)  # type: ignore[misc]
        for event in PAGE_WRITE
    ]
    script = Script(*steps, lambda: writer.close(end_ns=1, reason="unmounted"))
    with JournalReader(tmp_path / "a.trace", follow=True, wait=script) as reader:
        assert tuple(reader.events()) == PAGE_WRITE
        assert reader.ending.complete, reader.ending.reason
    assert not script.steps


def test_a_line_that_comes_in_pieces_is_one_event(tmp_path: Path) -> None:
    line = encode(PAGE_WRITE[1]) + b"\n"
    with growing(tmp_path / "journal.jsonl") as journal:
        steps: list[Callable[[], object]] = [
            lambda piece=piece: os.write(journal, piece)  # type: ignore[misc]
            for piece in (line[:1], line[1:-1], line[-1:] + line[:7], line[7:])
        ]
        script = Script(*steps)
        with JournalReader(tmp_path / "journal.jsonl", follow=True, wait=script) as reader:
            assert list(reader.events()) == [PAGE_WRITE[1]] * 2
            assert not reader.ending.complete


def test_it_ends_when_the_recorder_is_gone(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a.trace", HEADER, on_failure=unexpected)

    def die() -> None:
        writer.event(PAGE_WRITE[0])
        writer._close_files()

    script = Script(die, lambda: pytest.fail("waited for a recorder that is gone"))
    with JournalReader(tmp_path / "a.trace", follow=True, wait=script) as reader:
        # The last event came after the reader had looked, and is still read.
        assert list(reader.events()) == [PAGE_WRITE[0]]
        assert str(reader.ending.reason).startswith("no footer")


def test_the_last_words_of_a_recorder_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter(tmp_path / "a.trace", HEADER, on_failure=unexpected)

    def finish(_: int) -> bool:
        # The narrowest case: all is written between the reader's look and its asking.
        writer.event(PAGE_WRITE[0])
        writer.close(end_ns=1, reason="unmounted")
        return False

    monkeypatch.setattr(lock, "is_held", finish)
    with JournalReader(tmp_path / "a.trace", follow=True, wait=lambda: False) as reader:
        assert list(reader.events()) == [PAGE_WRITE[0]]
        assert reader.ending.complete


def test_it_ends_when_the_journal_is_deleted(tmp_path: Path) -> None:
    with growing(tmp_path / "journal.jsonl") as journal:

        def delete() -> None:
            os.write(journal, encode(PAGE_WRITE[0]) + b"\n")
            (tmp_path / "journal.jsonl").unlink()

        script = Script(delete, lambda: pytest.fail("waited for a file that is gone"))
        with JournalReader(tmp_path / "journal.jsonl", follow=True, wait=script) as reader:
            assert list(reader.events()) == [PAGE_WRITE[0]]
            assert reader.ending.reason == (
                "no footer: the journal was deleted while it was followed"
            )


def test_the_caller_can_stop_it(tmp_path: Path) -> None:
    with (
        growing(tmp_path / "journal.jsonl"),
        JournalReader(tmp_path / "journal.jsonl", follow=True, wait=lambda: False) as reader,
    ):
        assert not list(reader.events())
        assert not reader.ending.complete


def press_ctrl_c() -> bool:
    signal.raise_signal(signal.SIGINT)
    return True


def test_ctrl_c_passes_through(tmp_path: Path) -> None:
    with (
        growing(tmp_path / "journal.jsonl"),
        JournalReader(
            tmp_path / "journal.jsonl",
            follow=True,
            wait=press_ctrl_c,
        ) as reader,
        pytest.raises(KeyboardInterrupt),
    ):
        list(reader.events())


def test_a_finished_journal_is_not_waited_for(tmp_path: Path) -> None:
    journal = record(tmp_path / "a.trace", PAGE_WRITE)

    def wait() -> bool:
        raise AssertionError

    with JournalReader(journal, follow=True, wait=wait) as reader:
        assert tuple(reader.events()) == PAGE_WRITE
        assert reader.ending.complete


FOLLOW = """
import sys
from pathlib import Path
from tracefs.journal.reader import JournalReader
with JournalReader(Path(sys.argv[1]), follow=True) as reader:
    print("ready", flush=True)
    for event in reader.events():
        print(event.start_ns, flush=True)
    print(reader.ending.complete, flush=True)
"""


def test_another_process_can_follow(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "a.trace", HEADER, on_failure=unexpected)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FOLLOW, str(tmp_path / "a.trace")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        for event in PAGE_WRITE:
            writer.event(event)
            assert child.stdout.readline() == f"{event.start_ns}\n"
        writer.close(end_ns=1, reason="unmounted")
        assert child.stdout.readline() == "True\n"
    assert child.returncode == 0


def test_the_end_of_a_pipe_is_the_end(tmp_path: Path) -> None:
    journal = record(tmp_path / "a.trace", PAGE_WRITE).read_bytes()
    read_end, write_end = os.pipe()
    os.write(write_end, journal)
    path = Path(f"/proc/self/fd/{read_end}")
    # The writer of the pipe stays: after the footer nothing is waited for.
    with JournalReader(path, follow=True) as reader:
        assert tuple(reader.events()) == PAGE_WRITE
        assert reader.ending.complete
    os.close(write_end)
    os.close(read_end)
