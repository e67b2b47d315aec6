"""Fragments of one write call."""

import pytest
from trace_support import (
    BUFFER,
    INO,
    O_APPEND,
    O_DIRECT,
    O_RDWR,
    TID,
    Recording,
    pwrite,
    sight,
    write,
)

from tracefs.events import Query, Read, Release, Sighting, Write
from tracefs.trace import Call, Released, join

MIB = 1 << 20


@pytest.fixture
def recording() -> Recording:
    recording = Recording()
    recording.open()
    return recording


def test_a_page_is_one_call_with_all_that_is_known(recording: Recording) -> None:
    recording.write(pwrite(4096, 8192), 8192, 4096)
    assert recording.one("write") == Call(
        index=1, call="pwrite64", family="write", known_by="proc", path="a.db", start_ns=20,
        end_ns=25, tid=TID, pid=TID, comm="prog", ino=77, handle=1, fd=3, offset=8192, length=4096,
        result=4096, fragments=1, position=0,
    )  # fmt: skip


def test_both_ways_to_build_a_call_agree(recording: Recording) -> None:
    """The common case is built by position; one that is unusual only in its zero byte is not."""
    recording.write(pwrite(1, 0), 0, 1)
    recording.write(pwrite(1, 0), 0, 1, zero=True)
    plain, zero = recording.calls("write")
    ticks = {"index": 1, "start_ns": 20, "end_ns": 25}
    fields = {name: getattr(zero, name) for name in zero.__struct_fields__}
    assert Call(**fields | ticks) == plain


def test_a_write_across_a_page_boundary_is_one_call(recording: Recording) -> None:
    seen = pwrite(4096, 100)
    recording.write(seen, 100, 3996)
    recording.write(seen, 4096, 100)
    call = recording.one("write")
    assert (call.call, call.offset, call.length, call.result) == ("pwrite64", 100, 4096, 4096)
    assert (call.fragments, call.start_ns, call.end_ns) == (2, 20, 35)


def test_three_mebibytes_are_one_call(recording: Recording) -> None:
    for piece in range(3):
        recording.write(write(3 * MIB, 0), piece * MIB, MIB)
    call = recording.one("write")
    assert (call.call, call.length, call.result, call.fragments) == ("write", 3 * MIB, 3 * MIB, 3)


