"""Events as a journal holds them, built in the words of the program that causes them."""

from typing import Any

from tracefs.events import (
    FORMAT,
    VERSION,
    AnyEvent,
    Create,
    Event,
    Flush,
    Fsync,
    Header,
    Notice,
    Open,
    Release,
    Sighting,
    Statfs,
    Write,
)
from tracefs.syscalls import table
from tracefs.trace import Call, TraceItem, join

NUMBERS = {call.name: nr for nr, call in table("x86_64").items()}
O_RDWR, O_CREAT, O_TRUNC, O_APPEND = 0o2, 0o100, 0o1000, 0o2000
O_DSYNC, O_SYNC, O_DIRECT, O_LARGEFILE = 0o10000, 0o4010000, 0o40000, 0o100000
BUFFER = 0x7F0000001000
INO, TID = 77, 100


def header(**changes: Any) -> Header:
    fields: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "tool": "tracefs test",
        "source": "data",
        "started": "2026-01-01T00:00:00+00:00",
        "start_ns": 0,
        "clock": "CLOCK_MONOTONIC",
        "kernel": "6.18",
        "machine": "x86_64",
        "mode": "cached",
        "page_size": 4096,
        "block_size": 4096,
        "witness": "proc",
        "command": None,
        "operations": (),
    }
    return Header(**fields | changes)


def sight(name: str, *args: int, **changes: Any) -> Sighting:
    """Return what /proc shows of a thread in system call *name*; missing arguments are 0."""
    six = tuple(arg % 2**64 for arg in (*args, 0, 0, 0, 0, 0, 0)[:6])
    fields: dict[str, Any] = {
        "nr": NUMBERS[name],
        "args": six,
        "pid": TID,
        "comm": "prog",
        "fd": 3,
        "position": 0,
        "fd_flags": O_RDWR | O_LARGEFILE,
        "fd_ino": INO,
    }
    return Sighting(**fields | changes)


def pwrite(length: int, offset: int, **changes: Any) -> Sighting:
    return sight("pwrite64", 3, BUFFER, length, offset, **changes)


def write(length: int, position: int, **changes: Any) -> Sighting:
    return sight("write", 3, BUFFER, length, position=position, **changes)


class Recording:
    """Events, each a tick of the clock after the last."""

    def __init__(self, **changes: Any) -> None:
        self.header = header(**changes)
        self.events: list[AnyEvent] = []
        self.clock = 0

    def add(self, kind: type[Event], tid: int = TID, **fields: Any) -> None:
        self.clock += 10
        event = kind(start_ns=self.clock, end_ns=self.clock + 5, tid=tid, **fields)
        self.events.append(event)  # type: ignore[arg-type]

    def open(
        self,
        flags: int = O_RDWR,
        *,
        path: str = "a.db",
        fh: int = 1,
        ino: int = INO,
        tid: int = TID,
    ) -> None:
        self.add(Open, tid, path=path, ino=ino, fh=fh, flags=flags | O_LARGEFILE)

    def create(self, flags: int = O_RDWR, *, path: str = "a.db", fh: int = 1, **more: Any) -> None:
        self.add(Create, path=path, ino=INO, fh=fh, flags=flags, mode=0o644, **more)

    def write(self, seen: Sighting | None, offset: int, size: int, **changes: Any) -> None:
        """Add a WRITE that succeeds in full, unless *changes* say otherwise."""
        fields: dict[str, Any] = {"ino": INO, "fh": 1, "result": size} | changes
        if fields.get("errno"):
            fields["result"] = 0
        self.add(Write, offset=offset, size=size, seen=seen, **fields)

    def fsync(self, seen: Sighting | None, *, datasync: bool = True, **changes: Any) -> None:
        fields: dict[str, Any] = {"ino": INO, "fh": 1} | changes
        self.add(Fsync, datasync=datasync, seen=seen, **fields)

    def flush(self, fh: int = 1, tid: int = TID, ino: int = INO, errno: int = 0) -> None:
        self.add(Flush, tid, ino=ino, fh=fh, errno=errno)

    def release(self, fh: int = 1, tid: int = 0) -> None:
        self.add(Release, tid, ino=INO, fh=fh)

    def notice(
        self,
        name: str,
        *args: int,
        tid: int = TID,
        closes: tuple[int, ...] | None = None,
        path: str | None = "a.db",
        **changes: Any,
    ) -> None:
        """Add a notice of system call *name*, of which *changes* are the sighting's fields."""
        seen = sight(name, *args, **changes)
        self.add(Notice, tid, seen=seen, path=None if seen.fd_ino is None else path, closes=closes)

    def statfs(self, tid: int = TID) -> None:
        self.add(Statfs, tid)

    def items(self, *, reads: bool = False) -> list[TraceItem]:
        return list(join(self.header, self.events, reads=reads))

    def calls(self, *families: str) -> list[Call]:
        """Return the calls, of some families or of all."""
        calls = [item for item in self.items() if isinstance(item, Call)]
        return [call for call in calls if not families or call.family in families]

    def one(self, family: str) -> Call:
        """Return the only call of *family*."""
        (call,) = self.calls(family)
        return call
