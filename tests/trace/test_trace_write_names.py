"""Which system call a WRITE is said to be."""

import pytest
from trace_support import BUFFER, Recording, pwrite, sight, write

from tracefs.events import Sighting


def named(seen: Sighting | None, offset: int = 0, size: int = 100, **changes: object) -> Recording:
    recording = Recording()
    recording.open()
    recording.write(seen, offset, size, **changes)
    return recording


@pytest.mark.parametrize(
    ("seen", "call"),
    [
        (pwrite(100, 0), "pwrite64"),
        (write(100, 0), "write"),
        (sight("writev", 3, BUFFER, 2, vector_bytes=100), "writev"),
        (sight("pwritev", 3, BUFFER, 2, 0, vector_bytes=100), "pwritev"),
        (sight("pwritev2", 3, BUFFER, 2, 0, vector_bytes=100), "pwritev2"),
        (sight("sendfile", 3, 4, 0, 100), "sendfile"),
        (sight("copy_file_range", 4, 0, 3, 0, 100), "copy_file_range"),
    ],
)
def test_a_consistent_sighting_names_the_call(seen: Sighting, call: str) -> None:
    found = named(seen).one("write")
    assert (found.call, found.known_by, found.length) == (call, "proc", 100)
    assert found.reason is None


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (None, "nobody looked at the caller"),
        (
            Sighting(missing="the caller may not be read: EACCES"),
            "the caller may not be read: EACCES",
        ),
        (Sighting(), "the system call could not be read"),
        (
            Sighting(nr=4, args=(0,) * 6),
            "system call 4 is not a write in the x86_64 table: a 32-bit program?",
        ),
        (
            sight("fsync", 3),
            "system call 74 (fsync) is not a write in the x86_64 table: a 32-bit program?",
        ),
        (sight("io_uring_enter"), "io_uring: which operation is not visible"),
        (
            sight("io_uring_setup"),
            "io_uring (kernel polling): which operation is not visible",
        ),
        (sight("io_submit"), "io_submit: which of its operations is not visible"),
        (sight("fallocate", 3, 0, 0, 100), "fallocate was seen, which writes no data"),
        (pwrite(100, 500), "pwrite64 at 500 was seen, the request is at 0"),
        (pwrite(99, 0), "pwrite64 of 99 bytes was seen, the request has 100"),
        (write(100, 7), "write at 7 was seen, the request is at 0"),
        (pwrite(100, 0, fd_ino=5), "pwrite64 was seen on another file (inode 5)"),
        (Sighting(nr=18), "pwrite64 was seen without its arguments"),
    ],
)
def test_an_inconsistent_sighting_gives_unknown(seen: Sighting | None, reason: str) -> None:
    found = named(seen).one("write")
    assert (found.call, found.known_by, found.reason) == ("unknown", None, reason)
    assert (found.offset, found.length, found.result) == (0, None, 100)


def test_what_is_not_known_of_the_descriptor_contradicts_nothing() -> None:
    found = named(pwrite(100, 0, fd_ino=None, fd_flags=None, position=None)).one("write")
    assert (found.call, found.position) == ("pwrite64", None)


def test_a_mapped_page_is_named_by_the_request() -> None:
    found = named(None, cached=True, tid=0).one("write")
    assert (found.call, found.known_by, found.tid) == ("mmap", "fuse", None)
    assert (found.length, found.result, found.path) == (100, 100, "a.db")


def test_a_write_of_no_thread_is_unknown() -> None:
    found = named(None, tid=0).one("write")
    assert (found.call, found.tid) == ("unknown", None)
    assert found.reason == "written by the kernel, or by a thread not visible here"


def test_without_a_witness_sightings_count_for_nothing() -> None:
    recording = Recording(witness="none")
    recording.open()
    recording.write(pwrite(100, 0), 0, 100)
    found = recording.one("write")
    assert (found.call, found.reason) == ("unknown", "recorded without a witness")


def test_on_another_machine_the_number_means_another_call() -> None:
    recording = Recording(machine="aarch64")
    recording.open()
    recording.write(Sighting(nr=68, args=(3, BUFFER, 100, 0, 0, 0)), 0, 100)
    assert recording.one("write").call == "pwrite64"
    unheard = Recording(machine="sparc64")
    unheard.open()
    unheard.write(pwrite(100, 0), 0, 100)
    assert "in the sparc64 table" in (unheard.one("write").reason or "")


def test_an_open_before_the_journal_leaves_the_path_unknown() -> None:
    recording = Recording()
    recording.write(pwrite(100, 0), 0, 100)
    recording.write(None, 0, 100)
    recording.flush()
    first, second = recording.calls("write")
    assert (first.call, first.path) == ("pwrite64", None)
    assert first.reason == "the open is not in the journal"
    assert second.reason == "nobody looked at the caller; the open is not in the journal"
    assert recording.one("close").reason == "the open is not in the journal"


def test_no_sighting_makes_the_kernel_a_thread() -> None:
    assert named(pwrite(100, 0), tid=0).one("write").call == "unknown"
