"""Requests that are one call each."""

from typing import Any

import pytest
from trace_support import INO, O_CREAT, O_LARGEFILE, O_RDWR, O_TRUNC, TID, Recording, sight

from tracefs.events import (
    Copy,
    Create,
    Event,
    Fallocate,
    Fsync,
    Fsyncdir,
    Ioctl,
    Link,
    Mkdir,
    Mknod,
    Open,
    Query,
    Read,
    Removexattr,
    Rename,
    Rmdir,
    Setattr,
    Setxattr,
    Sighting,
    Statfs,
    Symlink,
    Unlink,
)
from tracefs.trace import Call

O_DIRECTORY, O_TMPFILE = 0o200000, 0o20200000


def only(kind: type[Event], **fields: Any) -> Call:
    """Return the one call that a single event makes."""
    recording = Recording()
    recording.add(kind, **fields)
    (call,) = recording.calls()
    return call


# -- syncs


@pytest.mark.parametrize(
    ("name", "datasync"), [("fsync", False), ("fdatasync", True), ("msync", True)]
)
def test_syncs_are_named_by_the_sighting(name: str, *, datasync: bool) -> None:
    recording = Recording()
    recording.open()
    seen = sight(name, 3, position=8, **{"fd": None, "fd_ino": None} if name == "msync" else {})
    recording.fsync(seen, datasync=datasync)
    assert recording.one("sync") == Call(
        index=1, call=name, family="sync", known_by="proc", path="a.db", start_ns=20, end_ns=25,
        tid=TID, pid=TID, comm="prog", ino=INO, handle=1, fd=seen.fd, result=0, position=8,
        datasync=datasync,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "datasync", "reason"),
    [
        (None, True, "nobody looked at the caller"),
        (sight("fsync", 3), True, "fsync was seen, but a data-only sync was asked for"),
        (sight("fdatasync", 3), False, "fdatasync was seen, but a full sync was asked for"),
        (sight("fsync", 3, fd_ino=5), False, "fsync was seen on another file (inode 5)"),
        (sight("sync"), False, "sync was seen, but a full sync was asked for"),
        (sight("io_uring_enter"), True, "io_uring: which operation is not visible"),
    ],
)
def test_a_sync_that_cannot_be_told_is_unknown(
    seen: Sighting | None, reason: str, *, datasync: bool
) -> None:
    recording = Recording()
    recording.open()
    recording.fsync(seen, datasync=datasync)
    call = recording.one("sync")
    assert (call.call, call.known_by, call.reason) == ("unknown", None, reason)
    assert (call.family, call.datasync, call.path) == ("sync", datasync, "a.db")


def test_a_sync_by_nobody_here_is_unknown() -> None:
    recording = Recording()
    recording.open()
    recording.add(Fsync, tid=0, datasync=True, ino=77, fh=1, seen=None)
    reason = "asked for by the kernel, or by a thread not visible here"
    assert (recording.one("sync").call, recording.one("sync").reason) == ("unknown", reason)


def test_a_failed_sync_is_a_call_too() -> None:
    recording = Recording()
    recording.open()
    recording.fsync(sight("fdatasync", 3), errno=5)
    call = recording.one("sync")
    assert (call.call, call.result, call.errno) == ("fdatasync", None, 5)


def test_a_directory_sync() -> None:
    call = only(Fsyncdir, path="d", ino=5, datasync=False, seen=sight("fsync", 3, fd_ino=5))
    assert (call.call, call.family, call.path, call.result) == ("fsync", "syncdir", "d", 0)
    other = only(Fsyncdir, path="d", ino=5, datasync=False, seen=sight("fsync", 3, fd_ino=6))
    assert other.call == "unknown"
    unseen = only(Fsyncdir, path=".", ino=1, datasync=True)
    assert (unseen.call, unseen.family, unseen.datasync) == ("unknown", "syncdir", True)


def test_the_traced_directory_has_a_number_of_its_own_in_requests() -> None:
    call = only(Fsyncdir, path=".", ino=1, datasync=False, seen=sight("fsync", 3, fd_ino=777))
    assert (call.call, call.path) == ("fsync", ".")


# -- opens


