"""An FSYNC that a flag of a write caused is no call of its own."""

import pytest
from trace_support import BUFFER, O_DSYNC, O_RDWR, O_SYNC, TID, Recording, pwrite, sight

from tracefs.events import Sighting

DSYNC = pwrite(4096, 0, fd_flags=O_RDWR | O_DSYNC)


def rwf(bits: int) -> Sighting:
    return sight("pwritev2", 3, BUFFER, 1, 0, 0, bits, vector_bytes=4096)


def opened(flags: int = O_RDWR, mode: str = "cached") -> Recording:
    recording = Recording(mode=mode)
    recording.open(flags)
    return recording


@pytest.mark.parametrize(
    ("flags", "seen", "flag"),
    [
        (O_RDWR | O_DSYNC, DSYNC, "O_DSYNC"),
        (O_RDWR | O_SYNC, pwrite(4096, 0, fd_flags=O_RDWR | O_SYNC), "O_SYNC"),
        (O_RDWR | O_SYNC, pwrite(4096, 0, fd_flags=None), "O_SYNC"),
        (O_RDWR, rwf(2), "RWF_DSYNC"),
        (O_RDWR, rwf(4), "RWF_SYNC"),
    ],
)
def test_the_write_carries_the_flag(flags: int, seen: Sighting, flag: str) -> None:
    recording = opened(flags)
    recording.write(seen, 0, 4096)
    recording.fsync(seen, datasync="D" in flag)
    (call,) = recording.calls("write", "sync")
    assert (call.synced_by, call.result, call.reason) == (flag, 4096, None)
    assert (call.start_ns, call.end_ns) == (20, 35)


def test_all_fragments_come_before_the_sync() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4000)
    recording.write(DSYNC, 4000, 96)
    recording.fsync(DSYNC)
    (call,) = recording.calls("write", "sync")
    assert (call.fragments, call.synced_by) == (2, "O_DSYNC")


def test_a_failed_sync_fails_the_write() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096)
    recording.fsync(DSYNC, errno=5)
    (call,) = recording.calls("write", "sync")
    assert (call.result, call.errno, call.synced_by) == (None, 5, None)


def test_a_short_write_is_synced_too() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 2000)
    recording.write(DSYNC, 2000, 2096, errno=28)
    recording.fsync(DSYNC)
    (call,) = recording.calls("write", "sync")
    assert (call.result, call.errno, call.synced_by) == (2000, 0, "O_DSYNC")


def test_a_failed_write_waits_for_no_sync() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096, errno=28)
    recording.fsync(sight("fdatasync", 3, fd_flags=O_RDWR | O_DSYNC))
    assert [call.call for call in recording.calls("write", "sync")] == ["pwrite64", "fdatasync"]


def test_a_sync_that_does_not_come_is_not_made_up() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096)
    recording.fsync(sight("fdatasync", 3))
    write, sync = recording.calls("write", "sync")
    assert (write.synced_by, write.result) == (None, 4096)
    assert write.reason == "no sync followed, though O_DSYNC asks for one"
    assert sync.call == "fdatasync"


def test_the_journal_may_end_before_the_sync() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096)
    call = recording.one("write")
    assert (call.result, call.synced_by) == (None, None)
    assert "the journal ends within this call" in (call.reason or "")


def test_another_thread_syncs_for_itself() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096)
    recording.fsync(sight("fdatasync", 3), tid=TID + 1)
    recording.fsync(DSYNC)
    calls = recording.calls("write", "sync")
    assert [(call.call, call.synced_by) for call in calls] == [
        ("fdatasync", None),
        ("pwrite64", "O_DSYNC"),
    ]


def test_a_sync_for_which_no_flag_is_known_is_unknown() -> None:
    recording = opened()
    recording.write(pwrite(4096, 0), 0, 4096)
    recording.fsync(pwrite(4096, 0))
    sync = recording.one("sync")
    assert (sync.call, sync.known_by) == ("unknown", None)
    expected = "pwrite64 was seen, but no write or flag of it explains this sync"
    assert sync.reason == expected


def test_an_unseen_sync_after_such_a_write_is_credited_to_nobody() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096)
    recording.fsync(None)
    write, sync = recording.calls("write", "sync")
    assert (write.synced_by, sync.call) == (None, "unknown")


def test_sendfile_syncs_after_each_piece() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    seen = sight("sendfile", 3, 4, 0, 8192, fd_flags=O_RDWR | O_DSYNC)
    for offset in (0, 4096):
        recording.write(seen, offset, 4096)
        recording.fsync(seen)
    (call,) = recording.calls("write", "sync")
    assert (call.result, call.fragments, call.synced_by) == (8192, 2, "O_DSYNC")


def test_sendfile_whose_last_piece_was_not_synced_is_not() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    seen = sight("sendfile", 3, 4, 0, 8192, fd_flags=O_RDWR | O_DSYNC)
    recording.write(seen, 0, 4096)
    recording.fsync(seen)
    recording.write(seen, 4096, 4096)
    recording.flush()
    assert recording.one("write").synced_by is None


def test_sendfile_whose_sync_fails_midway_has_no_visible_result() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    seen = sight("sendfile", 3, 4, 0, 8192, fd_flags=O_RDWR | O_DSYNC)
    recording.write(seen, 0, 4096)
    recording.fsync(seen)
    recording.write(seen, 4096, 4096)
    recording.fsync(seen, errno=5)
    (call,) = recording.calls("write", "sync")
    assert (call.result, call.errno, call.synced_by) == (None, 0, None)
    assert call.reason == "an implied sync failed: what the call returned is not visible"


def test_direct_io_syncs_through_the_backing_descriptor() -> None:
    recording = opened(O_RDWR | O_DSYNC, mode="direct_io")
    recording.write(DSYNC, 0, 4096)
    recording.fsync(sight("fdatasync", 3))
    write, sync = recording.calls("write", "sync")
    assert (write.synced_by, sync.call) == ("O_DSYNC", "fdatasync")


def test_direct_io_loses_the_flag_of_one_call() -> None:
    recording = opened(mode="direct_io")
    recording.write(rwf(2), 0, 4096)
    call = recording.one("write")
    assert (call.result, call.synced_by) == (4096, None)
    expected = "RWF_DSYNC has no effect: in direct_io mode the kernel does not pass it on"
    assert call.reason == expected
    assert call.flags == ("RWF_DSYNC",)


def test_a_sync_of_another_call_is_not_its() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 4096)
    recording.fsync(pwrite(4096, 4096, fd_flags=O_RDWR | O_DSYNC))
    write, sync = recording.calls("write", "sync")
    assert (write.synced_by, sync.call) == (None, "unknown")


def test_a_call_that_ended_takes_no_more_while_it_waits_for_its_sync() -> None:
    recording = opened(O_RDWR | O_DSYNC)
    recording.write(DSYNC, 0, 2000, result=1000)
    recording.write(DSYNC, 2000, 96)
    write, other = recording.calls("write")
    assert (write.result, write.fragments, other.call) == (1000, 1, "unknown")
