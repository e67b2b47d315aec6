"""What a seccomp witness was notified of: calls by themselves, and names for requests."""

import errno
from typing import Any

import pytest
from trace_support import INO, O_APPEND, O_DSYNC, O_RDWR, Recording, pwrite, sight, write

from tracefs.events import Copy, Fallocate, Frame, Lost, Notice, Read, Rename, Setattr, Withdrawn
from tracefs.syscalls import numbers
from tracefs.trace.flags import O_PATH
from tracefs.trace.join import Joiner
from tracefs.witness.level_names import FULL, SECCOMP
from tracefs.witness.levels import notified

SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA = 0, 1, 2, 3


def recording(level: str = SECCOMP, **changes: Any) -> Recording:
    """Return one with an open file."""
    made = Recording(witness=level, notified=notified(level), **changes)
    made.open()
    return made


@pytest.mark.parametrize(
    ("whence", "offset", "position", "result", "error"),
    [
        (SEEK_SET, 4096, 0, 4096, 0),
        (SEEK_SET, 0, 4096, 0, 0),
        (SEEK_SET, -1, 0, None, errno.EINVAL),
        (SEEK_CUR, -512, 4096, 3584, 0),
        (SEEK_CUR, -512, 0, None, errno.EINVAL),
        (SEEK_CUR, 1 << 40, 1, (1 << 40) + 1, 0),
        (99, 0, 0, None, errno.EINVAL),
    ],
)
def test_a_seek_whose_arguments_tell_the_result(
    whence: int, offset: int, position: int, result: int | None, error: int
) -> None:
    made = recording()
    made.notice("lseek", 3, offset, whence, position=position)
    # What it did with SEEK_CUR is shown by the position that the thread's next call has.
    made.fsync(sight("fdatasync", 3, position=position if result is None else result))
    call = made.one("seek")
    assert (call.call, call.known_by, call.path, call.handle) == ("lseek", "seccomp", "a.db", 1)
    assert (call.offset, call.position, call.result, call.errno) == (
        offset,
        position,
        result,
        error,
    )
    assert call.reason is None
    assert call.writable


@pytest.mark.parametrize("whence", [SEEK_END, SEEK_DATA])
def test_a_seek_whose_result_is_not_visible(whence: int) -> None:
    made = recording()
    made.notice("lseek", 3, 0, whence, position=7)
    call = made.one("seek")
    assert (call.result, call.position, call.errno) == (None, 7, 0)
    assert call.reason == "where the file ends is not visible at the entry of the call"


def test_a_relative_seek_beside_another_thread_is_not_certain() -> None:
    made = recording()
    made.notice("lseek", 3, 10, SEEK_CUR)
    made.notice("lseek", 3, 20, SEEK_SET, tid=200)
    made.notice("lseek", 3, 10, SEEK_CUR)
    first, second, third = sorted(made.calls("seek"), key=lambda call: call.start_ns)
    assert (first.result, first.reason) == (None, "another thread used the file at the same time")
    assert (second.result, second.reason) == (20, None)
    assert (third.result, third.reason) == (
        None,
        "another thread or process has used the file, too",
    )


def test_the_next_file_with_a_number_has_users_of_its_own() -> None:
    made = recording()
    made.notice("lseek", 3, 10, SEEK_SET)
    made.notice("lseek", 3, 10, SEEK_SET, tid=200)
    made.release()
    made.open()
    made.notice("lseek", 3, 10, SEEK_CUR)
    made.notice("lseek", 3, 0, SEEK_SET, position=10)
    assert made.calls("seek")[-2].result == 10


@pytest.mark.parametrize("shown", [{"position": 11}, {"position": 10, "fd": 4}, None])
def test_a_relative_seek_that_nothing_confirms_is_not_certain(shown: dict[str, int] | None) -> None:
    # Another thread may read from the page cache meanwhile, which nobody hears of.
    made = recording()
    made.notice("lseek", 3, 10, SEEK_CUR)
    if shown is None:
        made.flush()
    else:
        made.fsync(sight("fdatasync", 3, **shown))
    call = made.one("seek")
    assert (call.result, call.errno) == (None, 0)
    assert call.reason == "no later call of the thread shows where it moved to"


