"""wal-before-data, rule by rule, with names as SQLite gives them."""

from errno import EIO
from typing import Any

import pytest
from builtin_support import Found, Program, found, judged
from page_write_calls import Opened

from tracefs.findings import ContractResult, Verdict

EMULATED: dict[str, Any] = {"note": "glibc's posix_fallocate", "length": 1, "result": 1}
LOGS = pytest.mark.parametrize("log", ["a.db-wal", "a.db-journal"])


def check(program: Program, *, complete: bool = True) -> ContractResult:
    return judged("wal-before-data", program, complete=complete)


def opened(log: str) -> tuple[Program, Opened, Opened]:
    program = Program()
    return program, program.open("a.db"), program.open(log)


@LOGS
def test_log_then_data_then_log_again(log: str) -> None:
    program, data, wal = opened(log)
    for _ in range(2):
        program.write(wal, 0)
        program.write(wal, 1)
        program.sync(wal)
        program.write(data, 7)
        program.write(data, 8)
        program.sync(data)
    program.unlink(log)
    assert check(program).verdict is Verdict.KEPT
    assert found(check(program)) == []


@LOGS
def test_data_before_the_log_is_synced(log: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 0)
    program.write(data, 7)
    program.write(data, 8)
    program.sync(wal)
    program.sync(data)
    assert found(check(program)) == [Found("log-first", "broken", 3, "a.db", 7)]


@LOGS
def test_a_log_that_is_synced_at_once(log: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 0, synced_by="O_DSYNC")
    program.write(data, 7)
    program.sync(data)
    assert found(check(program)) == []


@LOGS
def test_data_that_is_synced_at_once(log: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 0)
    program.sync(wal)
    program.write(data, 7, synced_by="O_DSYNC")
    program.unlink(log)
    assert found(check(program)) == []


@LOGS
def test_the_bytes_of_posix_fallocate_are_neither_log_nor_data(log: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 0, **EMULATED)
    program.write(data, 7)
    program.sync(data)
    program.write(wal, 0)
    program.write(data, 8, **EMULATED)
    program.sync(wal)
    program.unlink(log)
    assert found(check(program)) == []


@LOGS
def test_a_sync_that_failed_is_none(log: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 0)
    program.sync(wal, errno=EIO, result=None)
    program.write(data, 7)
    assert found(check(program)) == [Found("log-first", "broken", 4, "a.db", 7)]


@LOGS
def test_a_sync_that_did_not_wait_for_the_write_is_none(log: str) -> None:
    program, data, wal = opened(log)
    write = program.write(wal, 0)
    program.sync(wal, start_ns=write.start_ns)
    program.write(data, 7)
    assert found(check(program)) == [Found("log-first", "broken", 4, "a.db", 7)]


def test_a_journal_may_grow_while_data_that_it_has_is_written() -> None:
    """SQLite does so when its cache is full (pager.c, pagerStress)."""
    program, data, journal = opened("a.db-journal")
    program.write(journal, 0)
    program.sync(journal)
    program.write(journal, 1)
    program.write(data, 7)
    program.sync(data)
    assert found(check(program)) == []


def test_another_database_has_another_log() -> None:
    program, data, _ = opened("a.db-wal")
    other = program.open("b.db-wal")
    program.write(other, 1)
    program.write(data, 7)
    program.sync(data)
    assert found(check(program)) == []


def test_data_before_there_is_a_log_needs_none() -> None:
    program = Program()
    data = program.open("a.db")
    program.write(data)
    program.sync(data)
    wal = program.open("a.db-wal", created=True)
    program.write(wal)
    assert found(check(program)) == []


@pytest.mark.parametrize("way", ["begin again", "truncate", "unlink"])
@LOGS
def test_a_log_is_dropped_when_the_data_is_synced(log: str, way: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 1)
    program.sync(wal)
    program.write(data, 7)
    if way == "begin again":
        at = program.write(wal, 0)
    elif way == "truncate":
        at = program.truncate(wal, 0)
    else:
        at = program.unlink(log)
    page = 0 if way == "begin again" else None
    assert found(check(program)) == [Found("data-before-reset", "broken", at.index, log, page)]


@LOGS
def test_the_log_may_grow_while_the_data_is_not_synced(log: str) -> None:
    program, data, wal = opened(log)
    program.write(wal, 0)
    program.sync(wal)
    program.write(data, 7)
    program.write(wal, 1)
    assert found(check(program)) == []


def test_without_a_log_nothing_was_shown() -> None:
    program = Program()
    data = program.open("a.db")
    program.write(data)
    program.sync(data)
    result = check(program)
    assert result.verdict is Verdict.UNKNOWN
    assert [each.kind for each in found(result)] == ["unknown"]


def test_an_unnamed_write_is_a_write() -> None:
    program, data, wal = opened("a.db-wal")
    program.write(wal, 1, name="unknown")
    program.write(data, 7, name="unknown")
    assert found(check(program)) == [Found("log-first", "broken", 3, "a.db", 7)]


def test_a_sync_of_an_unknown_file_may_have_been_the_one() -> None:
    program, data, wal = opened("a.db-wal")
    program.write(wal, 1)
    program.call("fdatasync", "sync", ino=77, result=0)
    program.write(data, 7)
    assert found(check(program)) == [Found("log-first", "unknown", 4, "a.db", 7)]


def test_a_log_write_at_an_unknown_place_may_begin_it_again() -> None:
    program, data, wal = opened("a.db-wal")
    program.write(wal, 1)
    program.sync(wal)
    program.write(data, 7)
    program.write(wal, name="writev", offset=None)
    assert found(check(program)) == [Found("data-before-reset", "unknown", 5, "a.db-wal")]
