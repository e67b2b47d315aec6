"""Syncs that only come after one that failed."""

from errno import EINTR, EIO
from typing import Any

import pytest
from trace_support import INO, O_RDWR, O_TRUNC, Recording, pwrite, sight

from tracefs.events import Copy, Create, Event, Fallocate, Injected, Open, Setattr

OTHER = INO + 1


def recorded(*, errno: int = EIO, **failed: Any) -> Recording:
    """Return a write, and a sync that fails."""
    recording = Recording()
    recording.open()
    recording.open(path="b.db", fh=2, ino=OTHER)
    recording.write(pwrite(4096, 0), 0, 4096)
    recording.fsync(sight("fdatasync", 3), errno=errno, **failed)
    return recording


def after_failed(recording: Recording) -> list[int | None]:
    """Return what is said of each sync, the failed one first."""
    return [call.after_failed for call in recording.calls("sync")]


def test_each_sync_until_something_is_written_proves_nothing() -> None:
    recording = recorded()
    for _ in range(2):
        recording.fsync(sight("fdatasync", 3))
    recording.write(pwrite(4096, 0), 0, 4096)
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, 3, 3, None]
    assert [call.proves for call in recording.calls("sync")] == [False, False, False, True]


def test_the_last_failure_is_named() -> None:
    recording = recorded()
    recording.fsync(sight("fdatasync", 3), errno=EIO)
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, None, 4]


def test_a_sync_of_another_file_is_another_matter() -> None:
    recording = recorded()
    recording.fsync(sight("fdatasync", 4, fd_ino=OTHER), fh=2, ino=OTHER)
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, None, 3]


def test_an_interrupted_sync_lost_nothing() -> None:
    recording = recorded(errno=EINTR)
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, None]


def test_a_sync_that_claimed_success_and_lost_its_data_has_failed() -> None:
    recording = recorded(errno=0, injected=(Injected(rule="r", kind="lost"),))
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, 3]


@pytest.mark.parametrize(
    ("kind", "fields", "changes"),
    [
        (Setattr, {"path": "a.db", "size": 0}, True),
        (Setattr, {"path": "a.db", "mode": 0o600}, False),
        (Setattr, {"path": "a.db", "size": 0, "errno": EIO}, False),
        (Open, {"path": "a.db", "fh": 3, "flags": O_RDWR | O_TRUNC}, True),
        (Open, {"path": "a.db", "fh": 3, "flags": O_RDWR}, False),
        (Create, {"path": "new", "fh": 3, "flags": O_RDWR, "mode": 0o600}, True),
        (
            Create,
            {"path": "a.db", "fh": 3, "flags": O_RDWR, "mode": 0o600, "existed": True},
            False,
        ),
        (Fallocate, {"fh": 1, "mode": 0, "offset": 0, "size": 1}, True),
        (
            Copy,
            {
                "fh": 1, "offset": 0, "size": 1, "result": 1,
                "from_ino": OTHER, "from_fh": 2, "from_offset": 0,
            },
            True,
        ),
    ],
)  # fmt: skip
def test_what_counts_as_written(kind: type[Event], fields: dict[str, Any], changes: bool) -> None:
    recording = recorded()
    recording.add(kind, ino=INO, **fields)
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, None if changes else 3]


def test_a_write_that_failed_changed_nothing() -> None:
    recording = recorded()
    recording.write(pwrite(4096, 0), 0, 4096, errno=EIO)
    recording.fsync(sight("fdatasync", 3))
    assert after_failed(recording) == [None, 3]