def test_a_seek_before_appending_is_labelled() -> None:
    made = recording()
    made.notice("lseek", 3, 10, SEEK_SET, fd_flags=O_RDWR | O_APPEND)
    assert made.one("seek").note == "writes go to the end of the file all the same: O_APPEND"


def test_a_call_whose_thread_was_killed_first_was_never_made() -> None:
    made = recording()
    made.notice("lseek", 3, 10, SEEK_SET)
    made.add(Withdrawn)
    made.notice("lseek", 3, 20, SEEK_SET, tid=200)
    assert [call.offset for call in made.calls("seek")] == [20]


def test_a_seek_stands_before_what_others_do_to_its_file_next() -> None:
    made = recording()
    made.notice("lseek", 3, 4096, SEEK_SET)
    made.write(write(100, 4096), 4096, 100, tid=200)
    made.release()
    assert [call.call for call in made.calls()] == ["open", "lseek", "write"]
    assert made.one("seek").result == 4096


@pytest.mark.parametrize(
    ("position", "offset", "flags", "error"),
    [(2**63 - 1, 5, O_RDWR, errno.EINVAL), (0, 5, O_PATH, errno.EBADF)],
)
def test_a_seek_that_can_not_succeed(position: int, offset: int, flags: int, error: int) -> None:
    made = recording()
    made.notice("lseek", 3, offset, SEEK_CUR, position=position, fd_flags=flags)
    made.notice("lseek", 3, 0, SEEK_SET, position=position)
    call = made.calls("seek")[0]
    assert (call.result, call.errno, call.reason) == (None, error, None)


def test_the_journals_names_come_before_the_notices() -> None:
    made = recording()
    made.open(fh=2)
    made.add(Rename, old="a.db", path="b.db", ino=INO, replaced=0, flags=0)
    made.notice("lseek", 3, 10, SEEK_SET, path="a.db")
    made.notice("lseek", 3, 10, SEEK_SET, path="c.db", fd_ino=88)
    assert [call.path for call in made.calls("seek")] == ["b.db", "c.db"]


def test_a_seek_waits_for_its_thread_alone() -> None:
    made = recording()
    made.notice("lseek", 3, 10, SEEK_CUR)
    made.write(write(5, 10), 10, 5)
    assert [call.call for call in made.calls()] == ["open", "lseek", "write"]
    assert [call.index for call in made.calls()] == [0, 1, 2]


def test_a_seek_on_one_of_several_opens_belongs_to_none_for_certain() -> None:
    made = recording()
    made.open(fh=2)
    made.notice("lseek", 3, 0, SEEK_SET)
    assert made.one("seek").handle is None


def test_the_access_mode_tells_opens_apart() -> None:
    made = recording()
    made.open(0, fh=2)
    made.notice("lseek", 3, 0, SEEK_SET, fd_flags=0o100000)
    call = made.one("seek")
    assert (call.handle, call.writable) == (2, False)


@pytest.mark.parametrize(
    ("name", "args", "family", "fields"),
    [
        ("dup", (3,), "dup", {"fd": 3}),
        ("fcntl", (3, 0, 10), "dup", {"flags": ("F_DUPFD",)}),
        ("fcntl", (3, 4, O_APPEND), "flags", {"flags": ("F_SETFL", "O_RDONLY", "O_APPEND")}),
        ("sync", (), "syncfs", {"result": 0}),
        ("syncfs", (3,), "syncfs", {}),
        ("sync_file_range", (3, 4096, 8192, 2), "range",
         {"offset": 4096, "length": 8192, "flags": ("SYNC_FILE_RANGE_WRITE",)}),
        ("fallocate", (3, 1, 0, 4096), "allocate",
         {"offset": 0, "length": 4096, "flags": ("FALLOC_FL_KEEP_SIZE",)}),
        ("mmap", (0, 8192, 3, 1, 3, 4096), "map", {"offset": 4096, "length": 8192}),
        ("io_uring_setup", (8,), "ring", {}),
        ("io_submit", (1, 1), "ring", {}),
    ],
)  # fmt: skip
def test_a_call_that_no_filesystem_hears_of(
    name: str, args: tuple[int, ...], family: str, fields: dict[str, Any]
) -> None:
    made = recording()
    made.notice(name, *args)
    call = made.one(family)
    assert (call.call, call.known_by) == (name, "seccomp")
    assert {field: getattr(call, field) for field in fields} == fields


