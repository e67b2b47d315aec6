"""The report of stray calls: where, what each seek did, and what to do next."""

from collections.abc import Callable
from typing import Any

from syrupy.assertion import SnapshotAssertion

from tracefs.report.selection import Selection
from tracefs.report.strace import CallLines
from tracefs.report.stray import CALLS, StrayUses, render
from tracefs.source import Location
from tracefs.source.location import NO_DEBUG
from tracefs.trace.call import Call

MAIN = Location(function="main", file="/home/ada/writer.c", line=30, module="/home/ada/writer")
SEEK = Location(function="put", file="/home/ada/writer.c", line=12, module="/home/ada/writer")
PLACES: dict[str, tuple[Location, ...]] = {"lseek": (SEEK, MAIN), "write": (MAIN,)}


def call(index: int, name: str, family: str, **fields: Any) -> Call:
    start = index * 1_000_000
    known: dict[str, Any] = {
        "path": "a.db", "ino": 5, "pid": 7, "comm": "writer", "fd": 3, "handle": 1,
    }  # fmt: skip
    return Call(
        index=index, call=name, family=family, known_by="seccomp", tid=7,
        start_ns=start, end_ns=start + 1000, **(known | fields),
    )  # fmt: skip


def seek(index: int, before: int, after: int | None, **fields: Any) -> Call:
    known: dict[str, Any] = {"offset": after, "position": before, "result": after}
    known["writable"] = True
    return call(index, "lseek", "seek", flags=("SEEK_SET",), **(known | fields))


def write(index: int, offset: int, **fields: Any) -> Call:
    return call(index, "write", "write", offset=offset, length=10, result=10, **fields)


def report(
    *calls: Call,
    places: Callable[[Call], tuple[Location, ...]] = lambda c: PLACES.get(c.call, ()),
    incomplete: str | None = None,
) -> str:
    found = StrayUses(Selection(calls=frozenset(CALLS)))
    for one in calls:
        found.feed(one)
    lines = CallLines(start_ns=0, page_size=4096)
    return "\n".join(render(found, lines, places, "a.trace", incomplete))


def test_a_seek_is_told_by_what_it_did(snapshot: SnapshotAssertion) -> None:
    assert snapshot == report(
        seek(0, 0, 4096),
        write(1, 4096),
        seek(2, 8192, 8192),
        seek(3, 4106, None, reason="where the file ends is not visible"),
        seek(4, 4106, None, errno=22),
        seek(5, 4106, 0),
        write(6, 4106),
        call(7, "pwritev", "write", offset=0, length=None, result=10, path=None),
    )


def test_only_the_write_at_its_position_was_moved_by_a_seek() -> None:
    found = StrayUses(Selection(calls=frozenset({"lseek"})))
    first, unused, last = seek(0, 0, 100), seek(2, 110, 500), seek(3, 500, 900)
    for one in (first, write(1, 100), unused, last, write(4, 900)):
        found.feed(one)
    assert [use.effect for use in found.uses] == [
        "it moved the write of call 1",
        "no write followed at that position",
        "it moved the write of call 4",
    ]


def test_a_write_of_another_file_or_process_was_not_moved() -> None:
    found = StrayUses(Selection(calls=frozenset({"lseek"})))
    found.feed(seek(0, 0, 100))
    found.feed(call(1, "write", "write", offset=100, length=1, result=1, ino=6))
    found.feed(call(2, "write", "write", offset=100, length=1, result=1, pid=8, handle=2))
    assert [use.effect for use in found.uses] == ["no write followed at that position"]


def test_a_seek_that_is_not_chosen_counts_for_those_that_are() -> None:
    found = StrayUses(Selection(calls=frozenset({"lseek"}), until_ns=1_000_000))
    for one in (seek(0, 0, 100), seek(2, 100, 900), seek(3, 900, 100), write(4, 100)):
        found.feed(one)
    assert [use.effect for use in found.uses] == ["no write followed at that position"]


def test_nothing_astray_is_said_so() -> None:
    reading = seek(0, 0, 5, writable=False)
    right = call(1, "pwrite64", "write", offset=0, length=4096, result=4096)
    assert report(reading, right) == (
        "no stray call among 2 calls; 1 lseek on descriptors that only read left out"
    )


def effects(*calls: Call) -> list[str | None]:
    found = StrayUses(Selection(calls=frozenset({"lseek"})))
    for one in calls:
        found.feed(one)
    return [use.effect for use in found.uses]


