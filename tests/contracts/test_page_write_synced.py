"""synced: a sync that succeeded, after the write and before the next one and close."""

import errno

import pytest
from page_write_calls import (
    Script,
    advice,
    assert_broken,
    assert_kept,
    assert_unknown,
    errors,
    judge,
)

from tracefs.events import Injected


@pytest.mark.parametrize("name", ["fdatasync", "fsync", "msync", "unknown"])
def test_any_sync_of_the_file_will_do(name: str) -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened, name)
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_copy_that_met_the_end_of_its_source_needs_no_sync() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened)
    script.write(
        opened, 1, name="sendfile", known_by="seccomp", result=None, fragments=0,
        reason="no request followed: it failed, or had nothing to do",
    )  # fmt: skip
    script.end(opened)
    rules = {rule for rule, _ in errors(judge(script.items))}
    assert "synced" not in rules


def test_a_sync_through_another_open_will_do() -> None:
    script = Script()
    first, second = script.open(), script.open(flags=["O_RDONLY"])
    script.write(first)
    script.sync(second)
    script.end(first)
    assert_kept(judge(script.items))


def test_the_next_write_before_a_sync_breaks_it_at_the_first() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 4)
    script.write(opened, 5)
    script.sync(opened)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert (finding.call, finding.page) == (1, 4)
    assert "next write (call 2)" in finding.message


def test_the_same_page_written_twice_needs_a_sync_in_between() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 4)
    script.page(opened, 4)
    assert_broken(judge(script.items), "synced")


def test_a_write_through_another_open_is_a_next_write_too() -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.page(second, 1)
    script.end(first)
    assert_broken(judge(script.items), "synced")


def test_files_do_not_mix() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.db")
    script.write(first)
    script.write(second)
    script.sync(first)
    script.sync(second)
    assert_kept(judge(script.items))


def test_close_before_a_sync_breaks_it() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert finding.call == 1
    assert "closed (call 2)" in finding.message


def test_the_end_of_the_trace_before_a_sync_breaks_it() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert "trace ends" in finding.message


def test_the_end_of_an_incomplete_trace_breaks_nothing() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    finding = assert_unknown(judge(script.items, complete=False, why="cut"), "synced")
    assert "cut" in finding.message
    script.close(opened)
    assert_unknown(judge(script.items, complete=False, why="cut"), "synced")
    script.release(opened)
    assert_broken(judge(script.items, complete=False, why="cut"), "synced")


@pytest.mark.parametrize("released", [True, False])
def test_only_the_last_close_counts(released: bool) -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.close(opened)  # of a duplicate, or in a forked child
    script.sync(opened)
    script.close(opened)
    if released:
        script.release(opened)
    assert_kept(judge(script.items))


def test_a_write_after_the_close_of_a_duplicate_comes_first() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.close(opened)
    script.page(opened, 1)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert "next write" in finding.message


def test_a_sync_by_another_open_after_the_last_close_is_too_late() -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.close(first)
    script.sync(second)
    script.release(first)
    finding = assert_broken(judge(script.items), "synced")
    assert "closed (call 3)" in finding.message


@pytest.mark.parametrize("later", ["close", "sync", "write"])
def test_a_sync_by_another_open_after_the_close_of_a_duplicate_is_in_time(later: str) -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.close(first)
    script.sync(second)
    if later == "sync":
        script.sync(first)
    elif later == "write":
        script.page(first, 1)
    script.end(first)
    assert_kept(judge(script.items))


def test_a_late_release_says_the_same_as_an_early_one() -> None:
    messages = []
    for late in (False, True):
        script = Script()
        first = script.open()
        script.write(first)
        script.close(first)
        if not late:
            script.release(first)
        second = script.open()
        script.page(second, 1)
        if late:
            script.release(first)
        messages.append(assert_broken(judge(script.items), "synced").message)
    assert messages[0] == messages[1]


def test_a_failed_sync_breaks_it_though_a_retry_succeeds() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 3)
    failed = script.sync(opened, errno=errno.EIO, result=None)
    script.sync(opened, after_failed=failed.index)
    script.end(opened)
    result = judge(script.items)
    finding = assert_broken(result, "synced")
    assert (finding.call, finding.page) == (2, 3)
    assert "EIO" in finding.message
    assert advice(result) == []


def test_a_sync_that_claims_success_and_loses_the_page_is_told_of() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 3)
    lost = Injected(rule="fsync:error=EIO:mode=ext4-data", kind="lost")
    script.sync(opened, injected=(lost,))
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert "claimed success, and what it was to save is lost (injected by fsync" in finding.message
    assert "No program can notice this" in finding.repair


def test_an_interrupted_sync_may_be_called_again() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened, errno=errno.EINTR, result=None)
    script.sync(opened)
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_sync_of_another_file_is_named() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.db")
    script.write(first)
    script.sync(second)
    script.end(first)
    finding = assert_broken(judge(script.items), "synced")
    assert "fdatasync (call 3) was on 'b.db' instead" in finding.message


