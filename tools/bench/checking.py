"""How fast a long journal is checked, and in how much memory."""

from pathlib import Path

from msgspec import Struct

from bench.mount import BenchError
from bench.startup import run_once
from bench.targets import TRACEFS, pinned
from tracefs.events import FORMAT, VERSION, Create, Flush, Fsync, Header, Release, Sighting, Write
from tracefs.journal.writer import JournalWriter

_PWRITE64, _FDATASYNC = 18, 75
"""System call numbers on x86_64, which the header names."""
_PAGES = 4096


class Checking(Struct, frozen=True, kw_only=True):
    """One check of one journal."""

    calls: int
    bytes: int
    """Size of the journal."""
    calls_per_s: int
    peak_kib: int


def check_speed(scratch: Path, calls: int) -> Checking:
    """Write a journal of *calls* calls that keep ``page-write``, and check it on one core.

    Raises:
        BenchError: It can't be written or checked, or is not judged kept.
    """
    folder = scratch / f"{calls}-calls.trace"
    write_journal(folder, calls)
    run = run_once([*pinned("one core"), TRACEFS, "check", str(folder)], scratch)
    return Checking(
        calls=calls,
        bytes=sum(file.stat().st_size for file in folder.iterdir()),
        calls_per_s=calls * 1_000_000_000 // run.wall_ns,
        peak_kib=run.peak_kib,
    )


def write_journal(folder: Path, calls: int) -> None:
    """Record an open, pairs of pwrite64 and fdatasync, and a close: *calls* in all, an even number.

    Raises:
        BenchError: The disk doesn't take it.
    """
    failures: list[str] = []
    journal = JournalWriter(folder, _header(), on_failure=failures.append)
    journal.event(
        Create(start_ns=1, end_ns=2, tid=7, path="pages", ino=2, fh=1, flags=0o102, mode=0o644)
    )
    for pair in range(calls // 2 - 1):
        _record_pair(journal, pair)
    end = 10 * calls
    journal.event(Flush(start_ns=end, end_ns=end + 1, tid=7, ino=2, fh=1))
    journal.event(Release(start_ns=end + 2, end_ns=end + 3, tid=0, ino=2, fh=1))
    journal.close(end + 4, "unmounted")
    if failures:
        raise BenchError(failures[0])


def _record_pair(journal: JournalWriter, pair: int) -> None:
    now, offset = 10 * pair + 10, pair % _PAGES * 4096
    journal.event(
        Write(
            start_ns=now,
            end_ns=now + 1,
            tid=7,
            ino=2,
            fh=1,
            offset=offset,
            size=4096,
            result=4096,
            seen=_seen(_PWRITE64, (3, 140_000_000_000_000, 4096, offset, 0, 0)),
        )
    )
    journal.event(
        Fsync(
            start_ns=now + 2,
            end_ns=now + 3,
            tid=7,
            ino=2,
            fh=1,
            datasync=True,
            seen=_seen(_FDATASYNC, (3, 0, 0, 0, 0, 0)),
        )
    )


def _seen(number: int, arguments: tuple[int, ...]) -> Sighting:
    return Sighting(
        nr=number,
        args=arguments,
        pid=7,
        comm="bench",
        fd=3,
        position=0,
        fd_flags=0o100002,
        fd_ino=2,
    )


def _header() -> Header:
    return Header(
        format=FORMAT,
        version=VERSION,
        tool="bench",
        source="bench",
        started="2000-01-01T00:00:00+00:00",
        start_ns=0,
        clock="CLOCK_MONOTONIC",
        kernel="bench",
        machine="x86_64",
        mode="cached",
        page_size=4096,
        block_size=4096,
        witness="proc",
        command=("bench",),
        operations=("open", "create", "write", "fsync", "flush", "release"),
    )
