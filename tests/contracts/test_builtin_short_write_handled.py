"""short-write-handled: what a short write left out is written, or the failure reported."""

from typing import Any

import pytest
from builtin_support import PAGE, Found, Program, found, judged
from page_write_calls import Opened

from tracefs.findings import ContractResult, Verdict

NAME = "a.db"
BROKEN = [Found("rest-written", "broken", 1, NAME, 0)]


def check(program: Program, status: int | None = 0, **more: Any) -> ContractResult:
    return judged("short-write-handled", program, status=status, **more)


def short(done: int = 100, **fields: Any) -> tuple[Program, Opened]:
    """Return a program whose first write, call 1, wrote *done* bytes of a page."""
    program = Program()
    opened = program.open(NAME)
    program.write(opened, 0, result=done, **fields)
    return program, opened


def rest(program: Program, opened: Opened, at: int, stop: int = PAGE, **fields: Any) -> None:
    program.write(opened, offset=at, length=stop - at, **fields)


def test_the_rest_is_written() -> None:
    program, opened = short()
    rest(program, opened, 100)
    program.acknowledge()
    assert found(check(program)) == []
    assert check(program).verdict is Verdict.KEPT


def test_the_rest_is_written_in_pieces_some_of_them_short_or_failed() -> None:
    program, opened = short()
    rest(program, opened, 100, result=50)
    rest(program, opened, 150, errno=4)
    rest(program, opened, 150, 2000)
    rest(program, opened, 2000)
    assert found(check(program)) == []


def test_the_same_is_written_again_at_its_place() -> None:
    program, opened = short()
    program.write(opened, 0)
    assert found(check(program)) == []


@pytest.mark.parametrize("at", [100, PAGE])
def test_it_goes_on_as_if_it_had_been_whole(at: int) -> None:
    program, opened = short()
    program.write(opened, offset=at)
    assert found(check(program, 1)) == BROKEN


def test_it_ends_as_if_it_had_been_whole() -> None:
    program, opened = short()
    program.sync(opened)
    program.end(opened)
    assert found(check(program)) == BROKEN


def test_it_is_reported() -> None:
    program, opened = short()
    program.end(opened)
    program.unlink(NAME)
    assert found(check(program, 1)) == []


@pytest.mark.parametrize("status", [0, 1])
def test_it_is_acknowledged_first(status: int) -> None:
    program, opened = short()
    program.acknowledge()
    rest(program, opened, 100)
    assert found(check(program, status)) == BROKEN


def test_what_is_not_whole_is_renamed_over_good_data() -> None:
    program, opened = short()
    program.rename(NAME, "c.json", ino=opened.ino, replaced=True)
    assert found(check(program, 1)) == BROKEN


def test_threads_each_have_their_own() -> None:
    program, opened = short()
    program.write(opened, 7, tid=8)
    program.write(opened, 8, tid=8, result=9)
    rest(program, opened, 100)
    program.write(opened, 8, tid=8)
    assert found(check(program)) == []


def test_another_thread_may_write_the_rest() -> None:
    program, opened = short()
    rest(program, opened, 100, tid=8)
    assert found(check(program)) == []


def test_opens_each_have_their_own() -> None:
    program, _ = short()
    other = program.open(NAME)
    program.write(other, 3, result=5)
    program.write(other, 3)
    assert found(check(program)) == BROKEN


@pytest.mark.parametrize("name", ["sendfile", "splice", "copy_file_range"])
def test_a_copy_ends_where_its_source_does(name: str) -> None:
    program = Program()
    opened = program.open(NAME)
    program.write(opened, 0, name=name, result=100)
    assert [each.rule for each in check(program).findings] == ["some"]


@pytest.mark.parametrize("unknown", [{"result": None}, {"length": None, "result": 5}])
def test_whether_a_write_was_short_is_not_known(unknown: dict[str, Any]) -> None:
    program = Program()
    opened = program.open(NAME)
    program.write(opened, 0, **unknown)
    assert check(program).verdict is Verdict.UNKNOWN
    assert {kind for _, kind, *_ in found(check(program))} == {"unknown"}


def test_a_file_that_is_begun_anew() -> None:
    program, opened = short()
    program.end(opened)
    program.write(program.open(NAME, flags=["O_WRONLY", "O_TRUNC"]), 0)
    assert found(check(program)) == []