def test_an_open_shows_the_flags_that_the_program_gave() -> None:
    asked = O_RDWR | O_CREAT | 0o2000000
    seen = sight("openat", -100, 0x7F00, asked, 0o644, fd=None, fd_ino=None, position=None)
    call = only(Open, path="a", ino=5, fh=3, flags=O_RDWR | 0o100000, size=4096, seen=seen)
    assert (call.call, call.known_by) == ("openat", "proc")
    assert call.flags == ("O_RDWR", "O_CREAT", "O_CLOEXEC")
    assert (call.handle, call.size, call.created, call.result) == (3, 4096, False, None)


def test_a_create_made_the_file_unless_it_existed() -> None:
    fields = {"path": "a", "ino": 5, "fh": 3, "flags": O_RDWR, "mode": 0o644}
    assert only(Create, **fields).created
    assert only(Create, **fields).flags == ("O_RDWR", "O_CREAT")
    assert not only(Create, **fields, existed=True).created


@pytest.mark.parametrize(
    ("seen", "flags", "name", "known_by", "spelled"),
    [
        (None, O_LARGEFILE, "open", "fuse", ("O_RDONLY",)),
        (None, 0, "unknown", None, ("O_RDONLY",)),
        (None, O_DIRECTORY, "unknown", None, ("O_RDONLY", "O_DIRECTORY")),
        (None, 0x20, "execve", "fuse", ("O_RDONLY",)),
        (sight("execve"), 0x20, "execve", "proc", ("O_RDONLY",)),
        (sight("creat"), 1, "creat", "proc", ("O_WRONLY", "O_CREAT", "O_TRUNC")),
        (sight("openat2", -100), O_RDWR, "openat2", "proc", ("O_RDWR",)),
        (sight("openat", -100, 0, 0), O_RDWR, "open", "fuse", ("O_RDWR",)),
        (sight("io_uring_enter"), O_RDWR, "open", "fuse", ("O_RDWR",)),
        (Sighting(nr=257), O_RDWR, "openat", "proc", ("O_RDWR",)),
    ],
)
def test_names_of_opens(
    seen: Sighting | None, flags: int, name: str, known_by: str | None, spelled: tuple[str, ...]
) -> None:
    call = only(Open, path="a", ino=5, fh=3, flags=flags, seen=seen)
    assert (call.call, call.known_by, call.flags) == (name, known_by, spelled)


def test_an_open_that_the_kernel_makes_for_an_ioctl_is_no_call() -> None:
    recording = Recording()
    recording.add(Open, path="a", ino=INO, fh=3, flags=0, seen=sight("ioctl", 3))
    recording.flush(3)
    (close,) = recording.calls()
    assert (close.call, close.path) == ("close", "a")


def test_a_temporary_file_makes_no_name() -> None:
    seen = sight("openat", -100, 0, O_TMPFILE | O_RDWR)
    call = only(Create, path="#5", ino=5, fh=3, flags=O_TMPFILE | O_RDWR, mode=0o600, seen=seen)
    assert (call.call, call.flags, call.created) == ("openat", ("O_RDWR", "O_TMPFILE"), False)


def test_an_open_that_failed() -> None:
    call = only(Open, path="a", ino=0, fh=0, flags=0, errno=13)
    assert (call.result, call.errno, call.handle, call.ino, call.size) == (
        None,
        13,
        None,
        None,
        None,
    )


def test_closing_is_known_from_the_request() -> None:
    recording = Recording()
    recording.open()
    recording.flush()
    call = recording.one("close")
    assert (call.call, call.known_by, call.path, call.result) == ("close", "fuse", "a.db", 0)


# -- names


@pytest.mark.parametrize(
    ("kind", "family", "fields"),
    [
        (Mkdir, "mkdir", {"mode": 0o755}),
        (Mknod, "mknod", {"mode": 0o10644}),
        (Symlink, "symlink", {"target": "to"}),
        (Link, "link", {"old": "from"}),
        (Unlink, "unlink", {}),
        (Rmdir, "rmdir", {}),
    ],
)
def test_changes_of_names(kind: type[Event], family: str, fields: dict[str, Any]) -> None:
    plain = only(kind, path="p", ino=5, **fields)
    assert (plain.call, plain.family, plain.known_by) == (family, family, "fuse")
    assert (plain.path, plain.ino, plain.result) == ("p", 5, 0)
    assert plain.target == (fields.get("target") or fields.get("old"))
    seen = only(kind, path="p", ino=5, seen=sight(family), **fields)
    assert (seen.call, seen.known_by) == (family, "proc")
    other = only(kind, path="p", ino=5, seen=sight("fsync"), **fields)
    assert (other.call, other.known_by) == (family, "fuse")
    failed = only(kind, path="p", ino=0, errno=17, **fields)
    assert (failed.result, failed.errno, failed.ino) == (None, 17, None)


