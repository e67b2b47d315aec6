"""What waits for a sync after each call: against a count of bytes, one by one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_support import PAGE, call, close, fdatasync, pwrite

from tracefs.events import Injected
from tracefs.report.ledger import Changed, Ledger
from tracefs.trace.call import Call


def taken(*calls: Call) -> tuple[Ledger, list[tuple[int | None, int]]]:
    ledger = Ledger(10)
    entries = [ledger.take(one) for one in calls]
    return ledger, [(entry.file, entry.waiting) for entry in entries]


def created(index: int, ino: int = 7, path: str = "pages.db") -> Call:
    return call("openat", "open", index=index, ino=ino, path=path, created=True)


def test_a_close_says_what_waits_and_because_of_which_call() -> None:
    ledger, waiting = taken(
        pwrite(0, index=0), fdatasync(index=1), pwrite(PAGE, index=2), pwrite(PAGE, index=3),
        close(index=4),
    )  # fmt: skip
    assert waiting == [(0, PAGE), (0, 0), (0, PAGE), (0, PAGE), (0, PAGE)]
    [owed] = ledger.at_close
    assert (owed.at, owed.because, owed.bytes, owed.path) == (4, 3, PAGE, "pages.db")
    [end] = ledger.at_end()
    assert (end.at, end.because, end.bytes, end.lost) == (None, 3, PAGE, 0)


def test_what_a_failed_sync_lost_is_told_apart() -> None:
    ledger, waiting = taken(
        pwrite(0, index=0), fdatasync(index=1, errno=5, result=None), fdatasync(index=2)
    )
    assert [bytes_ for _, bytes_ in waiting] == [PAGE, PAGE, PAGE]
    [end] = ledger.at_end()
    assert (end.bytes, end.lost) == (PAGE, PAGE)


def test_sync_of_everything_changes_other_files() -> None:
    ledger, waiting = taken(
        pwrite(0, index=0), pwrite(0, index=1, ino=8, path="b"), call(index=2, **_sync())
    )
    assert waiting[-1] == (None, 0)
    assert ledger.elsewhere == [
        Changed(call=2, file=0, bytes=0), Changed(call=2, file=1, bytes=0),
    ]  # fmt: skip
    assert ledger.at_end() == []


def _sync() -> dict[str, Any]:
    return {"name": "sync", "family": "syncfs", "ino": None, "path": None, "result": 0}


def test_an_inode_number_that_comes_again_is_another_file() -> None:
    ledger, waiting = taken(
        created(0), pwrite(0, index=1), created(2, path="new"), close(index=3, path="new")
    )
    assert waiting == [(0, 0), (0, PAGE), (1, 0), (1, 0)]
    assert ledger.paths == ["pages.db", "new"]
    assert ledger.elsewhere == [Changed(call=2, file=0, bytes=0)]
    assert ledger.at_end() == []


def test_bytes_are_a_lower_bound_where_a_place_is_not_known() -> None:
    append = call("write", "write", index=1, result=10)
    ledger, _ = taken(pwrite(0, index=0), append, call("write", "write", index=2, result=0))
    assert (ledger.lower_bound, ledger.unplaced) == (True, 1)
    nothing: dict[str, Any] = {"known_by": "seccomp", "fragments": 0, "result": None}
    ledger, _ = taken(pwrite(0, index=0), pwrite(0, index=1, **nothing))
    assert (ledger.lower_bound, ledger.unplaced) == (False, 0)


def test_closes_are_counted_beyond_those_that_are_kept() -> None:
    ledger = Ledger(1)
    for one in (pwrite(0, index=0), close(index=1), close(index=2)):
        ledger.take(one)
    assert (ledger.closes, len(ledger.at_close)) == (2, 1)


def test_a_close_that_was_only_said_to_be_done_is_none() -> None:
    feigned = Injected(kind="retval", rule="close:retval=0")
    ledger, _ = taken(pwrite(0, index=0), close(index=1, injected=(feigned,)))
    assert ledger.closes == 0
    ledger.take(close(index=2, errno=5, result=None))
    assert [one.at for one in ledger.at_close] == [2]


@pytest.mark.parametrize("flag", [None, "O_DSYNC"])
def test_a_synchronous_write_owes_nothing(flag: str | None) -> None:
    ledger, _ = taken(pwrite(0, index=0, synced_by=flag))
    assert [one.because for one in ledger.at_end()] == ([] if flag else [0])


def test_a_sync_covers_the_stores_that_the_kernel_wrote_out_for_it() -> None:
    """It begins where the program called it; the kernel's writes come in its time."""
    store = call("mmap", "write", index=0, offset=0, length=PAGE, result=PAGE, tid=None)
    early: dict[str, Any] = {"start_ns": store.start_ns - 1, "end_ns": store.end_ns + 1}
    ledger, _ = taken(store, call("msync", "sync", index=1, result=0, **early))
    assert ledger.at_end() == []
    # Of a write that ended meanwhile this can't be said, and of sync(2) neither.
    for one, sync in (
        (pwrite(0, index=0), fdatasync(index=1, **early)),
        (store, call(index=1, **(_sync() | early))),
    ):
        ledger, _ = taken(one, sync)
        assert [owed.bytes for owed in ledger.at_end()] == [PAGE]


@given(
    st.lists(
        st.tuples(st.sampled_from(["write", "sync", "cut"]), st.integers(0, 1), st.integers(0, 40))
    )
)
def test_bytes_are_those_that_a_count_of_each_gives(done: list[tuple[str, int, int]]) -> None:
    ledger = Ledger(0)
    dirty: dict[int, set[int]] = {0: set(), 1: set()}
    for index, (what, file, at) in enumerate(done):
        fields: dict[str, Any] = {"index": index, "ino": 7 + file}
        if what == "write":
            ledger.take(pwrite(at, 10, **fields))
            dirty[file] |= set(range(at, at + 10))
        elif what == "sync":
            ledger.take(fdatasync(**fields))
            dirty[file].clear()
        else:
            ledger.take(call("ftruncate", "truncate", length=at, result=0, **fields))
            dirty[file] = {byte for byte in dirty[file] if byte < at}
    assert sum(one.bytes for one in ledger.at_end()) == sum(map(len, dirty.values()))


def test_a_file_that_was_deleted_is_told_apart() -> None:
    ledger, _ = taken(pwrite(0, index=0), call("unlink", "unlink", index=1))
    assert [one.deleted for one in ledger.at_end()] == [True]
