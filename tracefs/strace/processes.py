"""Threads and processes, and what each holds: descriptors, working directory, memory."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tracefs.strace.files import File
from tracefs.strace.memory import Memory

CLONE_VM: Final = "CLONE_VM"
CLONE_FS: Final = "CLONE_FS"
CLONE_FILES: Final = "CLONE_FILES"
CLONE_THREAD: Final = "CLONE_THREAD"


class Opened(Struct, kw_only=True, eq=False):
    """One open file description (open(2)), as long as descriptors or mappings of it are left."""

    handle: int
    path: bytes | None
    """Where the file is now; kept as it was last when the name is gone."""
    file: File | None
    """None: nothing of interest."""
    flags: tuple[str, ...] | None
    """As given to open(2); None: it was opened before the text began, or unseen."""
    position: int | None = None
    """File position; None: not known."""
    followed: bool = True
    """Everything that can move the position is in the text."""
    append: bool = False
    descriptors: int = 0

    def move(self, position: int | None) -> None:
        """Set the file position, as far as it can be followed."""
        self.position = position if self.followed else None

    @property
    def seen(self) -> bool:
        """Its open is in the text."""
        return self.flags is not None

    @property
    def writable(self) -> bool | None:
        """Whether it can write; None: not known."""
        if self.flags is None:
            return None
        return "O_WRONLY" in self.flags or "O_RDWR" in self.flags


class Entry(Struct, eq=False):
    """One descriptor."""

    opened: Opened
    cloexec: bool = False


class Descriptors:
    """The descriptors of one process, or of several that share them (CLONE_FILES)."""

    def __init__(self) -> None:
        self.users = 1
        """Threads that share them."""
        self._entries: dict[int, Entry] = {}

    def get(self, number: int) -> Entry | None:
        """Return what descriptor *number* is of."""
        return self._entries.get(number)

    def put(self, number: int, opened: Opened, *, cloexec: bool) -> None:
        """Let *number*, which is free, stand for *opened*."""
        opened.descriptors += 1
        self._entries[number] = Entry(opened, cloexec)

    def take(self, number: int) -> Opened | None:
        """Remove *number*; return what it was of."""
        entry = self._entries.pop(number, None)
        if entry is None:
            return None
        entry.opened.descriptors -= 1
        return entry.opened

    def detach(self, number: int) -> Opened | None:
        """Free *number* for others while its close is not over; return what it was of."""
        entry = self._entries.pop(number, None)
        return None if entry is None else entry.opened

    def attach(self, number: int, opened: Opened) -> None:
        """Undo `detach`: the end of the process closes it."""
        self._entries.setdefault(number, Entry(opened))

    def copy(self) -> "Descriptors":
        """Return what a fork makes of them."""
        made = Descriptors()
        for number, entry in self._entries.items():
            made.put(number, entry.opened, cloexec=entry.cloexec)
        return made

    def numbers(self, first: int = 0, last: int | None = None) -> list[int]:
        """Return the numbers in use from *first* to *last*, in order."""
        return sorted(n for n in self._entries if first <= n and (last is None or n <= last))

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Yield each number with what it is of."""
        yield from self._entries.items()


class Directory(Struct, eq=False):
    """A working directory, shared by threads (CLONE_FS)."""

    path: bytes | None = None


class Thread(Struct, kw_only=True, eq=False):
    """A thread that the text shows."""

    tid: int | None
    """None: the text has no numbers."""
    pid: int | None
    """Its process, that is the first thread in it."""
    files: Descriptors
    directory: Directory
    memory: Memory[Opened]
    older: bool = False
    """It was there before the text begins, or nothing shows who made it."""
    exiting: str | None = None
    """The exit that it, or its process, called."""
    calls: int = 0
    end_ns: int = 0
    """When its last call was over."""


def child(parent: Thread, tid: int, shares: frozenset[str]) -> Thread:
    """Return the thread that *parent* made by clone with the flags *shares*."""
    files = parent.files
    if CLONE_FILES in shares:
        files.users += 1
    else:
        files = files.copy()
    return Thread(
        tid=tid,
        pid=parent.pid if CLONE_THREAD in shares else tid,
        files=files,
        directory=parent.directory if CLONE_FS in shares else Directory(parent.directory.path),
        memory=parent.memory if CLONE_VM in shares else parent.memory.copy(),
    )
