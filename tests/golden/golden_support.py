"""Calls and entries for the tests of golden traces."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tracefs.golden import Entry, Golden
from tracefs.golden.normalise import renumbered
from tracefs.golden.temporary import escaped, glob
from tracefs.trace.call import Call

PAGE = 4096
RDWR_CREAT = ("O_RDWR", "O_CREAT", "O_CLOEXEC")
EXCLUSIVE = ("O_RDWR", "O_CREAT", "O_EXCL")


def call(name: str, family: str, path: str | None = "pages.db", **fields: Any) -> Call:
    known: dict[str, Any] = {
        "index": 0, "known_by": "proc", "start_ns": 0, "end_ns": 1, "tid": 100, "pid": 100,
        "handle": 1, "result": 0,
    }  # fmt: skip
    return Call(call=name, family=family, path=path, **(known | fields))


def openat(path: str = "pages.db", **fields: Any) -> Call:
    known: dict[str, Any] = {"flags": RDWR_CREAT, "created": True, "result": None}
    return call("openat", "open", path, **(known | fields))


def pwrite(offset: int, path: str = "pages.db", **fields: Any) -> Call:
    known: dict[str, Any] = {"offset": offset, "length": PAGE, "result": PAGE}
    return call("pwrite64", "write", path, **(known | fields))


def fdatasync(path: str = "pages.db", **fields: Any) -> Call:
    return call("fdatasync", "sync", path, **fields)


def close(path: str = "pages.db", **fields: Any) -> Call:
    return call("close", "close", path, **fields)


def rename(old: str, new: str, **fields: Any) -> Call:
    return call("rename", "rename", old, target=new, **fields)


def writer(*pages: int, tid: int = 100, path: str = "pages.db") -> Iterator[Call]:
    """Yield the calls of a program that writes and syncs pages."""
    yield openat(path, tid=tid, created=False, handle=tid)
    for page in pages:
        yield pwrite(page * PAGE, path, tid=tid, handle=tid)
        yield fdatasync(path, tid=tid, handle=tid)
    yield close(path, tid=tid, handle=tid)


def golden(entries: tuple[Entry, ...], **fields: Any) -> Golden:
    known: dict[str, Any] = {"page_size": PAGE, "witness": "seccomp"}
    return Golden(entries=entries, **(known | fields))


NAMES = (
    ("pwrite64", "write"), ("write", "write"), ("mmap", "write"), ("mmap", "map"),
    ("openat", "open"), ("fdatasync", "sync"), ("fsync", "syncdir"), ("close", "close"),
    ("exit", "close"), ("rename", "rename"), ("unlink", "unlink"), ("unknown", "write"),
    ("unknown", "none"), ("fcntl", "flags"), ("lseek", "seek"), ("symlink", "symlink"),
)  # fmt: skip
PATHS = st.one_of(
    st.none(),
    st.sampled_from(["a", "a.{1}", "a.{2}", "d{1}/x", "d{1}/x.{3}", "d/b  # c", "é", "a#2", "b"]),
    st.text(min_size=1, max_size=8).map(escaped),
)
NUMBERS = st.one_of(st.none(), st.integers(-9, 9), st.integers(-(2**63), 2**63))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any entry that a file can hold."""
    name, family = draw(st.sampled_from(NAMES))
    errno = draw(st.sampled_from([0, 0, 0, 28, 11, 4095]))
    path = draw(PATHS)
    return Entry(
        call=name,
        family=family,
        guessed=draw(st.booleans()),
        thread=draw(st.sampled_from([None, 1, 2, 3])),
        path=path,
        opened=1 if path is None else draw(st.sampled_from([1, 1, 2, 3])),
        target=draw(PATHS),
        flags=draw(st.sampled_from([(), ("O_RDONLY",), ("O_RDWR", "O_CREAT", "0x8000")])),
        offset=draw(NUMBERS),
        length=draw(NUMBERS),
        created=draw(st.booleans()),
        synced_by=draw(st.sampled_from([None, "O_DSYNC", "RWF_SYNC"])),
        result=None if errno else draw(NUMBERS),
        errno=errno,
        injected=draw(st.booleans()),
    )


RUNS = st.lists(entries(), max_size=12).map(lambda found: golden(renumbered(found)))
"""Without calls that were chosen."""
GOLDENS = st.builds(
    lambda found, **fields: golden(renumbered(found), **fields),
    st.lists(entries(), max_size=12),
    page_size=st.integers(1, 2**40),
    witness=st.sampled_from(["none", "proc", "seccomp", "full", "strace"]),
    paths=st.lists(st.text(max_size=5).map(glob), max_size=2).map(tuple),
    only=st.sampled_from([(), ("write",), ("pwrite64", "sync")]),
)


@st.composite
def recorded(draw: st.DrawFn) -> Call:
    """Any call on few files, through few opens, some of which nobody knows."""
    path = draw(st.sampled_from(["a", "a.x7Gh2k", "a.Zz91qq", "a.tmp.1234"]))
    handle = draw(st.sampled_from([None, 1, 2, 3]))
    tid = draw(st.sampled_from([None, 1234, 5678]))
    made = draw(st.sampled_from(["openat", "pwrite64", "close", "rename", "unlink"]))
    if made == "openat":
        return openat(path, handle=handle, tid=tid, flags=EXCLUSIVE)
    if made == "pwrite64":
        return pwrite(0, path, handle=handle, tid=tid)
    if made == "close":
        return close(path, handle=handle, tid=tid)
    if made == "rename":
        return rename(path, "a", handle=None, tid=tid)
    return call("unlink", "unlink", path, handle=None, tid=tid)
