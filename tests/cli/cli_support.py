"""Recordings for the tests of the command line, written by the real writer."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, NoReturn

from tracefs.events import (
    FORMAT,
    VERSION,
    Create,
    Flush,
    Frame,
    Fsync,
    Header,
    Notice,
    Release,
    Sighting,
    Write,
)
from tracefs.journal.writer import JournalWriter

PAGE = 4096
START_NS = 5_000_000_000
TID = 12341
RDWR_CREAT = 0o102
NUMBERS = {"write": 1, "lseek": 8, "pwrite64": 18, "fsync": 74, "fdatasync": 75, "openat": 257}


def header(started: str = "2026-01-02T03:04:05+00:00", **fields: object) -> Header:
    known: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "tool": "tracefs 0.1.0",
        "source": "/srv/db",
        "started": started,
        "start_ns": START_NS,
        "clock": "CLOCK_MONOTONIC",
        "kernel": "6.18.0",
        "machine": "x86_64",
        "mode": "cached",
        "page_size": PAGE,
        "block_size": PAGE,
        "witness": "proc",
        "command": ("python3", "demo.py"),
        "operations": ("create", "write", "fsync", "flush", "release"),
    }
    return Header(**(known | fields))  # type: ignore[arg-type]


class Recorder:
    """A recording in the making: one thread, one file, a tenth of a millisecond between calls."""

    def __init__(self, folder: Path, head: Header | None = None) -> None:
        self.folder = folder
        self._writer = JournalWriter(folder, head or header(), on_failure=_fail)
        self._now = START_NS

    def create(self, path: str = "pages.db", flags: int = RDWR_CREAT, ino: int = 7) -> None:
        start, end = self._times()
        seen = _sighting("openat", 2**64 - 100, 0, flags, 0o644)
        kept = flags & ~0o100  # the kernel removes O_CREAT
        self._writer.event(
            Create(start_ns=start, end_ns=end, tid=TID, path=path, ino=ino, fh=1, flags=kept,
                   mode=0o644, seen=seen)
        )  # fmt: skip

    def write(self, offset: int, size: int = PAGE, *, call: str = "pwrite64") -> None:
        start, end = self._times()
        place, position = (offset, 0) if call == "pwrite64" else (0, offset)
        seen = _sighting(call, 3, 0, size, place, fd=3, position=position)
        self._writer.event(
            Write(start_ns=start, end_ns=end, tid=TID, ino=7, fh=1, offset=offset, size=size,
                  result=size, seen=seen)
        )  # fmt: skip

    def unnamed_write(self, offset: int) -> None:
        start, end = self._times()
        self._writer.event(
            Write(start_ns=start, end_ns=end, tid=TID, ino=7, fh=1, offset=offset, size=PAGE,
                  result=PAGE, seen=Sighting(missing="the caller belongs to another user"))
        )  # fmt: skip

    def seek(self, offset: int, line: int) -> None:
        """Move the position from 0, at a line of ``demo.py`` that its main function called."""
        start, end = self._times()
        stack = (
            Frame(file="/srv/demo.py", line=line, function="put"),
            Frame(file="/srv/demo.py", line=40, function="main"),
        )
        seen = _sighting("lseek", 3, offset, 0, fd=3)
        self._writer.event(
            Notice(start_ns=start, end_ns=end, tid=TID, seen=seen, path="pages.db", stack=stack)
        )

    def sync(self) -> None:
        start, end = self._times()
        seen = _sighting("fdatasync", 3, fd=3)
        self._writer.event(
            Fsync(start_ns=start, end_ns=end, tid=TID, ino=7, fh=1, datasync=True, seen=seen)
        )

    def shut(self) -> None:
        start, end = self._times()
        self._writer.event(Flush(start_ns=start, end_ns=end, tid=TID, ino=7, fh=1))
        self._writer.event(Release(start_ns=end, end_ns=end, tid=0, ino=7, fh=1))

    def finish(self) -> Path:
        self._writer.close(self._now, "unmounted")
        return self.folder

    def _times(self) -> tuple[int, int]:
        self._now += 100_000
        return self._now, self._now + 45_000


def _sighting(name: str, *args: int, fd: int | None = None, position: int = 0) -> Sighting:
    six = (*args, 0, 0, 0, 0, 0, 0)[:6]
    return Sighting(
        nr=NUMBERS[name],
        args=six,
        pid=TID,
        comm="python3",
        fd=fd,
        position=None if fd is None else position,
        fd_flags=None if fd is None else RDWR_CREAT,
        fd_ino=None if fd is None else 7,
    )


def _fail(reason: str) -> NoReturn:
    raise AssertionError(reason)


def kept(folder: Path, head: Header | None = None, path: str = "pages.db") -> Path:
    """Record two pages, each written whole and synced."""
    recorder = Recorder(folder, head)
    recorder.create(path)
    for page in (0, 2):
        recorder.write(page * PAGE)
        recorder.sync()
    recorder.shut()
    return recorder.finish()


def broken(folder: Path) -> Path:
    """Record a page that is too short, and one that is not synced."""
    recorder = Recorder(folder)
    recorder.create()
    recorder.write(8192, 100)
    recorder.sync()
    recorder.write(0)
    recorder.shut()
    return recorder.finish()


def undecided(folder: Path) -> Path:
    """Record a write that nobody can name."""
    recorder = Recorder(folder)
    recorder.create()
    recorder.unnamed_write(0)
    recorder.sync()
    recorder.shut()
    return recorder.finish()


def astray(folder: Path) -> Path:
    """Record two seeks, each from a place of its own, the second of which moves a write."""
    recorder = Recorder(folder, header(witness="seccomp", notified=("lseek",)))
    recorder.create()
    recorder.seek(8192, 12)
    recorder.seek(4096, 23)
    recorder.write(4096, call="write")
    recorder.shut()
    return recorder.finish()


def torn(folder: Path) -> Path:
    """Record as `kept` does, and lose the end."""
    journal = kept(folder) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-200])
    return folder


def buffered() -> dict[str, str]:
    """Return the environment, with standard output buffered as it is for users."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


class Answer(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def tracefs(
    *words: str, stdin: bytes = b"", env: dict[str, str] | None = None, pipe_to: str = ""
) -> Answer:
    """Run ``tracefs`` as a process of its own; *pipe_to* is a shell command that reads it."""
    command = [sys.executable, "-m", "tracefs", *words]
    if pipe_to:
        script = f'set -o pipefail; "$@" | {pipe_to}'
        command = ["bash", "-c", script, "bash", *command]
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        env=buffered() | (env or {}),
        check=False,
        # As a shell would start it: Python ignores SIGPIPE for itself alone.
        preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL),
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