def test_a_rename_goes_from_path_to_target() -> None:
    seen = sight("renameat2", -100, 0, -100, 0, 1)
    call = only(Rename, old="a", path="b", ino=5, flags=1, seen=seen)
    assert (call.call, call.path, call.target) == ("renameat2", "a", "b")
    assert call.flags == ("RENAME_NOREPLACE",)
    assert only(Rename, old="a", path="b", ino=5).call == "rename"


def test_unlinkat_removes_directories_only_when_asked() -> None:
    assert only(Rmdir, path="d", ino=5, seen=sight("unlinkat", -100, 0, 0x200)).call == "unlinkat"
    assert only(Rmdir, path="d", ino=5, seen=sight("unlinkat", -100, 0, 0)).call == "rmdir"
    assert only(Unlink, path="d", ino=5, seen=sight("unlinkat", -100, 0, 0)).call == "unlinkat"
    assert only(Unlink, path="d", ino=5, seen=sight("rmdir")).call == "unlink"


# -- attributes


@pytest.mark.parametrize(
    ("seen", "fields", "name", "known_by"),
    [
        (sight("ftruncate", 3, 100), {"size": 100, "fh": 1}, "ftruncate", "proc"),
        (sight("truncate", 0, 100, fd_ino=None), {"size": 100}, "truncate", "proc"),
        (sight("ftruncate", 3, 99), {"size": 100, "fh": 1}, "unknown", None),
        (sight("ftruncate", 3, 100, fd_ino=5), {"size": 100, "fh": 1}, "unknown", None),
        (sight("write", 3), {"size": 100, "fh": 1}, "ftruncate", "fuse"),
        (sight("openat", 0, 0, O_TRUNC), {"size": 100, "fh": 1}, "unknown", None),
        (sight("openat", 0, 0, O_RDWR), {"size": 0, "fh": 1}, "unknown", None),
        (sight("openat", 0, 0, O_TRUNC), {"size": 0, "fh": 1, "errno": 28}, "unknown", None),
        (None, {"size": 100}, "truncate", "fuse"),
        (None, {"size": 100, "fh": 1}, "ftruncate", "fuse"),
        (None, {"size": 0, "fh": 1}, "unknown", None),
        (None, {"size": 0}, "unknown", None),
    ],
)
def test_truncations(
    seen: Sighting | None, fields: dict[str, Any], name: str, known_by: str | None
) -> None:
    call = only(Setattr, path="a", ino=INO, seen=seen, **fields)
    assert (call.call, call.family, call.known_by) == (name, "truncate", known_by)
    assert call.length == fields["size"]
    assert (call.reason is None) == (name != "unknown")


@pytest.mark.parametrize(
    ("seen", "fields", "name"),
    [
        (sight("fchmod", 3), {"mode": 0o600}, "fchmod"),
        (sight("chown"), {"uid": 1, "mode": 0o600}, "chown"),
        (sight("utimensat"), {"mtime_ns": 5}, "utimensat"),
        (sight("chmod"), {"uid": 1}, "unknown"),
        (sight("lchown"), {"mtime_ns": 1}, "unknown"),
        (sight("utime"), {"mode": 0o600}, "unknown"),
        (sight("pwrite64"), {"uid": 1}, "unknown"),
        (None, {"uid": 1}, "chown"),
        (None, {"atime_ns": 1}, "utimensat"),
        (None, {"mode": 0o600}, "unknown"),
        (sight("chown"), {"left_mode": 0o755}, "chown"),
        (None, {"left_mode": 0o755}, "unknown"),
    ],
)
def test_attributes(seen: Sighting | None, fields: dict[str, Any], name: str) -> None:
    call = only(Setattr, path="a", ino=INO, seen=seen, **fields)
    assert (call.call, call.family) == (name, "attr")


