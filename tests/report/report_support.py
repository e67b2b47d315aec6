"""Calls and headers for the tests of reports."""

from typing import Any

from tracefs.events import FORMAT, VERSION, Header
from tracefs.trace.call import Call

START_NS = 1_000_000_000
PAGE = 4096

HEADER = Header(
    format=FORMAT,
    version=VERSION,
    tool="tracefs 0.1.0",
    source="/srv/db",
    started="2026-01-02T03:04:05+00:00",
    start_ns=START_NS,
    clock="CLOCK_MONOTONIC",
    kernel="6.18.0",
    machine="x86_64",
    mode="cached",
    page_size=PAGE,
    block_size=PAGE,
    witness="proc",
    command=("python3", "write pages.py"),
    operations=("write", "fsync"),
)


def call(name: str, family: str, **fields: Any) -> Call:
    """Return a call of thread 12341 on pages.db that took 45 microseconds; *fields* override."""
    index = fields.get("index", 0)
    known: dict[str, Any] = {
        "index": index,
        "known_by": "proc",
        "path": "pages.db",
        "ino": 7,
        "start_ns": START_NS + 123_000 + index * 100_000,
        "end_ns": START_NS + 168_000 + index * 100_000,
        "tid": 12341,
        "pid": 12341,
    }
    return Call(call=name, family=family, **(known | fields))


def pwrite(offset: int, length: int = PAGE, **fields: Any) -> Call:
    """Return a pwrite64 through descriptor 3 that wrote everything."""
    known: dict[str, Any] = {"fd": 3, "result": length, "fragments": 1}
    return call("pwrite64", "write", offset=offset, length=length, **(known | fields))


def fdatasync(**fields: Any) -> Call:
    """Return an fdatasync that succeeded."""
    known: dict[str, Any] = {"fd": 3, "result": 0, "datasync": True}
    return call("fdatasync", "sync", **(known | fields))


def close(**fields: Any) -> Call:
    """Return a close."""
    return call("close", "close", **({"fd": 3, "result": 0} | fields))