def test_a_notified_allocation_and_its_request_are_one_call() -> None:
    made = recording(operations=("fallocate",))
    made.notice("fallocate", 3, 0, 0, 4096)
    made.add(
        Fallocate,
        ino=INO,
        fh=1,
        mode=0,
        offset=0,
        size=4096,
        seen=sight("fallocate", 3, 0, 0, 4096),
    )
    call = made.one("allocate")
    assert (call.call, call.known_by, call.result) == ("fallocate", "seccomp", 0)


def test_a_notified_allocation_that_failed_at_once() -> None:
    made = recording(operations=("fallocate",))
    made.notice("fallocate", 3, 0, 0, 0)
    made.notice("lseek", 3, 0, 0)
    assert made.one("allocate").result is None


def test_a_notified_copy_and_its_request_are_one_call() -> None:
    made = recording()
    made.open(path="from", fh=2, ino=5)
    seen = sight("copy_file_range", 4, 0, 3, 0, 4096)
    made.notice("copy_file_range", 4, 0, 3, 0, 4096)
    made.add(
        Copy, ino=INO, fh=1, offset=0, size=4096, result=4096, from_ino=5, from_fh=2,
        from_offset=0, seen=seen,
    )  # fmt: skip
    call = made.one("write")
    assert (call.call, call.known_by, call.length) == ("copy_file_range", "seccomp", 4096)


def test_a_copy_that_comes_to_the_end_and_the_next_one_are_two_calls() -> None:
    """cat(1) copies until a call returns 0, which makes no request."""
    made = recording()
    asked = (5, 0, 3, 0, 1 << 62)
    for _ in range(2):
        made.notice("copy_file_range", *asked)
        if made.clock == 20:
            made.write(sight("copy_file_range", *asked, fd=3, fd_ino=INO, position=0), 0, 4)
    first, second = [one for one in made.calls() if one.call == "copy_file_range"]
    notices = [event for event in made.events if isinstance(event, Notice)]
    write = made.events[2]
    assert (first.result, first.start_ns, first.end_ns) == (4, notices[0].start_ns, write.end_ns)
    assert (second.result, second.start_ns) == (None, notices[1].start_ns)


@pytest.mark.parametrize(
    ("machine", "bits", "flag"),
    [
        ("x86_64", 0o40000, "O_DIRECT"),
        ("aarch64", 0o200000, "O_DIRECT"),
        ("aarch64", 0o40000, "O_DIRECTORY"),
    ],
)
def test_flags_are_spelled_as_the_machine_does(machine: str, bits: int, flag: str) -> None:
    made = Recording(witness=SECCOMP, notified=notified(SECCOMP), machine=machine)
    made.open()
    made.notice("fcntl", 3, 4, bits, nr=numbers(machine)["fcntl"])
    assert made.one("flags").flags == ("F_SETFL", "O_RDONLY", flag)


def test_sync_file_range_and_msync_without_a_request_are_no_syncs() -> None:
    made = recording()
    made.notice("sync_file_range", 3, 0, 0, 7)
    made.notice("msync", 0x1000, 4096, 1, fd=None, fd_ino=None)
    made.notice("fdatasync", 3)
    assert made.calls("sync") == []
    (msync, fdatasync) = made.calls("none")
    assert (msync.call, msync.flags, fdatasync.call) == ("msync", ("MS_ASYNC",), "fdatasync")
    assert (
        msync.reason == fdatasync.reason == "no request followed: it failed, or had nothing to do"
    )