def test_each_open_has_a_position_of_its_own() -> None:
    assert effects(seek(0, 0, 4096), write(1, 0, handle=2, fd=4), write(2, 4096)) == [
        "it moved the write of call 2"
    ]


def test_copies_and_processes_share_a_position() -> None:
    assert effects(seek(0, 0, 4096), write(1, 4096, pid=8, fd=9)) == [
        "it moved the write of call 1"
    ]


def test_one_of_several_opens_is_told_by_its_descriptor() -> None:
    first, second = seek(0, 0, 4096, handle=None), seek(2, 0, 100, handle=None)
    assert effects(first, write(1, 4096), second, write(3, 100, fd=9)) == [
        "it moved the write of call 1",
        (
            "whether a write followed is not known: the file is open more than once, and this says "
            "only by which descriptor"
        ),
    ]


def test_seeks_on_files_that_are_not_known_are_counted() -> None:
    unseen = call(0, "unknown", "seek", path=None, ino=None, reason="may not be read")
    assert report(unseen).splitlines() == [
        "no stray call among 1 call; 1 lseek more on files that are not known",
        "next: see why: tracefs show --call unknown a.trace",
    ]


def test_calls_that_could_not_be_named_may_be_astray() -> None:
    nameless = [
        call(n, "unknown", f, reason="io_uring") for n, f in enumerate(("write", "none", "sync"))
    ]
    assert report(*nameless).splitlines() == [
        "no stray call among 3 calls; 2 calls more that could not be named",
        "next: see why: tracefs show --call unknown a.trace",
    ]


def test_a_write_that_failed_was_not_moved() -> None:
    failed = call(1, "write", "write", offset=100, errno=14)
    assert effects(seek(0, 0, 100), failed, write(2, 100)) == ["it moved the write of call 2"]


def test_a_seek_before_appending_has_no_effect() -> None:
    note = "writes go to the end of the file all the same: O_APPEND"
    assert effects(seek(0, 0, 100, note=note), write(1, 100)) == [f"no effect: {note}"]


def test_other_calls_that_use_the_position() -> None:
    sent = call(1, "sendfile", "write", offset=100, result=10)
    spliced = call(3, "splice", "write", offset=500, result=10)
    assert effects(seek(0, 0, 100), sent, seek(2, 110, 500), spliced) == [
        "it moved the sendfile of call 1",
        "it may have moved the splice of call 3",
    ]


def test_what_was_not_seen_to_its_end_is_never_said_to_be_without() -> None:
    assert report(incomplete="no footer") == (
        "no stray call seen among 0 calls, but the recording is incomplete: no footer\n"
        "next: run it again: what is not in the recording may be astray"
    )
    assert report(write(0, 0), incomplete="no footer").splitlines()[-2:] == [
        "1 stray call from 1 place; the recording is incomplete: no footer",
        "next: mend the first place and run it again; tracefs show a.trace",
    ]


def test_places_that_were_not_recorded_are_told_once_and_why(snapshot: SnapshotAssertion) -> None:
    why = "the thread went on before its stack could be read"
    unstacked = [write(index, 0, unstacked=why) for index in range(12, 14)]
    elsewhere = write(14, 0, path="b.db")
    calls = [*(write(index, 0) for index in range(12)), *unstacked, elsewhere]
    assert snapshot == report(*calls, places=lambda _: ())


def test_stripped_places_are_told_apart_by_their_callers(snapshot: SnapshotAssertion) -> None:
    def places(made: Call) -> tuple[Location, ...]:
        addresses = (0x448CC, 0x100 + made.index % 2)
        return tuple(
            Location(module="/home/ada/m", address=at, unlined=NO_DEBUG) for at in addresses
        )

    assert snapshot == report(*(seek(index, 0, 5) for index in range(3)), places=places)


def test_each_reason_for_places_without_a_line_is_told_once() -> None:
    def places(made: Call) -> tuple[Location, ...]:
        reason = NO_DEBUG if made.index < 2 else "m was built anew"
        return (Location(module="/home/ada/m", function="f", address=made.index, unlined=reason),)

    text = report(*(seek(index, 0, 5) for index in range(3)), places=places)
    assert text.splitlines()[-4:] == [
        "3 stray calls from 3 places",
        "2 places have no line: compile with -g (Go, Python need nothing)",
        "1 place has no line: m was built anew",
        "next: mend the first place and run it again; tracefs show a.trace",
    ]


def test_of_an_empty_recording_nothing_is_told() -> None:
    assert report().splitlines() == [
        "nothing was done in the traced directory, so nothing can be told",
        "next: let it work in the traced directory, or trace the one it works in with --dir",
    ]