def test_a_sync_of_a_file_that_is_not_judged_is_named() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.log", flags=["O_RDONLY"])
    script.write(first)
    script.sync(second)
    script.write(first, 1)
    script.sync(first)
    assert "b.log" in assert_broken(judge(script.items), "synced").message


def test_another_threads_sync_of_another_file_is_its_own_affair() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.db")
    script.write(first)
    script.sync(second, tid=8)
    script.end(first)
    assert "b.db" not in assert_broken(judge(script.items), "synced").message


def test_a_sync_that_started_before_the_write_ended_does_not_cover_it() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, start_ns=100, end_ns=120)
    script.sync(opened, start_ns=119, end_ns=140)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert "began before the write was done" in finding.message


def test_a_sync_that_starts_as_the_write_ends_covers_it() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, start_ns=100, end_ns=120)
    script.sync(opened, start_ns=120, end_ns=140)
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_write_that_does_not_wait_for_the_sync_breaks_it() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, start_ns=100, end_ns=120)
    script.sync(opened, start_ns=130, end_ns=150)
    script.write(opened, 1, start_ns=149, end_ns=160, tid=8)
    script.sync(opened, start_ns=170, end_ns=180)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert finding.call == 1
    assert "before the sync had succeeded" in finding.message


def test_a_flag_that_took_effect_counts_and_is_named() -> None:
    script = Script()
    opened = script.open(flags=["O_RDWR", "O_DSYNC"])
    for page in range(3):
        script.write(opened, page, synced_by="O_DSYNC")
    script.end(opened)
    result = judge(script.items)
    assert_kept(result)
    assert "O_DSYNC (3)" in result.evidence["synced"]
    assert advice(result) == ["open-flags"]


def test_sync_calls_alone_leave_no_evidence_to_name() -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    assert "synced" not in judge(script.items).evidence


def test_each_unsynced_write_is_reported_once() -> None:
    script = Script()
    opened = script.open()
    for page in range(5):
        script.write(opened, page)
    script.end(opened)
    assert errors(judge(script.items)) == [("synced", "broken")] * 5


def test_a_file_is_synced_by_its_inode_not_by_its_name() -> None:
    script = Script()
    opened = script.open("new.tmp")
    script.write(opened)
    script.call("rename", "rename", path="new.tmp", target="a.db", ino=opened.ino)
    script.sync(opened, path="a.db")
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_write_that_did_not_wait_is_reported_once() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, start_ns=100, end_ns=120)
    script.sync(opened, start_ns=130, end_ns=150)
    script.write(opened, 1, start_ns=140, end_ns=145, errno=errno.EINTR)
    script.write(opened, 2, start_ns=146, end_ns=160)
    script.sync(opened, start_ns=170, end_ns=180)
    script.end(opened)
    assert errors(judge(script.items)) == [("synced", "broken"), ("complete", "broken")]


def test_the_close_of_an_open_that_did_not_write_is_no_close_of_the_writer() -> None:
    script = Script()
    first, second, third = script.open(), script.open(), script.open()
    script.write(first)
    script.close(second)
    script.page(third, 1)
    assert "next write" in assert_broken(judge(script.items), "synced").message


def test_a_write_of_nothing_leaves_nothing_to_sync() -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.write(opened, 1, result=0)
    script.end(opened)
    assert_kept(judge(script.items))


@pytest.mark.parametrize(
    ("name", "family", "why"),
    [
        ("sync_file_range", "range", "promises nothing (sync_file_range(2))"),
        ("sync", "syncfs", "was of the whole filesystem"),
        ("syncfs", "syncfs", "was of the whole filesystem"),
    ],
)
def test_what_is_less_than_a_sync_of_the_file_is_told(name: str, family: str, why: str) -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.call(name, family, ino=opened.ino if family == "range" else None)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert f"{name} (call 2)" in finding.message
    assert why in finding.message


def test_what_grows_again_after_o_trunc_has_no_size_as_before() -> None:
    script = Script()
    opened = script.open(flags=["O_RDWR", "O_TRUNC"])  # eight pages, as the open finds it
    for page in (0, 1, 1):
        script.write(opened, page)
        script.sync(opened, "fsync")
    script.end(opened)
    found = advice(judge(script.items, without=("open-flags",)))
    assert found == ["fdatasync-suffices"]  # of the last sync, which nothing grew before


def test_a_range_of_another_file_is_no_part_of_it() -> None:
    script = Script()
    opened, other = script.open(), script.open("b.db")
    script.write(opened)
    script.call("sync_file_range", "range", ino=other.ino)
    script.end(opened)
    assert "sync_file_range" not in assert_broken(judge(script.items), "synced").message