class TestWhatClosed:
    """FLUSH, which says only that a descriptor was closed."""

    @staticmethod
    def closes(made: Recording) -> list[tuple[str, str | None, int | None]]:
        return [(call.call, call.known_by, call.fd) for call in made.calls("close")]

    def test_close(self) -> None:
        made = recording(FULL)
        made.notice("close", 3)
        made.flush()
        made.flush()
        assert self.closes(made) == [("close", "seccomp", 3), ("exit", "fuse", None)]
        assert made.calls("close")[1].note == (
            "closed by the end of the process: by a signal, or by another thread's exit_group"
        )

    def test_a_close_that_nobody_is_notified_of(self) -> None:
        made = recording()
        made.flush()
        assert self.closes(made) == [("close", "fuse", None)]

    @pytest.mark.parametrize("name", ["exit", "exit_group"])
    def test_the_end_of_the_process(self, name: str) -> None:
        made = recording()
        made.open(fh=2)
        made.notice(name, fd=None, fd_ino=None)
        made.flush()
        made.flush(fh=2)
        assert self.closes(made) == [(name, "seccomp", None)] * 2
        assert made.calls("close")[0].note == "closed by the end of the process"

    def test_dup2(self) -> None:
        made = recording()
        made.notice("dup2", 9, 3, fd=9)
        made.flush()
        made.notice("dup2", 3, 9)
        assert self.closes(made) == [("dup2", "seccomp", 3)]
        assert [call.call for call in made.calls("dup")] == ["dup2", "dup2"]

    @pytest.mark.parametrize(
        ("name", "failed", "result", "note"),
        [
            ("close", errno.EIO, None, None),
            ("dup2", 0, 3, "closed by call 1; FLUSH failed with EIO, told to nobody"),
            (
                "exit_group",
                0,
                None,
                "closed by the end of the process; FLUSH failed with EIO, told to nobody",
            ),
            ("close_range", 0, 0, "FLUSH failed with EIO, told to nobody"),
        ],
    )
    def test_only_close_tells_that_it_failed(
        self, name: str, failed: int, result: int | None, note: str | None
    ) -> None:
        made = recording(FULL)
        if name == "dup2":
            made.notice(name, 9, 3, fd=9)
        else:
            made.notice(name, 3)
        made.flush(errno=errno.EIO)
        (call,) = made.calls("close")
        assert (call.call, call.errno, call.result, call.note) == (name, failed, result, note)

    def test_close_range_closes_many(self) -> None:
        made = recording()
        made.open(fh=2)
        made.notice("close_range", 3, 9, fd=None, fd_ino=None)
        made.flush()
        made.flush(fh=2)
        assert self.closes(made) == [("close_range", "seccomp", None)] * 2
        assert made.calls("close")[1].note == "closed by the same call as the file before"

    def test_exec(self) -> None:
        made = recording()
        made.notice("execve", fd=None, fd_ino=None)
        made.flush()
        assert self.closes(made) == [("execve", "seccomp", None)]

    def test_an_exec_that_closes_nothing_is_no_call_of_its_own(self) -> None:
        made = recording()
        made.notice("execve", fd=None, fd_ino=None)
        assert [call.family for call in made.calls()] == ["open"]

    def test_a_close_behind_a_dup2_that_closed_nothing(self) -> None:
        made = recording()
        made.notice("dup2", 3, 9, closes=())
        made.flush()
        assert self.closes(made) == [("close", "fuse", None)]
        assert [call.call for call in made.calls("dup")] == ["dup2"]

    def test_a_dup2_returns_the_descriptor_that_it_closed(self) -> None:
        made = recording()
        made.notice("dup2", 9, 3, fd=9, fd_ino=None, closes=(INO,))
        made.flush()
        made.flush()
        assert [(c.call, c.result) for c in made.calls("close")] == [("dup2", 3), ("close", 0)]

    def test_each_file_is_closed_once(self) -> None:
        made = recording()
        made.open(fh=2)
        made.open(fh=3, path="other", ino=88)
        made.notice("close_range", 3, 9, fd=None, fd_ino=None, closes=(INO, INO))
        for fh, ino in ((1, INO), (3, 88), (2, INO)):
            made.flush(fh, ino=ino)
        assert [name for name, _, _ in self.closes(made)] == ["close_range", "close", "close"]

    def test_close_range_that_only_sets_a_flag(self) -> None:
        made = recording()
        made.notice("close_range", 3, 9, 4, fd=None, fd_ino=None, closes=())
        made.flush()
        assert self.closes(made) == [("close", "fuse", None)]

    def test_an_exec_closes_what_has_the_flag(self) -> None:
        made = recording()
        made.open(fh=2, path="other", ino=88)
        made.notice("execve", fd=None, fd_ino=None, closes=(88,))
        made.flush(2, ino=88)
        made.flush()
        assert [(c.call, c.result) for c in made.calls("close")] == [("execve", None), ("close", 0)]

    def test_an_exit_closes_what_was_opened_since(self) -> None:
        made = recording()
        made.open(fh=2, path="other", ino=88)
        made.notice("exit_group", fd=None, fd_ino=None, closes=(INO,))
        made.flush()
        made.flush(2, ino=88)
        assert [name for name, _, _ in self.closes(made)] == ["exit_group", "exit_group"]

    def test_others_who_were_not_notified_close_too(self) -> None:
        made = Recording(witness=FULL, notified=notified(FULL), visible=True)
        made.open()
        made.flush(tid=999)
        assert self.closes(made) == [("close", "fuse", None)]

    def test_threads_that_have_ended_are_few(self) -> None:
        made = recording()
        joiner = Joiner(made.header)
        for tid in range(1000, 5000):
            made.notice("exit", tid=tid, fd=None, fd_ino=None, closes=(INO,))
        assert sum(1 for _ in joiner.run(made.events)) == 1
        assert len(joiner.notices.announced) <= 1024

    def test_a_ring_may_have_closed(self) -> None:
        made = recording(FULL)
        made.notice("io_uring_setup", 8, fd=None, fd_ino=None)
        made.flush()
        assert made.one("close").call == "unknown"

    def test_a_directory_is_closed_unseen_as_it_was_opened(self) -> None:
        made = recording(FULL)
        made.notice("close", 5, fd=5, fd_ino=4)
        assert self.closes(made) == []

    def test_without_notices_as_before(self) -> None:
        made = Recording(witness="proc")
        made.open()
        made.flush()
        assert self.closes(made) == [("close", "fuse", None)]

    def test_after_the_witness_was_lost(self) -> None:
        made = recording()
        made.add(Lost, 0, reason="killed")
        made.flush()
        assert self.closes(made) == [("close", "fuse", None)]


