"""Many files: real ones, and a recording that tells of many."""

import os
from pathlib import Path
from typing import Final

from tracefs.events import FORMAT, VERSION, Create, Flush, Fsync, Fsyncdir, Header, Release, Write
from tracefs.journal.writer import JournalWriter

_IN_ONE: Final = 1000


def make_files(directory: Path, count: int) -> None:
    """Make *count* empty files, a thousand in each directory."""
    for number in range(count):
        folder, place = divmod(number, _IN_ONE)
        if not place:
            os.mkdir(directory / f"dir{folder:04d}")
        os.mknod(f"{directory}/dir{folder:04d}/file{place:04d}.txt")


def record_files(folder: Path, count: int) -> None:
    """Write the recording of a program that made *count* files, and wrote, synced and closed each.

    By the writer that the server uses; the directory is synced after each.
    """
    journal = JournalWriter(folder, _HEADER, on_failure=_fail)
    for ino in range(2, count + 2):
        # Each event takes a nanosecond, and follows the one before.
        start = 10 * ino
        path = f"file{ino}"
        journal.event(
            Create(
                start_ns=start, end_ns=start + 1, tid=1, path=path, ino=ino, fh=ino, flags=2, mode=0
            )
        )
        journal.event(
            Write(
                start_ns=start + 1,
                end_ns=start + 2,
                tid=1,
                ino=ino,
                fh=ino,
                offset=0,
                size=4096,
                result=4096,
            )
        )
        journal.event(
            Fsync(start_ns=start + 2, end_ns=start + 3, tid=1, ino=ino, fh=ino, datasync=True)
        )
        journal.event(Flush(start_ns=start + 3, end_ns=start + 4, tid=1, ino=ino, fh=ino))
        journal.event(Release(start_ns=start + 4, end_ns=start + 5, tid=1, ino=ino, fh=ino))
        journal.event(
            Fsyncdir(start_ns=start + 5, end_ns=start + 6, tid=1, path=".", ino=1, datasync=False)
        )
    journal.close(10 * (count + 2), "unmounted")


def _fail(why: str) -> None:
    raise AssertionError(why)


_HEADER: Final = Header(
    format=FORMAT,
    version=VERSION,
    tool="soak",
    source=".",
    started="2026-01-01T00:00:00+00:00",
    start_ns=0,
    clock="CLOCK_MONOTONIC",
    kernel="6.18",
    machine="x86_64",
    mode="cached",
    page_size=4096,
    block_size=4096,
    witness="none",
    command=None,
    operations=("create", "write", "fsync", "fsyncdir", "flush", "release"),
)
