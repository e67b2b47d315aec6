"""A supervisor whose listener is a pipe: one byte for each call that waits, its end for the last.

What is called is stated here, by the test's own process: its descriptors and memory are real.
"""

import errno
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import PAGESIZE, mmap
from pathlib import Path
from typing import Any

import pytest
from witness_support import NUMBERS

from tracefs.events import AnyEvent, Frame, Lost, Notice
from tracefs.journal.appender import JournalAppender
from tracefs.witness import seccomp
from tracefs.witness.bpf import ARCHITECTURES
from tracefs.witness.files import TracedMount
from tracefs.witness.procfs import parse_fdinfo
from tracefs.witness.seccomp import Stopped
from tracefs.witness.supervisor import Supervisor
from tracefs.witness.threads import Fdinfo

OWN = ARCHITECTURES[platform.machine()]


class Lines(JournalAppender):
    """A journal that is a list."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def append(self, event: AnyEvent) -> str | None:
        self.events.append(event)
        return None


class Listener:
    """What the kernel would do."""

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()
        self._waiting: list[Stopped] = []
        self.valid: set[int] = set()
        """Calls that still wait."""
        self.killed: set[int] = set()
        """Calls whose thread is killed before they are answered."""
        self.done: list[tuple[object, ...]] = []
        """What became of them, in order."""

    def stop(self, name: str, *args: int, tid: int | None = None, architecture: int = OWN) -> int:
        """Let a thread, the test's own without another, stop at a call; return its number."""
        number = len(self.valid)
        tid = threading.get_native_id() if tid is None else tid
        words = (*args, *[0] * (6 - len(args)))
        self._waiting.append(Stopped(number, tid, NUMBERS[name], architecture, 0, words))
        self.valid.add(number)
        os.write(self._write_end, b"x")
        return number

    def hang_up(self) -> None:
        os.close(self._write_end)

    def close(self) -> None:
        os.close(self.read_end)

    def receive(self, _listener: int, _slot: memoryview) -> Stopped:
        if not os.read(self.read_end, 1):
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        stopped = self._waiting.pop(0)
        self.done.append(("received", stopped.id))
        return stopped

    def let_go(self, _listener: int, number: int) -> bool:
        self.done.append(("let go", number))
        return number not in self.killed

    def refuse(self, _listener: int, number: int, error: int) -> bool:
        self.done.append(("refused", number, error))
        return number not in self.killed

    def still_waits(self, _listener: int, number: int) -> bool:
        return number in self.valid


class Supervised:
    """One supervisor, to be run to its end."""

    def __init__(self, listener: Listener, root: Path, **how: Any) -> None:
        self.listener = listener
        self.file = os.open(root / "f", os.O_RDWR | os.O_CREAT)
        with open(f"/proc/self/fdinfo/{self.file}", "rb") as text:
            info = Fdinfo(*parse_fdinfo(text.read()))
        device = os.fstat(self.file).st_dev
        mount = TracedMount(
            id=info.mount or 0, device=(os.major(device), os.minor(device)), root=str(root)
        )
        self.journal = Lines()
        given = {
            "machine": platform.machine(),
            "mount": mount,
            "backing": self.file,
            "stacks": None,
            "with_stack": frozenset(),
            "most_stacks": 0,
            "most_threads": 4,
        }
        page = mmap(-1, PAGESIZE)
        self.supervisor = Supervisor(listener.read_end, page, self.journal, **{**given, **how})

    def run(self) -> list[Notice]:
        """Run it until every call that waits is answered; return what was written."""
        self.listener.hang_up()
        self.supervisor.run()
        assert not any(isinstance(event, Lost) for event in self.journal.events)
        return [event for event in self.journal.events if isinstance(event, Notice)]

    def close(self) -> None:
        os.close(self.file)
        self.listener.close()


class FixedStacks:
    """Reads the same stack of everybody, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def capture(self, tid: int) -> tuple[tuple[Frame, ...], str | None]:
        if self._error is not None:
            raise self._error
        return (Frame(module="/odd", address=tid),), None


@contextmanager
def supervised(patch: pytest.MonkeyPatch, root: Path, **how: Any) -> Iterator[Supervised]:
    """A supervisor of the files in *root*; *how* are arguments of its own."""
    listener = Listener()
    for name in ("receive", "let_go", "refuse", "still_waits"):
        patch.setattr(seccomp, name, getattr(listener, name))
    made = Supervised(listener, root, **how)
    try:
        yield made
    finally:
        made.close()