class TestNotifiedWrites:
    """Calls that make requests of their own: one call, not two."""

    def test_the_request_and_its_notice_are_one(self) -> None:
        made = recording(FULL)
        frame = Frame(module="/bin/prog", address=77)
        seen = write(100, 0)
        made.add(Notice, seen=seen, path="a.db", stack=(frame,))
        made.write(seen, 0, 100)
        call = made.one("write")
        assert (call.call, call.known_by, call.stack) == ("write", "seccomp", (frame,))
        assert call.start_ns == made.events[1].start_ns
        assert (call.offset, call.length, call.result, call.fragments) == (0, 100, 100, 1)

    def test_fragments_are_one_too(self) -> None:
        made = recording(FULL)
        seen = write(2 << 20, 0)
        made.add(Notice, seen=seen)
        made.write(seen, 0, 1 << 20)
        made.add(Read, ino=INO, fh=1, offset=0, size=4096, result=4096)
        made.write(seen, 1 << 20, 1 << 20)
        made.notice("fdatasync", 3)
        made.fsync(sight("fdatasync", 3))
        calls = [call for call in made.calls() if call.family != "open"]
        assert [(call.call, call.known_by, call.fragments) for call in calls] == [
            ("write", "seccomp", 2),
            ("fdatasync", "seccomp", 0),
        ]

    def test_a_write_of_nothing(self) -> None:
        made = recording(FULL)
        made.notice("write", 3, 0x1000, 0)
        call = made.one("write")
        assert (call.call, call.length, call.result, call.reason) == ("write", 0, 0, None)

    def test_a_write_that_made_no_request(self) -> None:
        made = recording(FULL)
        made.notice("pwrite64", 3, 0x1000, 100, 4096)
        made.notice("lseek", 3, 1, SEEK_SET)
        call = made.one("write")
        assert (call.call, call.offset, call.length, call.result) == ("pwrite64", 4096, 100, None)
        assert call.reason == "no request followed: it failed, or had nothing to do"

    def test_two_equal_writes_are_two(self) -> None:
        made = recording(FULL)
        for position in (0, 100):
            seen = write(100, position)
            made.add(Notice, seen=seen)
            made.write(seen, position, 100)
        assert [call.offset for call in made.calls("write")] == [0, 100]

    def test_a_vector_has_its_length_from_the_notice(self) -> None:
        made = recording(FULL)
        args = (3, 0x1000, 2)
        made.add(Notice, seen=sight("writev", *args, vector_bytes=30), path="a.db")
        made.write(sight("writev", *args), 0, 30)
        made.notice("pwrite64", 3, 0x1000, 10, 100)
        made.write(sight("pwrite64", 3, 0x1000, 10, 100), 100, 10)
        calls = made.calls("write")
        assert [(c.call, c.length, c.result, c.reason) for c in calls] == [
            ("writev", 30, 30, None),
            ("pwrite64", 10, 10, None),
        ]

    def test_a_vector_keeps_what_its_own_notice_says(self) -> None:
        """It is complete only when the next call is announced, which has the same name."""
        made = recording(FULL)
        began = []
        for offset in (0, 30, 60):
            args = (3, 0x1000 + offset, 1, offset, 0, 0)
            began.append(made.clock + 10)
            made.add(Notice, seen=sight("pwritev2", *args, vector_bytes=30), path="a.db")
            made.write(sight("pwritev2", *args), offset, 30)
        calls = made.calls("write")
        assert [(c.offset, c.start_ns) for c in calls] == list(zip((0, 30, 60), began, strict=True))
        assert all(call.end_ns > call.start_ns for call in calls)

    def test_a_call_of_another_abi_is_named_by_its_notice(self) -> None:
        made = recording(FULL)
        made.notice("write", 3, 0x1000, 10)
        made.write(sight("write", 3, 0x1000, 10, nr=4), 0, 10)
        call = made.one("write")
        assert (call.call, call.known_by, call.length) == ("write", "seccomp", 10)
        assert call.reason is None
        assert made.calls()[-1].index == 1

    def test_a_descriptor_that_only_reads_takes_no_write(self) -> None:
        made = recording(FULL)
        made.notice("write", 3, 0x1000, 10, fd_flags=0o100000)
        assert (made.one("write").errno, made.one("write").reason) == (errno.EBADF, None)

    def test_an_asynchronous_write_is_no_part_of_its_submission(self) -> None:
        made = recording(FULL)
        made.notice("io_submit", 1, 1, fd=None, fd_ino=None)
        made.write(sight("io_submit", 1, 1), 0, 10)
        assert [call.call for call in made.calls()] == ["open", "io_submit", "unknown"]

    def test_a_request_that_nobody_could_look_at_is_not_counted_twice(self) -> None:
        made = Recording(witness=SECCOMP, notified=notified(SECCOMP, ("write",)))
        made.open()
        made.notice("write", 3, 0x1000, 100)
        made.write(UNSEEN, 0, 100)
        made.notice("lseek", 3, 0, SEEK_SET)
        assert [call.call for call in made.calls("write")] == ["unknown"]


