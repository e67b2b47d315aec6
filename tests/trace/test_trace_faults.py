"""Faults that were made on purpose: which call has them, and what comes of one that did nothing."""

from typing import Any

import pytest
from trace_support import (
    BUFFER,
    INO,
    O_DSYNC,
    O_RDWR,
    TID,
    Recording,
    pwrite,
    sight,
    write,
)

from tracefs.events import (
    Copy,
    Create,
    Event,
    Fallen,
    Fallocate,
    Faults,
    Flush,
    Fsync,
    Fsyncdir,
    Injected,
    Ioctl,
    Link,
    Mkdir,
    Mknod,
    Open,
    Removexattr,
    Rename,
    Rmdir,
    Setattr,
    Setxattr,
    Symlink,
    Unlink,
    Write,
)

EIO = Injected(rule="write:error=EIO", kind="error")
SLOW = Injected(rule="all:delay_enter=5", kind="delay", delay_ns=5_000_000)
FEIGNED = Injected(rule="all:retval=0", kind="retval")

NAMED = {"path": "a.db", "ino": INO}
OPENED = {"ino": INO, "fh": 1}
REQUESTS: list[tuple[type[Event], dict[str, Any]]] = [
    (Open, {**NAMED, "fh": 0, "flags": O_RDWR}),
    (Create, {**NAMED, "fh": 0, "flags": O_RDWR, "mode": 0o644}),
    (Write, {**OPENED, "offset": 0, "size": 4096, "result": 0, "seen": pwrite(4096, 0)}),
    (Write, {**OPENED, "offset": 0, "size": 4096, "result": 0}),
    (Write, {**OPENED, "offset": 0, "size": 4096, "result": 0, "cached": True}),
    (
        Copy,
        {**OPENED, "offset": 0, "size": 1, "result": 0, "from_ino": 8, "from_fh": 2}
        | {"from_offset": 0},
    ),
    (Fallocate, {**OPENED, "mode": 0, "offset": 0, "size": 1}),
    (Fsync, {**OPENED, "datasync": True, "seen": sight("fdatasync", 3)}),
    (Fsync, {**OPENED, "datasync": True}),
    (Fsyncdir, {**NAMED, "datasync": False}),
    (Flush, OPENED),
    (Setattr, {**NAMED, "size": 0}),
    (Setattr, {**NAMED, "mode": 0o600}),
    (Rename, {"path": "b.db", "old": "a.db", "ino": INO}),
    (Unlink, NAMED),
    (Rmdir, NAMED),
    (Link, {"path": "b.db", "old": "a.db", "ino": INO}),
    (Symlink, {**NAMED, "target": "b"}),
    (Mkdir, {**NAMED, "mode": 0o755}),
    (Mknod, {**NAMED, "mode": 0o644}),
    (Setxattr, {**NAMED, "name": "user.a", "size": 1}),
    (Removexattr, {**NAMED, "name": "user.a"}),
    (Ioctl, {**NAMED, "command": 1}),
]


@pytest.mark.parametrize(
    ("kind", "fields"),
    REQUESTS,
    ids=[f"{n}-{kind.__name__}" for n, (kind, _) in enumerate(REQUESTS)],
)
def test_every_call_says_what_was_injected(kind: type[Event], fields: dict[str, Any]) -> None:
    recording = Recording()
    recording.open()
    recording.add(kind, **fields, errno=5, injected=(EIO, SLOW))
    call = recording.calls()[-1]
    assert call.injected == (EIO, SLOW)
    assert call.errno == 5
    assert (call.faults, call.done, call.pretended) == ((EIO,), False, False)


def test_a_call_that_is_only_late_succeeded() -> None:
    recording = Recording()
    recording.open()
    recording.write(pwrite(4096, 0), 0, 4096, injected=(SLOW,))
    recording.fsync(sight("fdatasync", 3), injected=(SLOW,))
    for call in recording.calls("write", "sync"):
        assert (call.injected, call.faults, call.done) == ((SLOW,), (), True)
        assert call.known_by == "proc"


def test_a_call_has_what_was_injected_into_each_of_its_fragments() -> None:
    recording = Recording()
    recording.open()
    seen = write(8192, 0)
    recording.write(seen, 0, 4096, injected=(SLOW,))
    recording.write(seen, 4096, 4096, errno=5, injected=(EIO,))
    call = recording.one("write")
    assert (call.fragments, call.result, call.errno) == (2, 4096, 0)
    assert call.injected == (SLOW, EIO)


def test_a_short_write_is_one() -> None:
    short = Injected(rule="write:short=100", kind="short")
    recording = Recording()
    recording.open()
    recording.write(pwrite(4096, 0), 0, 4096, result=100, injected=(short,))
    call = recording.one("write")
    assert (call.result, call.length, call.injected) == (100, 4096, (short,))


def test_an_implied_sync_that_fails_fails_its_write() -> None:
    recording = Recording()
    recording.open(O_RDWR | O_DSYNC)
    seen = pwrite(4096, 0, fd_flags=O_RDWR | O_DSYNC)
    recording.write(seen, 0, 4096)
    recording.fsync(seen, errno=5, injected=(EIO,))
    call = recording.one("write")
    assert (call.errno, call.injected, call.synced_by) == (5, (EIO,), None)


def test_an_implied_sync_that_did_nothing_makes_nothing_durable() -> None:
    recording = Recording()
    recording.open(O_RDWR | O_DSYNC)
    seen = pwrite(4096, 0, fd_flags=O_RDWR | O_DSYNC)
    recording.write(seen, 0, 4096)
    recording.fsync(seen, injected=(FEIGNED,))
    call = recording.one("write")
    assert (call.errno, call.result, call.synced_by, call.pretended) == (0, 4096, None, True)


def test_names_stay_where_a_rename_did_nothing() -> None:
    recording = Recording()
    recording.open()
    recording.add(Rename, path="b.db", old="a.db", ino=INO, injected=(FEIGNED,))
    recording.write(pwrite(4096, 0), 0, 4096)
    assert recording.one("write").path == "a.db"
    assert not recording.one("rename").done


@pytest.mark.parametrize("tid", [0, TID])
def test_lines_about_faults_are_no_calls_and_end_none(tid: int) -> None:
    recording = Recording(witness="seccomp", notified=("write",))
    recording.open()
    recording.notice("write", 3, BUFFER, 8192)
    seen = write(8192, 0)
    recording.write(seen, 0, 4096)
    recording.add(Faults, tid, rules=("sync:error=EIO",))
    recording.add(Fallen, tid, path="a.db", ino=INO, offset=0, size=4096, rule="sync:error=EIO")
    recording.write(seen, 4096, 4096)
    (call,) = recording.calls("write")
    assert (call.fragments, call.result) == (2, 8192)
    assert [call.family for call in recording.calls()] == ["open", "write"]
