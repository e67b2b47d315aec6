"""interrupted-retried: what a signal interrupted is called again, but for close."""

from errno import EINTR, EIO
from typing import Any

import pytest
from builtin_support import Found, Program, found, judged
from page_write_calls import Opened

from tracefs.findings import ContractResult, Verdict

BROKEN = [Found("retried", "broken", 1, "a.db", 0)]


def check(program: Program, status: int | None = 0) -> ContractResult:
    return judged("interrupted-retried", program, status=status)


def interrupted() -> tuple[Program, Opened]:
    program = Program()
    opened = program.open()
    program.write(opened, 0, errno=EINTR)
    return program, opened


def test_it_is_called_again() -> None:
    program, opened = interrupted()
    program.write(opened, 0, errno=EINTR)
    program.write(opened, 0)
    assert found(check(program)) == []
    assert check(program).verdict is Verdict.KEPT


def test_a_retry_may_fail_otherwise() -> None:
    program, opened = interrupted()
    program.write(opened, 0, errno=EIO)
    assert found(check(program)) == []


@pytest.mark.parametrize("fields", [{"offset": 9}, {"length": 9}])
def test_another_call_is_no_retry(fields: dict[str, Any]) -> None:
    program, opened = interrupted()
    program.write(opened, 0, **fields)
    assert found(check(program)) == BROKEN


def test_a_sync_makes_up_for_no_write() -> None:
    program, opened = interrupted()
    program.sync(opened)
    assert found(check(program)) == BROKEN


def test_it_is_given_up_and_reported() -> None:
    program, _ = interrupted()
    assert found(check(program, 1)) == []
    assert found(check(program, 0)) == BROKEN
    assert [one.kind for one in found(check(program, None))] == ["unknown"]


def test_another_interrupted_call_does_not_make_up_for_it() -> None:
    program, opened = interrupted()
    program.write(opened, 1, errno=EINTR)
    program.write(opened, 1)
    assert found(check(program)) == BROKEN


def test_threads_each_call_again_for_themselves() -> None:
    program, opened = interrupted()
    program.write(opened, 1, errno=EINTR, tid=8)
    program.write(opened, 0)
    program.write(opened, 1, tid=8)
    assert found(check(program)) == []


@pytest.mark.parametrize("again", ["fsync", "fdatasync"])
def test_any_later_sync_will_do(again: str) -> None:
    program = Program()
    opened = program.open()
    program.sync(opened, "fsync", errno=EINTR, result=None)
    program.sync(opened, again)
    assert found(check(program)) == []


def test_an_open_is_made_again() -> None:
    program = Program()
    program.call("openat", "open", path="a.db", errno=EINTR, flags=("O_RDWR", "O_CREAT"))
    program.open(flags=("O_RDWR", "O_CREAT"))
    assert found(check(program)) == []


def test_whether_a_close_was_repeated_is_in_no_recording() -> None:
    program = Program()
    opened = program.open()
    program.write(opened, 0, errno=EINTR)
    program.write(opened, 0)
    program._on(opened, "close", "close", errno=EINTR)
    assert found(check(program)) == [Found("close-not-repeated", "unknown", 3, "a.db")]


def test_where_nothing_was_interrupted_nothing_was_shown() -> None:
    program = Program()
    program.write(program.open(), 0)
    assert [each.rule for each in check(program).findings] == ["some"]