UNSEEN = sight("write", nr=-1, args=(), missing="the thread was not in a system call")


class TestNamesByNotice:
    """Requests whose caller could not be looked at, where all that make some are notified."""

    def test_a_write_and_a_sync(self) -> None:
        made = recording(FULL)
        made.notice("pwrite64", 3, 0x1000, 100, 4096)
        made.write(UNSEEN, 4096, 100)
        made.notice("fdatasync", 3)
        made.fsync(UNSEEN)
        calls = made.calls("write", "sync")
        assert [(c.call, c.known_by, c.offset, c.length, c.reason) for c in calls] == [
            ("pwrite64", "seccomp", 4096, 100, None),
            ("fdatasync", "seccomp", None, None, None),
        ]

    def test_a_part_of_a_long_write(self) -> None:
        made = recording(FULL)
        seen = write(3 << 20, 0)
        made.add(Notice, seen=seen)
        for part, look in enumerate((seen, UNSEEN, seen)):
            made.write(look, part << 20, 1 << 20)
        call = made.one("write")
        assert (call.call, call.fragments, call.result, call.reason) == ("write", 3, 3 << 20, None)

    def test_the_sync_that_a_flag_asks_for(self) -> None:
        made = recording(FULL)
        made.open(O_RDWR | O_DSYNC, fh=2)
        seen = write(10, 0, fd_flags=O_RDWR | O_DSYNC)
        made.add(Notice, seen=seen)
        made.write(UNSEEN, 0, 10, fh=2)
        made.fsync(UNSEEN, fh=2)
        made.notice("lseek", 3, 0, SEEK_SET)
        assert (made.one("write").call, made.one("write").synced_by) == ("write", "O_DSYNC")
        assert made.calls("sync") == []

    def test_a_truncation(self) -> None:
        made = recording(FULL)
        for size, seen in ((8192, UNSEEN), (0, UNSEEN), (7, sight("ftruncate", 3, 7, nr=999))):
            made.notice("ftruncate", 3, size)
            made.add(Setattr, path="a.db", ino=INO, fh=1, size=size, seen=seen)
        made.notice("ftruncate", 3, 5)
        made.add(Setattr, path="a.db", ino=INO, fh=1, size=6, seen=UNSEEN)
        calls = [(c.call, c.length, c.known_by) for c in made.calls("truncate", "none")]
        assert calls[:1] == [("ftruncate", 8192, "seccomp")]
        assert [length for _, length, _ in calls] == [8192, 0, 7, 5, 6]

    def test_not_what_does_not_fit(self) -> None:
        made = recording(FULL)
        made.notice("msync", 0x1000, 4096, 4)
        made.write(UNSEEN, 0, 10)
        made.notice("pwrite64", 3, 0x1000, 10, 0)
        made.fsync(UNSEEN)
        made.notice("lseek", 3, 0, SEEK_SET)
        calls = [(call.call, call.reason) for call in made.calls()[1:-1]]
        assert calls == [
            ("msync", "no request followed: it failed, or had nothing to do"),
            ("unknown", UNSEEN.missing),
            ("pwrite64", "no request followed: it failed, or had nothing to do"),
            ("unknown", UNSEEN.missing),
        ]

    def test_not_at_another_place(self) -> None:
        made = recording(FULL)
        made.notice("pwrite64", 3, 0x1000, 10, 4096)
        made.write(UNSEEN, 0, 10)
        assert [(c.call, c.offset) for c in made.calls("write")] == [("unknown", 0)]

    def test_not_once_the_call_is_complete(self) -> None:
        made = recording(FULL)
        made.notice("pwrite64", 3, 0x1000, 10, 0)
        made.write(pwrite(10, 0), 0, 10)
        made.write(UNSEEN, 0, 10)
        assert [c.call for c in made.calls("write")] == ["pwrite64", "unknown"]

    def test_not_beside_an_io_uring(self) -> None:
        made = recording(FULL)
        made.notice("io_uring_setup", 8, 0x1000, fd=None, fd_ino=None)
        made.notice("pwrite64", 3, 0x1000, 10, 0)
        made.write(UNSEEN, 0, 10)
        assert [c.call for c in made.calls("write")] == ["unknown"]


