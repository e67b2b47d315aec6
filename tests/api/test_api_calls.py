"""Calls as values: what equals what, and that each is spelt as what makes an equal one."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracefs.api
from tracefs.api import (
    ANY,
    Call,
    close,
    fdatasync,
    fsync,
    fsyncdir,
    ftruncate,
    lseek,
    mmap,
    open_,
    openat,
    pwrite,
    rename,
    renameat2,
    rmdir,
    store,
    unknown,
    unlink,
    write,
)
from tracefs.api.seen import value
from tracefs.api.spelling import SHAPES
from tracefs.trace import Call as Recorded
from tracefs.trace.naming import UNKNOWN

NAMES = {name: getattr(tracefs.api, name) for name in tracefs.api.__all__}


def recorded(name: str, family: str, path: str | None = "a.db", **fields: Any) -> Call:
    """Return a recorded call as a value."""
    call = Recorded(
        index=3, call=name, family=family, known_by="proc", path=path, start_ns=0, end_ns=1, tid=7,
        **fields,
    )  # fmt: skip
    return value(call, 4096, lambda _: None)


def seen_write(name: str = "pwrite64", **fields: Any) -> Call:
    return recorded(
        name, "write", **({"offset": 0, "length": 4096, "result": 4096, "fragments": 1} | fields)
    )


def both_ways(one: object, other: object) -> bool:
    """Return whether they are equal, which must not depend on who is asked."""
    assert (one == other) is (other == one) is not (one != other)
    return one == other


def test_a_whole_write_equals_its_constructor() -> None:
    assert both_ways(seen_write(), pwrite("a.db", 4096, at=0))
    assert not both_ways(seen_write(), pwrite("a.db", 4096, at=4096))
    assert not both_ways(seen_write(), pwrite("a.db", 4095, at=0))
    assert not both_ways(seen_write(), pwrite("b.db", 4096, at=0))
    assert not both_ways(seen_write(), write("a.db", 4096))


def test_a_short_write_must_be_asked_for() -> None:
    short = seen_write(result=100)
    assert not both_ways(short, pwrite("a.db", 4096, at=0))
    assert not both_ways(short, pwrite("a.db", ANY, at=ANY))
    assert both_ways(short, pwrite("a.db", 4096, at=0, result=100))
    assert both_ways(short, pwrite("a.db", 4096, at=0, result=ANY))


def test_a_write_whose_result_nobody_saw_is_not_whole() -> None:
    assert not both_ways(seen_write(result=None), pwrite("a.db", 4096, at=0))


def test_an_error_must_be_asked_for() -> None:
    failed = recorded("fdatasync", "sync", errno=5)
    assert not both_ways(failed, fdatasync("a.db"))
    assert both_ways(failed, fdatasync("a.db", errno="EIO"))
    assert both_ways(failed, fdatasync("a.db", errno=ANY))
    assert not both_ways(recorded("fdatasync", "sync"), fdatasync("a.db", errno="EIO"))
    assert both_ways(seen_write(result=None, errno=28), pwrite("a.db", 4096, at=0, errno="ENOSPC"))


@pytest.mark.parametrize("path", ["a.db", None])
def test_what_nobody_could_name_equals_no_constructor_but_unknown(path: str | None) -> None:
    call = recorded(UNKNOWN, "sync", path, reason="nobody looked")
    assert both_ways(call, unknown())
    assert both_ways(call, unknown(path, family="sync"))
    assert not both_ways(call, unknown(path, family="write"))
    assert not both_ways(call, unknown("other.db"))
    for each in (fsync(ANY), fdatasync(ANY), fsync(ANY, errno=ANY), write(ANY, ANY, result=ANY)):
        assert not both_ways(call, each)


def test_a_path_that_is_not_known_is_no_path() -> None:
    assert not both_ways(recorded("close", "close", None), close("a.db"))
    assert both_ways(recorded("close", "close", None), close(ANY))


def test_any_equals_all_from_both_sides() -> None:
    assert ANY == 1
    assert 1 == ANY  # noqa: SIM300  # the other side
    assert not ANY != None  # noqa: E711, SIM202  # the operator is what is tested
    assert repr(ANY) == "ANY"


def test_any_keeps_its_identity() -> None:
    call = pwrite("a.db", ANY, at=ANY)
    for other in (copy.deepcopy(call), pickle.loads(pickle.dumps(call))):
        assert both_ways(other, call)
        assert repr(other) == repr(call)
    assert copy.deepcopy(ANY) is ANY


def test_calls_have_no_hash() -> None:
    for each in (pwrite("a.db", 1, at=0), ANY):
        with pytest.raises(TypeError, match="unhashable"):
            hash(each)


@pytest.mark.parametrize("name", ["open", "openat", "openat2", "creat"])
def test_open_is_whatever_system_call_opens(name: str) -> None:
    opened = recorded(name, "open", flags=("O_RDWR", "O_CREAT"), created=True)
    assert both_ways(opened, open_("a.db"))
    assert both_ways(opened, open_("a.db", "O_CREAT|O_RDWR"))
    assert both_ways(opened, open_("a.db", ["O_CREAT", "O_RDWR"], created=True))
    assert not both_ways(opened, open_("a.db", "O_RDWR"))
    assert both_ways(opened, openat("a.db")) is (name == "openat")


def test_rename_is_none_that_exchanges() -> None:
    plain = recorded("renameat2", "rename", target="b")
    exchanged = recorded("renameat2", "rename", target="b", flags=("RENAME_EXCHANGE",))
    assert both_ways(plain, rename("a.db", "b"))
    assert not both_ways(exchanged, rename("a.db", "b"))
    assert both_ways(exchanged, renameat2("a.db", "b", flags="RENAME_EXCHANGE"))
    assert not both_ways(recorded("rename", "rename", target="b"), renameat2("a.db", "b"))


def test_two_recorded_calls_of_other_names_are_not_equal() -> None:
    assert not both_ways(
        recorded("rename", "rename", target="b"), recorded("renameat", "rename", target="b")
    )


def test_a_directory_is_not_a_file() -> None:
    assert both_ways(recorded("fsync", "syncdir", "."), fsyncdir("."))
    assert both_ways(recorded("fdatasync", "syncdir", ".", datasync=True), fsyncdir("."))
    assert not both_ways(recorded("fsync", "syncdir", "."), fsync("."))
    assert both_ways(recorded("unlinkat", "rmdir", "d"), rmdir("d"))
    assert not both_ways(recorded("unlinkat", "rmdir", "d"), unlink("d"))


def test_a_store_is_no_mmap() -> None:
    stored = seen_write("mmap")
    assert both_ways(stored, store("a.db", 4096, at=0))
    assert not both_ways(stored, mmap("a.db", 4096, at=0))


def test_lseek_goes_from_the_start_unless_told() -> None:
    sought = recorded("lseek", "seek", offset=0, result=8192, flags=("SEEK_END",))
    assert not both_ways(sought, lseek("a.db", 0))
    assert both_ways(sought, lseek("a.db", 0, "SEEK_END"))
    assert both_ways(sought, lseek("a.db", 0, ANY))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (seen_write(), 'pwrite("a.db", 4096, at=0)'),
        (seen_write(result=100), 'pwrite("a.db", 4096, at=0, result=100)'),
        (
            seen_write("write", synced_by="O_DSYNC"),
            'write("a.db", 4096, at=0, synced_by="O_DSYNC")',
        ),
        (seen_write(result=None, errno=28), 'pwrite("a.db", 4096, at=0, errno="ENOSPC")'),
        (recorded("fdatasync", "sync", result=0, datasync=True), 'fdatasync("a.db")'),
        (recorded("fsync", "syncdir", "."), 'fsyncdir(".")'),
        (recorded("fdatasync", "syncdir", ".", datasync=True), 'fsyncdir(".", datasync=True)'),
        (
            recorded("openat", "open", flags=("O_RDWR", "O_CREAT"), created=True, size=0),
            'openat("a.db", "O_RDWR|O_CREAT", created=True)',
        ),
        (recorded("rename", "rename", target="b", result=0), 'rename("a.db", "b")'),
        (recorded("link", "link", "new", target="a.db"), 'link("a.db", "new")'),
        (recorded("ftruncate", "truncate", length=0), 'ftruncate("a.db", 0)'),
        (
            recorded("lseek", "seek", offset=10, result=10, flags=("SEEK_SET",)),
            'lseek("a.db", 10)',
        ),
        (
            recorded("lseek", "seek", offset=0, result=10, flags=("SEEK_END",)),
            'lseek("a.db", 0, "SEEK_END", result=10)',
        ),
        (recorded("fchmod", "attr"), 'call("fchmod", "a.db")'),
        (recorded("sync", "syncfs", None, result=0), "sync()"),
        (recorded("close", "close", None), "close(None)"),
        (
            recorded(UNKNOWN, "sync", reason="nobody looked"),
            'unknown("a.db", family="sync", reason="nobody looked")',
        ),
        (recorded("unlink", "unlink", 'it\'s "a\\n"\n'), "unlink('it\\'s \"a\\\\n\"\\n')"),
        (pwrite("a.db", ANY, at=ANY), 'pwrite("a.db", ANY, at=ANY)'),
        (open_("a.db"), 'open_("a.db")'),
    ],
)
def test_a_call_is_spelt_as_its_constructor(call: Call, text: str) -> None:
    assert repr(call) == str(call) == text


NUMBERS = st.none() | st.integers(0, 10_000)
WORDS = st.sampled_from(["O_RDWR", "O_CREAT", "SEEK_SET", "SEEK_END", "RENAME_EXCHANGE", "0x8"])
KINDS = [*SHAPES, ("fchmod", "attr"), ("exit", "close"), ("unlinkat", "rmdir"), (UNKNOWN, "write")]


@st.composite
def recorded_calls(draw: st.DrawFn) -> Call:
    name, family = draw(st.sampled_from(KINDS))
    return recorded(
        name,
        family,
        draw(st.none() | st.text(max_size=5)),
        offset=draw(NUMBERS),
        length=draw(NUMBERS),
        result=draw(NUMBERS),
        errno=draw(st.sampled_from([0, 5, 28])),
        flags=tuple(draw(st.lists(WORDS, max_size=2, unique=True))),
        target=draw(st.none() | st.text(max_size=5)),
        created=draw(st.booleans()),
        synced_by=draw(st.sampled_from([None, "O_DSYNC"])),
        datasync=draw(st.booleans()),
        reason=draw(st.sampled_from([None, "nobody looked"])),
    )


@given(recorded_calls())
def test_every_recorded_call_equals_what_it_is_spelt_as(call: Call) -> None:
    again = eval(repr(call), NAMES)
    assert both_ways(call, again)
    assert repr(again) == repr(call)


@given(recorded_calls(), recorded_calls())
def test_what_is_spelt_the_same_is_equal(one: Call, other: Call) -> None:
    if repr(one) == repr(other):
        assert both_ways(one, eval(repr(other), NAMES))


def test_pages() -> None:
    call = seen_write(offset=8292)
    assert (call.page, call.pages, call.is_aligned) == (2, (2, 3), False)
    assert fdatasync("a.db").page is None
    match call:
        case Call(name="pwrite64", path="a.db", page=2):
            pass
        case _:
            raise AssertionError


def test_flags_may_be_given_in_any_order() -> None:
    assert both_ways(ftruncate("a.db", 0), ftruncate("a.db", ANY))
    assert openat("a.db", "O_RDWR|O_CREAT") == openat("a.db", {"O_CREAT", "O_RDWR"})
