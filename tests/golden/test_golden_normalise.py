"""What changes from run to run is numbered or left out, and nothing else is."""

from collections.abc import Iterable

import pytest
from golden_support import (
    EXCLUSIVE,
    GOLDENS,
    call,
    close,
    fdatasync,
    openat,
    pwrite,
    recorded,
    rename,
    writer,
)
from hypothesis import given
from hypothesis import strategies as st

from tracefs.golden import Golden, selected
from tracefs.golden.format import spelled
from tracefs.golden.normalise import normalised, renumbered
from tracefs.trace.call import Call


def lines(calls: Iterable[Call]) -> list[str]:
    return [spelled(entry) for entry in normalised(calls)]


def test_descriptors_times_threads_and_inodes_make_no_difference() -> None:
    one = [openat(), pwrite(0), fdatasync(tid=101), close(tid=101)]
    other = [
        openat(tid=7, pid=7, handle=40, ino=9, fd=11, start_ns=5, comm="x", size=0),
        pwrite(0, tid=7, pid=7, handle=40, fragments=3, known_by="seccomp", position=8, fd=11),
        fdatasync(tid=3, handle=40, datasync=True, note="a label"),
        close(tid=3, handle=40, fd=11),
    ]
    assert (
        lines(one)
        == lines(other)
        == [
            'T1 openat "pages.db" O_RDWR|O_CREAT|O_CLOEXEC created',
            'T1 pwrite64 "pages.db" offset=0 length=4096 = 4096',
            'T2 fdatasync "pages.db" = 0',
            'T2 close "pages.db" = 0',
        ]
    )


def test_fetched_pages_are_no_calls() -> None:
    assert lines([call("unknown", "read", index=-1)]) == []


def test_results_that_are_descriptors_are_left_out() -> None:
    assert lines([openat(result=5), call("dup", "dup", result=6), close(result=0)]) == lines(
        [openat(result=8), call("dup", "dup", result=9), close(result=0)]
    )
    assert lines([call("dup2", "close", result=6)]) == ['T1 dup2/close "pages.db"']


def test_opens_at_once_are_told_apart_and_numbers_are_free_again() -> None:
    calls = [
        openat("a", handle=10), openat("a", handle=11), pwrite(0, "a", handle=11),
        close("a", handle=10), openat("a", handle=12), pwrite(0, "a", handle=12),
        openat("b", handle=13), call("lseek", "seek", "a", handle=None),
    ]  # fmt: skip
    assert [entry.opened for entry in normalised(calls)] == [1, 2, 2, 1, 1, 1, 1, 1]


def test_a_thousand_opens_one_after_the_other_have_one_number() -> None:
    calls = [one for n in range(1000) for one in (openat(handle=n), close(handle=n))]
    assert {entry.opened for entry in normalised(calls)} == {1}


def test_a_file_renamed_while_it_is_open_leaves_its_name_to_the_next() -> None:
    once = [openat("a.tmp"), rename("a.tmp", "a", handle=None), close("a")]
    again = [openat("a.tmp", handle=2), rename("a.tmp", "a", handle=None), close("a", handle=2)]
    found = normalised([*once, *again])
    assert found[:3] == found[3:]


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("pages.db.x7Gh2k", "pages.db.{1}"),
        ("tmp8qj3k2_x", "tmp{1}"),
        ("etilqs_9kA3hTq0PzX1bCd", "etilqs_{1}"),
        ("pages123456789.tmp", "pages{1}.tmp"),
        (".goutputstream-ABCD12", ".goutputstream-{1}"),
        (".pages.db.tmp.45678", ".pages.db.tmp.{1}"),
        (".#pages1234", ".#pages{1}"),
        ("#pages-98", "#pages-{1}"),
    ],
)
def test_a_name_that_mkstemp_made_and_that_goes_is_temporary(name: str, template: str) -> None:
    calls = [openat(name, flags=EXCLUSIVE), rename(name, "pages.db")]
    assert [entry.path for entry in normalised(calls)] == [template, template]


def test_the_number_of_a_process_is_one_whatever_the_name_says() -> None:
    found = lines([openat("pages.5678", pid=5678, created=True)])
    assert found == ['T1 openat "pages.{1}" O_RDWR|O_CREAT|O_CLOEXEC created']
    assert normalised([openat("wal.7", pid=7)])[0].path == "wal.7"
    assert normalised([openat("wal.7.tmp", pid=7)])[0].path == "wal.{1}.tmp"


