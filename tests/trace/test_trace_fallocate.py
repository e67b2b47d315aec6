"""glibc's posix_fallocate, where the filesystem has none."""

import pytest
from trace_support import BUFFER, TID, Recording, pwrite, sight

from tracefs.events import Fsync, Query, Read
from tracefs.trace.fallocate import NOTE
from tracefs.witness.level_names import FULL
from tracefs.witness.levels import notified


def zero_bytes(recording: Recording, *offsets: int, tid: int = TID) -> None:
    for offset in offsets:
        recording.write(pwrite(1, offset), offset, 1, zero=True, tid=tid)


def notes(recording: Recording) -> list[bool]:
    return [call.note == NOTE for call in recording.calls("write")]


@pytest.fixture
def recording() -> Recording:
    recording = Recording()
    recording.open()
    return recording


def test_one_zero_byte_a_block_after_fstatfs_is_labelled(recording: Recording) -> None:
    recording.statfs()
    zero_bytes(recording, 4095, 8191, 12287)
    assert notes(recording) == [True] * 3
    assert {call.call for call in recording.calls("write")} == {"pwrite64"}


def test_blocks_that_hold_data_are_passed_over(recording: Recording) -> None:
    recording.statfs()
    zero_bytes(recording, 99)
    recording.add(Read, ino=77, fh=1, offset=0, size=4096, result=4096)
    recording.add(Query, operation="getattr", ino=77)
    zero_bytes(recording, 99 + 3 * 4096)
    assert notes(recording) == [True, True]


def test_without_fstatfs_they_are_the_programs_own(recording: Recording) -> None:
    zero_bytes(recording, 4095, 8191)
    assert notes(recording) == [False, False]


def test_fstatfs_of_another_thread_does_not_count(recording: Recording) -> None:
    recording.statfs(tid=TID + 1)
    zero_bytes(recording, 4095)
    assert notes(recording) == [False]


@pytest.mark.parametrize("offset", [4095, 0, 4096, 8192])
def test_a_byte_off_the_steps_ends_the_sequence(recording: Recording, offset: int) -> None:
    recording.statfs()
    zero_bytes(recording, 4095, offset, offset + 4096)
    assert notes(recording) == [True, False, False]


def test_another_buffer_ends_the_sequence(recording: Recording) -> None:
    recording.statfs()
    zero_bytes(recording, 4095)
    seen = sight("pwrite64", 3, BUFFER + 64, 1, 8191)
    recording.write(seen, 8191, 1, zero=True)
    assert notes(recording) == [True, False]


def test_anything_else_ends_the_sequence(recording: Recording) -> None:
    recording.statfs()
    recording.add(Fsync, ino=77, fh=1, datasync=True, seen=sight("fdatasync", 3))
    zero_bytes(recording, 4095)
    recording.statfs()
    recording.write(sight("write", 3, BUFFER, 1), 0, 1, zero=True)
    zero_bytes(recording, 4095)
    recording.statfs()
    recording.write(pwrite(1, 0), 0, 1)
    zero_bytes(recording, 4095)
    assert not any(notes(recording))


@pytest.mark.parametrize(("block_size", "step"), [(512, 512), (65536, 4096), (0, 512)])
def test_the_step_follows_the_block_size(block_size: int, step: int) -> None:
    recording = Recording(block_size=block_size)
    recording.open()
    recording.statfs()
    zero_bytes(recording, 7, 7 + step, 7 + step + step // 2)
    assert notes(recording) == [True, True, False]


def test_threads_that_only_ask_do_not_pile_up(recording: Recording) -> None:
    for tid in range(1, 3000):
        recording.statfs(tid=tid)
    zero_bytes(recording, 4095, tid=1)
    zero_bytes(recording, 4095, tid=2999)
    assert notes(recording) == [False, True]


def test_another_open_ends_the_sequence(recording: Recording) -> None:
    recording.open(fh=2)
    recording.statfs()
    zero_bytes(recording, 4095)
    recording.write(pwrite(1, 8191), 8191, 1, zero=True, fh=2)
    assert notes(recording) == [True, False]


def test_a_notice_of_each_write_stands_between_them() -> None:
    made = Recording(witness=FULL, notified=notified(FULL))
    made.open()
    made.statfs()
    for offset in (4095, 8191):
        made.notice("pwrite64", 3, BUFFER, 1, offset)
        zero_bytes(made, offset)
    assert notes(made) == [True, True]
    made.notice("lseek", 3, 0, 0)
    made.notice("pwrite64", 3, BUFFER, 1, 12287)
    zero_bytes(made, 12287)
    assert notes(made) == [True, True, False]