def test_a_call_is_yielded_as_soon_as_it_is_complete(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.write(pwrite(200, 0), 100, 100)
    stream = join(recording.header, iter([*recording.events, _never()]))
    assert [next(stream).__class__, next(stream).__class__] == [Call, Call]


def _never() -> Write:
    return Write(start_ns=0, end_ns=0, tid=1, ino=1, fh=1, offset=0, size=1, result=1)


def test_two_identical_calls_are_two(recording: Recording) -> None:
    for _ in range(2):
        recording.write(pwrite(200, 0), 0, 100)
        recording.write(pwrite(200, 0), 100, 100)
    assert [call.fragments for call in recording.calls("write")] == [2, 2]


def test_two_identical_short_calls_are_two(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.write(pwrite(200, 0), 0, 100)
    recording.flush()
    assert [call.result for call in recording.calls("write")] == [100, 100]


def test_threads_are_joined_apart(recording: Recording) -> None:
    """On two files: on one, the inode's lock lets no other write in between."""
    recording.open(path="b.db", fh=2, ino=INO + 1)
    for offset in (0, 100):
        for tid in (1, 2):
            seen = pwrite(200, tid * 1000, fd_ino=INO + tid - 1)
            recording.write(seen, tid * 1000 + offset, 100, tid=tid, fh=tid, ino=INO + tid - 1)
    assert [(call.tid, call.result) for call in recording.calls("write")] == [(1, 200), (2, 200)]


@pytest.mark.parametrize("then", ["write", "sync"])
def test_what_another_thread_does_on_the_file_ends_a_short_write(
    recording: Recording, then: str
) -> None:
    recording.write(pwrite(4096, 0), 0, 2048, tid=1)
    if then == "write":
        recording.write(pwrite(2048, 2048), 2048, 2048, tid=2)
    else:
        recording.fsync(sight("fdatasync", 3), tid=2)
    first, second = recording.calls("write", "sync")
    assert (first.tid, first.length, first.result) == (1, 4096, 2048)
    assert second.tid == 2


def test_a_store_in_between_ends_nothing(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.write(None, 8192, 4096, tid=0, cached=True)
    recording.write(pwrite(200, 0), 100, 100)
    assert [(call.call, call.result) for call in recording.calls("write")] == [
        ("mmap", 4096),
        ("pwrite64", 200),
    ]


@pytest.mark.parametrize("end", ["flush", "release", "other"])
def test_what_ends_early_is_a_short_write(recording: Recording, end: str) -> None:
    """RLIMIT_FSIZE cuts the call before it reaches the filesystem."""
    recording.write(pwrite(4096, 0), 0, 2048)
    if end == "flush":
        recording.flush()
    elif end == "release":
        recording.release()
    else:
        recording.write(pwrite(10, 5000), 5000, 10)
    call = recording.calls("write")[0]
    assert (call.length, call.result, call.errno, call.reason) == (4096, 2048, 0, None)


def test_the_end_of_the_journal_leaves_the_result_open(recording: Recording) -> None:
    """The rest of the call may only be missing from the journal."""
    recording.write(pwrite(4096, 0), 0, 2048)
    call = recording.one("write")
    assert (call.length, call.result, call.errno) == (4096, None, 0)
    assert call.reason == "the journal ends within this call"


def test_another_thread_ends_nothing(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.flush(tid=TID + 1)
    recording.release(fh=9)
    recording.write(pwrite(200, 0), 100, 100)
    assert recording.one("write").result == 200


def test_a_page_fault_within_a_call_does_not_end_it(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.add(Read, ino=5, fh=9, offset=0, size=4096, result=4096)
    recording.add(Query, operation="getxattr", ino=77)
    recording.write(None, 8192, 4096, cached=True)
    recording.write(pwrite(200, 0), 100, 100)
    assert [(c.call, c.result) for c in recording.calls("write")] == [
        ("mmap", 4096),
        ("pwrite64", 200),
    ]


def test_an_error_at_once_fails_the_call(recording: Recording) -> None:
    recording.write(pwrite(4096, 0), 0, 4096, errno=28)
    call = recording.one("write")
    assert (call.call, call.length, call.result, call.errno) == ("pwrite64", 4096, None, 28)


def test_an_error_later_makes_it_short(recording: Recording) -> None:
    recording.write(pwrite(2 * MIB, 0), 0, MIB)
    recording.write(pwrite(2 * MIB, 0), MIB, MIB, errno=28)
    call = recording.one("write")
    assert (call.result, call.errno, call.fragments) == (MIB, 0, 2)


def test_a_short_reply_ends_the_call(recording: Recording) -> None:
    recording.write(pwrite(2 * MIB, 0), 0, MIB, result=1000)
    recording.write(pwrite(10, 0), 0, 10)
    assert [(c.length, c.result) for c in recording.calls("write")] == [(2 * MIB, 1000), (10, 10)]


def test_a_direct_write_that_fails_in_part_is_left_open(recording: Recording) -> None:
    """All its requests are under way at once, and the kernel answers for the whole."""
    seen = pwrite(3 * MIB, 0, fd_flags=O_RDWR | O_DIRECT)
    recording.write(seen, 0, MIB)
    recording.write(seen, MIB, MIB, errno=5)
    recording.write(seen, 2 * MIB, MIB)
    call = recording.one("write")
    assert (call.result, call.errno, call.fragments) == (None, 0, 3)
    assert "O_DIRECT" in (call.reason or "")


def test_a_direct_write_that_fails_from_the_first_part_on_failed(recording: Recording) -> None:
    seen = pwrite(2 * MIB, 0, fd_flags=O_RDWR | O_DIRECT)
    recording.write(seen, 0, MIB, errno=5)
    recording.write(seen, MIB, MIB)
    call = recording.one("write")
    assert (call.result, call.errno, call.fragments) == (None, 5, 2)


def test_more_than_the_kernel_transfers_at_once(recording: Recording) -> None:
    asked, most = 1 << 40, 0x7FFFF000
    recording.write(pwrite(asked, 0), 0, most)
    recording.write(pwrite(asked, most), most, 1)
    first = recording.calls("write")[0]
    assert (first.length, first.result, first.reason) == (asked, most, None)


def test_appending_ignores_offset_and_position() -> None:
    recording = Recording()
    recording.open(O_RDWR | O_APPEND)
    appending = {"fd_flags": O_RDWR | O_APPEND}
    recording.write(pwrite(100, 0, **appending), 5000, 60)
    recording.write(pwrite(100, 0, **appending), 5060, 40)
    recording.write(write(10, 7, **appending), 5100, 10)
    assert [(c.call, c.offset, c.length, c.result) for c in recording.calls("write")] == [
        ("pwrite64", 5000, 100, 100),
        ("write", 5100, 10, 10),
    ]


def test_append_by_fcntl_and_by_rwf_flag(recording: Recording) -> None:
    recording.write(pwrite(10, 0, fd_flags=O_RDWR | O_APPEND), 500, 10)
    vectored = {"vector_bytes": 10, "position": 3}
    recording.write(sight("pwritev2", 3, BUFFER, 1, 0, 0, 0x10, **vectored), 510, 10)
    seen = sight("pwritev2", 3, BUFFER, 1, 40, 0, 0x20, fd_flags=O_RDWR | O_APPEND, **vectored)
    recording.write(seen, 40, 10)
    calls = recording.calls("write")
    assert [(c.call, c.offset) for c in calls] == [
        ("pwrite64", 500),
        ("pwritev2", 510),
        ("pwritev2", 40),
    ]
    assert [c.flags for c in calls] == [(), ("RWF_APPEND",), ("RWF_NOAPPEND",)]


def test_pwritev2_without_an_offset_takes_the_position(recording: Recording) -> None:
    seen = sight("pwritev2", 3, BUFFER, 2, -1, 0, 0, position=300, vector_bytes=20)
    recording.write(seen, 300, 20)
    call = recording.one("write")
    assert (call.call, call.offset, call.length, call.position) == ("pwritev2", 300, 20, 300)


def test_a_vector_of_unknown_length_is_joined_by_its_place(recording: Recording) -> None:
    seen = sight("pwritev", 3, BUFFER, 2, 0, missing="the caller could not be read: EIO")
    recording.write(seen, 0, 4096)
    recording.write(seen, 4096, 100)
    recording.write(seen, 0, 4096)
    recording.flush()
    calls = recording.calls("write")
    assert [(c.call, c.length, c.result, c.fragments) for c in calls] == [
        ("pwritev", None, 4196, 2),
        ("pwritev", None, 4096, 1),
    ]
    assert calls[0].reason == "the caller could not be read: EIO"


def test_an_appended_vector_of_unknown_length_has_no_visible_end(recording: Recording) -> None:
    seen = sight("writev", 3, BUFFER, 2, fd_flags=O_RDWR | O_APPEND)
    recording.write(seen, 0, 4096)
    assert recording.one("write").call == "unknown"


def test_sendfile_ends_where_its_source_ends(recording: Recording) -> None:
    seen = sight("sendfile", 3, 4, 0, MIB, position=100)
    recording.write(seen, 100, 65536)
    recording.write(seen, 65636, 10)
    recording.flush()
    call = recording.one("write")
    assert (call.call, call.offset, call.length, call.result) == ("sendfile", 100, MIB, 65546)


def test_splice_with_an_offset_in_memory_is_known_only_when_whole(recording: Recording) -> None:
    seen = sight("splice", 4, 0, 3, 0x7F00, 100)
    recording.write(seen, 500, 100)
    recording.write(seen, 600, 40)
    recording.write(seen, 640, 60)
    names = [(call.call, call.result) for call in recording.calls("write")]
    assert names == [("splice", 100), ("unknown", 40), ("unknown", 60)]


def test_a_fragment_whose_caller_was_missed_leaves_both_open(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.write(Sighting(missing="the caller was gone: ESRCH"), 100, 100)
    first, second = recording.calls("write")
    assert (first.call, first.result, first.errno) == ("pwrite64", None, 0)
    assert first.reason == "whether the next write belongs to this call is not visible"
    assert (second.call, second.reason) == ("unknown", "the caller was gone: ESRCH")


def test_a_later_part_alone_is_no_call_of_that_name(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 100, 100)
    call = recording.one("write")
    assert (call.call, call.known_by, call.length, call.result) == ("unknown", None, None, 100)
    assert call.reason == "a later part of a pwrite64 at 0 whose beginning is not in the journal"


def test_releases_come_in_their_place(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.release()
    kinds = [type(item) for item in recording.items()]
    assert kinds == [Call, Call, Released]
    assert recording.items()[-1] == Released(handle=1, ino=77, end_ns=35)
    assert isinstance(recording.events[-1], Release)


def test_a_call_that_begins_where_another_ended_short_is_its_own(recording: Recording) -> None:
    recording.write(pwrite(200, 0), 0, 100)
    recording.write(pwrite(50, 100), 100, 50)
    assert [(c.length, c.result) for c in recording.calls("write")] == [(200, 100), (50, 50)]


def test_another_open_is_another_call(recording: Recording) -> None:
    recording.open(fh=2)
    recording.write(pwrite(200, 0), 0, 100)
    recording.write(pwrite(200, 0), 100, 100, fh=2)
    first, second = recording.calls("write")
    assert (first.call, first.result, second.call) == ("pwrite64", 100, "unknown")


def test_the_flags_of_now_decide_what_appends() -> None:
    """O_APPEND can be cleared after the open (fcntl(2)), and overruled for one call."""
    recording = Recording()
    recording.open(O_RDWR | O_APPEND)
    recording.write(pwrite(10, 0, fd_flags=O_RDWR), 50, 10)
    seen = sight("pwritev2", 3, BUFFER, 1, 0, 0, 0x20, fd_flags=O_RDWR | O_APPEND, vector_bytes=10)
    recording.write(seen, 50, 10)
    assert [call.call for call in recording.calls("write")] == ["unknown", "unknown"]


def test_the_most_the_kernel_transfers_completes_a_call(recording: Recording) -> None:
    recording.write(pwrite(1 << 40, 0), 0, 0x7FFFF000)
    assert recording.one("write").result == 0x7FFFF000
