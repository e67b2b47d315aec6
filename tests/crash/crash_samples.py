"""Images and bytes for tests, and checkers that other processes can import."""

import fcntl
import os
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tracefs.crash.store import Store
from tracefs.errors import RecordingError
from tracefs.persistence.image import PAGE, Content, Image, Node

OWNER = os.geteuid(), os.getegid()


class Memory:
    """Bytes from memory."""

    def __init__(self, pages: dict[int, bytes], bases: dict[int, bytes]) -> None:
        self.pages, self.bases = pages, bases

    def page(self, number: int) -> bytes:
        return self.pages[number]

    def base(self, ino: int, offset: int, size: int) -> bytes:
        return self.bases[ino][offset : offset + size]


class Starting:
    """A starting tree with one file for each number: that number's digits, ten times."""

    def read(self, ino: int, offset: int, size: int) -> bytes:
        if ino == 404:
            raise RecordingError("it was changed")
        return (str(ino).encode() * 10)[offset : offset + size]


def starting(_: Path) -> Starting:
    return Starting()


def store(pages: str) -> Store:
    return Store(pages, Path("recording"), starting)


def directory(ino: int, permissions: int = 0o755) -> Node:
    return Node(ino, stat.S_IFDIR | permissions, *OWNER)


def regular(ino: int, content: Content | None = None, permissions: int = 0o644) -> Node:
    return Node(ino, stat.S_IFREG | permissions, *OWNER, content or Content(0))


def tree(*nodes: tuple[str, Node]) -> Image:
    return Image(((".", directory(1)), *nodes))


def numbered(number: int) -> Image:
    """Return a tree with one file, ``n``, that has *number* bytes."""
    return tree(("n", regular(2, Content(number))))


# ---------------------------------------------------------------- ready checkers


def size_is_even(state: Path, _: Sequence[str]) -> str | None:
    size = (state / "n").stat().st_size
    return f"{state}/n has {size} bytes" if size % 2 else None


def do_as_told(state: Path, acks: Sequence[str]) -> str | None:
    """Do what the first acknowledgement says."""
    told = acks[0]
    if told == "raise":
        raise ValueError(f"{state} is strange")
    if told == "exit":
        os._exit(3)
    if told == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if told == "hang":
        time.sleep(1000)
    if told == "leave":
        subprocess.Popen(["sleep", "1000"])
    if told == "print":
        os.write(1, b"x" * 1_000_000)
    if told == "change":
        (state / "more").write_text("more", encoding="utf-8")
    if told == "where":
        names = ("HOME", "TMPDIR", "SECRET", "TRACEFS_ACKS")
        return " ".join([str(Path.cwd()), *(os.environ.get(name, "-") for name in names)])
    if told == "pid":
        return str(os.getpid())
    return None


def kill_parent_of_one_state(state: Path, acks: Sequence[str]) -> str | None:
    """Kill the process that asks about one with thirteen bytes; else as `size_is_even`.

    The first acknowledgement names a file that has its lock as long as it lives.
    """
    if (state / "n").stat().st_size == 13:
        with open(acks[0], "ab") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(1000)
    return size_is_even(state, acks)


def page(number: int) -> bytes:
    return bytes([number % 255 + 1]) * PAGE