def test_what_could_not_be_looked_at_is_unknown() -> None:
    made = recording()
    made.add(Notice, seen=sight("lseek", fd_ino=None, missing="the caller may not be read: EACCES"))
    call = made.one("seek")
    assert (call.call, call.reason) == ("unknown", "lseek: the caller may not be read: EACCES")
    made.add(Notice, seen=sight("fcntl", fd_ino=None, missing="the caller may not be read: EACCES"))
    assert made.one("none").call == "unknown"


def test_a_look_is_known_by_proc_whatever_the_witness() -> None:
    made = recording()
    made.write(write(10, 0), 0, 10)
    made.fsync(sight("fdatasync", 3))
    assert [call.known_by for call in made.calls("write", "sync")] == ["proc", "proc"]


def test_every_call_is_counted_once() -> None:
    made = recording(FULL)
    for number in range(5):
        made.notice("lseek", 3, number, SEEK_SET)
        seen = write(10, number)
        made.add(Notice, seen=seen)
        made.write(seen, number, 10)
        made.notice("close", 3)
        made.flush()
    calls = made.calls()
    assert [call.index for call in calls] == list(range(1 + 15))
    assert [call.call for call in calls[1:]] == ["lseek", "write", "close"] * 5


def test_a_notice_at_the_end_of_the_journal_is_told() -> None:
    made = recording(FULL)
    made.notice("lseek", 3, 1, SEEK_CUR)
    made.notice("write", 3, 0x1000, 10, tid=9)
    assert {call.call for call in made.calls("seek", "write")} == {"lseek", "write"}
