"""Headers and events for the tests of the journal, fixed ones and arbitrary ones."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from tracefs.events import (
    FORMAT,
    VERSION,
    AnyEvent,
    Copy,
    Create,
    Fallocate,
    Flush,
    Frame,
    Fsync,
    Fsyncdir,
    Header,
    Injected,
    Ioctl,
    Lost,
    Mark,
    Notice,
    Open,
    Release,
    Rename,
    Sighting,
    Withdrawn,
    Write,
)
from tracefs.journal.writer import JournalWriter
from tracefs.pathtext import to_text

EVENT_TYPES: Final[tuple[type[msgspec.Struct], ...]] = get_args(AnyEvent)

HEADER: Final = Header(
    format=FORMAT,
    version=VERSION,
    tool="tracefs 0.1.0",
    source="/home/ada/pages",
    started="2026-11-23T20:49:10+01:00",
    start_ns=7_306_120_418_227,
    clock="CLOCK_MONOTONIC",
    kernel="6.18.44",
    machine="x86_64",
    mode="cached",
    page_size=4096,
    block_size=4096,
    witness="proc",
    command=("pagealloc", "write", "pages.db", "0", "first page"),
    operations=("open", "create", "write", "fsync", "flush", "release"),
)

_O_RDWR_LARGEFILE: Final = os.O_RDWR | 0o100000
_SEEN: Final[dict[str, Any]] = {
    "pid": 4242, "comm": "pagealloc", "fd": 3, "position": 0, "fd_ino": 131,
    "fd_flags": _O_RDWR_LARGEFILE | os.O_CLOEXEC,
}  # fmt: skip

PAGE_WRITE: Final[tuple[AnyEvent, ...]] = (
    Open(
        start_ns=7_306_121_000_150,
        end_ns=7_306_121_031_904,
        tid=4242,
        path="pages.db",
        ino=131,
        fh=1,
        flags=_O_RDWR_LARGEFILE,
        size=8192,
        seen=Sighting(
            nr=257,
            args=(0xFFFFFFFFFFFFFF9C, 0x7F3A54D01B30, 0o102 | 0o2000000, 0o644, 0, 0),
            pid=4242,
            comm="pagealloc",
        ),
    ),
    Write(
        start_ns=7_306_121_090_388,
        end_ns=7_306_121_118_057,
        tid=4242,
        ino=131,
        fh=1,
        offset=4096,
        size=4096,
        result=4096,
        seen=Sighting(nr=18, args=(3, 0x7F3A54C03020, 4096, 4096, 0, 0), **_SEEN),
    ),
    Fsync(
        start_ns=7_306_121_150_871,
        end_ns=7_306_122_987_340,
        tid=4242,
        ino=131,
        fh=1,
        datasync=True,
        seen=Sighting(nr=75, args=(3, 0, 0, 0, 0, 0), **_SEEN),
    ),
    Flush(start_ns=7_306_123_020_117, end_ns=7_306_123_024_466, tid=4242, ino=131, fh=1),
    Release(start_ns=7_306_123_060_943, end_ns=7_306_123_068_201, tid=0, ino=131, fh=1),
)
"""One page written and made durable, as the page writers of this project do it."""

NAMES: Final[tuple[AnyEvent, ...]] = (
    Create(
        start_ns=10,
        end_ns=11,
        tid=7,
        path=to_text(b"ol\xe9\\.tmp"),
        ino=9,
        fh=2,
        flags=2,
        mode=0o600,
    ),
    Rename(start_ns=12, end_ns=13, tid=7, path=to_text(b"\xff\n"), old="a", ino=9, errno=18),
    Fsyncdir(start_ns=14, end_ns=15, tid=7, path=".", ino=1, datasync=False),
)
"""Names that need escapes, and an error."""


CARRIED: Final[tuple[AnyEvent, ...]] = (
    Copy(
        start_ns=21,
        end_ns=22,
        tid=7,
        ino=9,
        fh=2,
        offset=4096,
        size=8192,
        result=8192,
        from_ino=131,
        from_fh=1,
        from_offset=0,
    ),
    Fallocate(start_ns=23, end_ns=24, tid=7, ino=9, fh=2, mode=1, offset=0, size=65536),
    Ioctl(start_ns=25, end_ns=26, tid=7, path="a", ino=9, command=0x40086602),
)
"""Requests that pyfuse3 has no handlers for."""


NOTICED: Final[tuple[AnyEvent, ...]] = (
    Notice(
        start_ns=7_306_121_050_101,
        end_ns=7_306_121_062_777,
        tid=4242,
        path="pages.db",
        seen=Sighting(nr=8, args=(3, 4096, 0, 0, 0, 0), **_SEEN),
        stack=(
            Frame(module="/usr/lib/libc.so.6", address=0xFB3F7, build="c1f2"),
            Frame(file="/home/ada/writer.py", line=7, function="main"),
        ),
    ),
    Notice(
        start_ns=7_306_123_010_001,
        end_ns=7_306_123_012_001,
        tid=4242,
        seen=Sighting(nr=231, args=(0, 0, 0, 0, 0, 0), pid=4242, comm="pagealloc"),
        closes=(131,),
    ),
    Withdrawn(start_ns=19, end_ns=19, tid=4242),
    Lost(start_ns=20, end_ns=20, tid=0, reason="the supervisor was ended by signal 9"),
)
"""A call that the seccomp witness was notified of, and the end of that witness."""


MARKED: Final = Mark(start_ns=7_306_123_100_000, end_ns=7_306_123_100_000, tid=4242, text="load")


def record(
    folder: Path, events: Iterable[AnyEvent], *, header: Header = HEADER, payload: bool = False
) -> Path:
    """Write a whole recording of *events* and return its journal."""
    writer = JournalWriter(folder, header, payload=payload, on_failure=unexpected)
    for event in events:
        writer.event(event)
    writer.close(end_ns=header.start_ns + 1, reason="unmounted")
    return folder / "journal.jsonl"


def unexpected(reason: str) -> None:
    """Fail the test: journalling was not meant to stop."""
    raise AssertionError(reason)


def _event(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: _field(hint) for name, hint in get_type_hints(kind).items()})


def _field(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is tuple:
        return st.lists(_VALUES[get_args(hint)[0]], max_size=3).map(tuple)
    parts = get_args(hint) or (hint,)
    return st.one_of([_field(p) if get_origin(p) is tuple else _VALUES[p] for p in parts])


_UNSIGNED: Final = st.integers(0, 2**64 - 1)
PATHS: Final = st.binary(max_size=40).map(to_text) | st.text(max_size=20).filter(
    lambda text: text.isprintable()
)
_SIGHTINGS: Final = st.builds(
    Sighting,
    nr=st.integers(-1, 600),
    args=st.lists(_UNSIGNED, max_size=6).map(tuple),
    pid=st.none() | _UNSIGNED,
    comm=st.none() | PATHS,
    position=st.none() | st.integers(0, 2**63 - 1),
    missing=st.none() | PATHS,
)
_VALUES: Final[dict[Any, st.SearchStrategy[Any]]] = {
    int: st.integers(-(2**63), 2**64 - 1),
    str: PATHS,
    bool: st.booleans(),
    type(None): st.none(),
    Sighting: _SIGHTINGS,
    Frame: st.builds(
        Frame, module=st.none() | PATHS, address=_UNSIGNED, line=st.none() | _UNSIGNED
    ),
    Injected: st.builds(
        Injected,
        rule=PATHS,
        kind=st.sampled_from(["error", "retval", "short", "delay", "stuck", "rot"]),
        delay_ns=_UNSIGNED,
    ),
}

EVENTS: Final[st.SearchStrategy[AnyEvent]] = st.one_of([_event(kind) for kind in EVENT_TYPES])
"""Any event that the structures allow."""
