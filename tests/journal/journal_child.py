"""Writes journals in a process of its own, for tests that fill a disk or kill the writer."""

import itertools
import json
import os
import resource
import sys
from pathlib import Path

from journal_samples import HEADER, unexpected

from tracefs.events import Write
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter


def event(number: int) -> Write:
    """Return the write of page *number*."""
    return Write(
        start_ns=number, end_ns=number, tid=1, ino=2, fh=3, offset=number * 4096, size=1, result=1
    )


def until_it_fails(folder: Path, freed: Path) -> None:
    """Write until journalling stops, free space, write on, and report."""
    reasons: list[str] = []
    writer = JournalWriter(folder, HEADER, on_failure=reasons.append)
    for number in range(10_000):
        writer.event(event(number))
    journal = folder / "journal.jsonl"
    size = journal.stat().st_size
    freed.unlink(missing_ok=True)
    writer.event(event(0))
    writer.close(end_ns=1, reason="unmounted")
    with JournalReader(folder) as reader:
        read = sum(1 for _ in reader.events())
    report = {
        "reasons": reasons,
        "failed": writer.failed,
        "accepted": writer.events,
        "read": read,
        "complete": reader.ending.complete,
        "size": size,
        "size_after_space_was_freed": journal.stat().st_size,
    }
    sys.stdout.write(json.dumps(report))


def acknowledge(folder: Path) -> None:
    """Write for ever, one byte to standard output after each event."""
    writer = JournalWriter(folder, HEADER, on_failure=unexpected)
    for number in itertools.count():
        writer.event(event(number))
        os.write(1, b".")


def main() -> None:
    """Do what the first argument names in the folder of the second."""
    folder = Path(sys.argv[2])
    filler = folder.with_name("filler")
    if sys.argv[1] == "acknowledge":
        acknowledge(folder)
    elif sys.argv[1] == "fill":
        filler.write_bytes(bytes(16 << 10))
        until_it_fails(folder, filler)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_001, resource.RLIM_INFINITY))
        until_it_fails(folder, filler)


if __name__ == "__main__":
    main()