@pytest.mark.parametrize(
    ("seen", "fields"),
    [
        (sight("pwrite64", 3), {"mode": 0o755}),
        (sight("pwrite64", 3), {}),
        (sight("copy_file_range", 3, 0, 3), {"left_mode": 0o755}),
        (sight("fallocate", 3), {"left_mode": 0o755}),
        (sight("ftruncate", 3), {"mode": 0o755}),
        (sight("openat", 0, 0, O_TRUNC), {"size": 0, "fh": 1}),
        (sight("creat"), {"size": 0, "fh": 1}),
    ],
)
def test_what_the_kernel_changes_in_passing_is_no_call(
    seen: Sighting, fields: dict[str, Any]
) -> None:
    recording = Recording()
    recording.add(Setattr, path="a", ino=INO, seen=seen, **fields)
    assert recording.items() == []


def test_extended_attributes() -> None:
    call = only(Setxattr, path="a", ino=5, name="user.x", size=3, seen=sight("fsetxattr", 3))
    assert (call.call, call.family, call.length) == ("fsetxattr", "xattr", 3)
    removal = only(Removexattr, path="a", ino=5, name="user.x", seen=sight("setxattr"))
    assert (removal.call, removal.known_by) == ("removexattr", "fuse")


# -- what is no call


def test_requests_that_only_ask_are_left_out() -> None:
    recording = Recording()
    recording.add(Statfs)
    recording.add(Query, operation="getattr", ino=5)
    recording.add(Read, ino=INO, fh=1, offset=0, size=4096, result=10)
    assert recording.items() == []


def test_reads_are_shown_on_request_without_a_number() -> None:
    recording = Recording()
    recording.open()
    recording.add(Read, ino=INO, fh=1, offset=0, size=4096, result=10)
    recording.flush()
    opened, read, closed = (item for item in recording.items(reads=True) if isinstance(item, Call))
    assert (opened.index, read.index, closed.index) == (0, -1, 1)
    assert (read.call, read.family, read.known_by) == ("unknown", "read", None)
    assert (read.path, read.offset, read.length, read.result) == ("a.db", 0, 4096, 10)
    assert read.reason is not None


# -- what pyfuse3 has no handlers for


COPIED = {
    "ino": INO, "fh": 1, "offset": 8192, "size": 4096, "from_ino": 5, "from_fh": 2, "from_offset": 0
}  # fmt: skip


def copied(seen: Sighting | None, **changes: Any) -> Call:
    recording = Recording()
    recording.open()
    recording.open(path="from", fh=2, ino=5)
    recording.add(Copy, seen=seen, **COPIED | {"result": 4096} | changes)
    return recording.one("write")


def test_a_copy_is_a_write_as_long_as_its_call_says() -> None:
    call = copied(sight("copy_file_range", 4, 0, 3, 0, 100_000))
    assert (call.call, call.known_by, call.path, call.target) == (
        "copy_file_range", "proc", "a.db", "from",
    )  # fmt: skip
    assert (call.offset, call.length, call.result, call.fragments) == (8192, 100_000, 4096, 1)
    assert call.reason is None


def test_a_copy_whose_caller_was_not_seen() -> None:
    call = copied(None)
    assert (call.call, call.known_by, call.length, call.result) == (
        "copy_file_range", "fuse", None, 4096,
    )  # fmt: skip
    assert "the kernel ends it with the file" in str(call.reason)


def test_a_copy_that_failed() -> None:
    call = copied(sight("copy_file_range", 4, 0, 3, 0, 4096), result=0, errno=28)
    assert (call.result, call.errno) == (None, 28)


@pytest.mark.parametrize(
    ("seen", "known_by"), [(sight("fallocate", 3, 1, 0, 9000), "proc"), (None, "fuse")]
)
def test_an_allocation(seen: Sighting | None, known_by: str) -> None:
    recording = Recording()
    recording.open()
    recording.add(Fallocate, ino=INO, fh=1, mode=1, offset=0, size=9000, seen=seen)
    call = recording.one("allocate")
    assert (call.call, call.known_by, call.path) == ("fallocate", known_by, "a.db")
    assert (call.offset, call.length, call.result) == (0, 9000, 0)
    assert call.flags == ("FALLOC_FL_KEEP_SIZE",)


def test_an_ioctl_that_sets_flags_changes_attributes() -> None:
    call = only(Ioctl, path="a", ino=5, command=0x40086602, seen=sight("ioctl", 3))
    assert (call.call, call.known_by, call.family, call.result) == ("ioctl", "proc", "attr", 0)