@pytest.mark.parametrize("name", ["pages.000001", "pages.db", "wal-20261126", "secret", "v1.2.3"])
def test_what_stays_and_may_mean_something_is_no_temporary_name(name: str) -> None:
    assert normalised([openat(name, flags=EXCLUSIVE)])[0].path == name


def test_a_name_that_would_take_what_is_there_was_not_drawn() -> None:
    calls = [openat("out.x7Gh2k"), call("unlink", "unlink", "out.x7Gh2k")]
    assert {entry.path for entry in normalised(calls)} == {"out.x7Gh2k"}


@pytest.mark.parametrize("name", ["Database.lock", "pages.db-journal", "lockfile", "a.tmp"])
def test_what_goes_and_was_not_drawn_is_no_temporary_name(name: str) -> None:
    calls = [openat(name, flags=EXCLUSIVE), call("unlink", "unlink", name)]
    assert {entry.path for entry in normalised(calls)} == {name}


def test_a_file_that_was_there_before_is_not_temporary() -> None:
    calls = [openat("tmp8qj3k2_x", created=False), rename("tmp8qj3k2_x", "a")]
    assert normalised(calls)[0].path == "tmp8qj3k2_x"


def test_what_lies_in_a_temporary_directory_has_its_number() -> None:
    made = call("mkdir", "mkdir", "tmpab12cd34", handle=None)
    calls = [made, openat("tmpab12cd34/a"), call("rmdir", "rmdir", "tmpab12cd34")]
    assert [entry.path for entry in normalised(calls)] == ["tmp{1}", "tmp{1}/a", "tmp{1}"]


def test_two_temporary_names_at_once_have_two_numbers_one_after_the_other_one() -> None:
    one, other = "a.x7Gh2k", "a.Zz91qq"
    both = [openat(one, flags=EXCLUSIVE), openat(other, flags=EXCLUSIVE), rename(one, "a")]
    assert [entry.path for entry in normalised(both)] == ["a.{1}", "a.{2}", "a.{1}"]
    turns = [both[0], both[2], both[1]]
    assert [entry.path for entry in normalised(turns)] == ["a.{1}", "a.{1}", "a.{1}"]


def test_braces_and_quotes_of_a_real_name_are_no_numbers() -> None:
    assert normalised([openat('a"{1}')])[0].path == "a\\x22\\x7b1\\x7d"


def test_calls_are_chosen_by_path_name_and_family_and_numbered_anew() -> None:
    found = normalised([*writer(0, tid=5, path="log"), *writer(1, tid=6), rename("a", "pages.db")])
    chosen = selected(found, ["*.db"], ["pwrite", "sync", "rename"])
    assert [spelled(entry) for entry in chosen] == [
        'T1 pwrite64 "pages.db" offset=4096 length=4096 = 4096',
        'T1 fdatasync "pages.db" = 0',
        'T2 rename "a" -> "pages.db" = 0',
    ]
    assert selected(found) == found


def test_what_may_be_chosen_is_not_left_out() -> None:
    unnamed = [
        call("unknown", "write", known_by=None), call("unknown", "none", None, known_by=None),
        call("unknown", "sync", known_by=None), call("rename", "rename", "a", known_by="fuse"),
        call("sync", "sync", None, handle=None), call("unknown", "syncdir", ".", known_by=None),
    ]  # fmt: skip
    found = normalised(unnamed)
    assert selected(found, only=["pwrite"]) == found[:2]
    assert selected(found, only=["renameat2"]) == (found[1], found[3])
    assert selected(found, only=["fdatasync"]) == (*found[1:3], found[5])
    assert selected(found, only=["fsync"]) == (*found[1:3], found[5])
    assert selected(found, ["*.log"]) == (found[1], found[4])


def test_a_new_file_under_the_name_of_one_that_is_still_open_is_opened_once() -> None:
    gone, other = "a.Zz91qq", "a.x7Gh2k"
    found = normalised(
        [
            openat(gone, flags=EXCLUSIVE, handle=2),
            call("unlink", "unlink", gone, handle=None),
            openat(other, flags=EXCLUSIVE, handle=3),
            openat(gone, flags=EXCLUSIVE, handle=1),
        ]
    )
    assert [(entry.path, entry.opened) for entry in found[2:]] == [("a.{1}", 1), ("a.{2}", 1)]
    assert renumbered(found) == found


@given(st.lists(recorded(), max_size=30))
def test_what_was_numbered_once_stays(calls: list[Call]) -> None:
    found = normalised(calls)
    assert renumbered(found) == found


@given(GOLDENS)
def test_numbers_that_count_from_one_stay(one: Golden) -> None:
    assert renumbered(one.entries) == one.entries
