"""sync-failure-handled, rule by rule."""

from errno import EINTR, EIO
from typing import Any

import pytest
from builtin_support import Found, Program, found, judged
from page_write_calls import Opened

from tracefs.events import Injected
from tracefs.findings import ContractResult, Verdict

NAME = "c.json.tmp"
FAILED: dict[str, Any] = {"errno": EIO, "result": None}


def check(program: Program, status: int | None = 0, **more: Any) -> ContractResult:
    return judged("sync-failure-handled", program, status=status, **more)


def failing(**fields: Any) -> tuple[Program, Opened]:
    """Return a program whose first sync, call 3, fails."""
    program = Program()
    opened = program.open(NAME, created=True)
    program.write(opened, 0)
    program.write(opened, 1)
    program.sync(opened, "fsync", **FAILED | fields)
    return program, opened


def broken(rule: str, call: int = 3) -> Found:
    return Found(rule, "broken", call, NAME)


def test_a_failure_that_is_reported() -> None:
    program, _ = failing()
    program.unlink(NAME)
    assert found(check(program, 1)) == []
    assert check(program, 1).verdict is Verdict.KEPT


def test_a_failure_that_is_not_reported() -> None:
    program, _ = failing()
    assert found(check(program)) == [broken("reported")]


def test_the_finding_says_who_made_the_sync_fail_and_how_the_command_ended() -> None:
    program, _ = failing(injected=(Injected(rule="fsync:error=EIO", kind="error"),))
    (finding,) = check(program).findings
    assert "fsync of 'c.json.tmp', which failed with EIO (injected by fsync:error=EIO)" in (
        finding.message
    )
    assert finding.message.endswith("the command ended with exit status 0.")


def test_an_injected_failure_is_judged_as_a_real_one() -> None:
    program, _ = failing(injected=(Injected(rule="fsync:error=EIO", kind="error"),))
    assert found(check(program)) == [broken("reported")]


def test_a_removed_file_whose_failure_nobody_reports() -> None:
    program, _ = failing()
    program.unlink(NAME)
    assert found(check(program)) == [broken("reported")]


def test_another_file_in_its_stead_may_have_it_all() -> None:
    program, _ = failing()
    program.unlink(NAME)
    other = program.open("d.tmp", created=True)
    program.write(other, 0)
    program.sync(other)
    assert found(check(program)) == [Found("reported", "unknown", 3, NAME)]


@pytest.mark.parametrize("status", [None, 0])
def test_only_the_commands_own_exit_status_is_known(status: int | None) -> None:
    program, _ = failing()
    result = check(program, status, pid=99)
    assert found(result) == [Found("reported", "unknown", 3, NAME)]
    said = result.findings[0].message
    assert ("how process 7 ended is not known" if status == 0 else "not in the recording") in said


def test_a_command_that_fails_speaks_for_those_that_it_started() -> None:
    program, _ = failing()
    assert check(program, 1, pid=99).verdict is Verdict.KEPT


def test_a_recording_that_was_cut_off_says_nothing_of_the_end() -> None:
    program, _ = failing()
    assert found(check(program, None, complete=False)) == [Found("reported", "unknown", 3, NAME)]


def test_a_retry_that_succeeds_proves_nothing() -> None:
    program, opened = failing()
    program.sync(opened)
    assert found(check(program)) == [broken("no-silent-retry", 4)]
    assert found(check(program, 1)) == []


def test_written_anew_and_synced_is_saved() -> None:
    program, opened = failing()
    program.write(opened, 0)
    program.write(opened, 1)
    program.sync(opened)
    program.acknowledge()
    program.rename(NAME, "c.json", ino=opened.ino, replaced=True)
    assert found(check(program)) == []


def test_written_anew_in_part_is_not() -> None:
    program, opened = failing()
    program.write(opened, 0)
    program.sync(opened)
    program.acknowledge()
    assert found(check(program)) == [broken("no-acknowledgement"), broken("no-silent-retry", 5)]


def test_what_was_synced_before_need_not_be_written_again() -> None:
    program = Program()
    opened = program.open(NAME)
    program.write(opened, 0)
    program.sync(opened)
    program.write(opened, 1)
    program.sync(opened, **FAILED)
    program.write(opened, 1)
    program.sync(opened)
    assert found(check(program)) == []


def test_what_was_cut_off_need_not_be_written_again() -> None:
    program, opened = failing()
    program.truncate(opened, 0)
    program.sync(opened)
    assert found(check(program)) == []


def test_an_acknowledgement_afterwards() -> None:
    program, _ = failing()
    program.acknowledge("record 1")
    assert found(check(program, 1)) == [broken("no-acknowledgement")]


def test_an_acknowledgement_before_says_nothing() -> None:
    program = Program()
    program.acknowledge()
    opened = program.open(NAME)
    program.write(opened)
    program.sync(opened, **FAILED)
    assert found(check(program, 1)) == []


@pytest.mark.parametrize("replaced", [True, None])
def test_a_rename_over_good_data(replaced: bool | None) -> None:
    program, opened = failing()
    program.rename(NAME, "c.json", ino=opened.ino, replaced=replaced)
    kind = "broken" if replaced else "unknown"
    assert found(check(program, 1)) == [Found("not-over-good-data", kind, 4, NAME)]


def test_an_interrupted_sync_has_lost_nothing() -> None:
    program, opened = failing(errno=EINTR)
    program.sync(opened)
    program.sync(opened, **FAILED)
    assert found(check(program, 1)) == []


@pytest.mark.parametrize("flag", ["O_SYNC", "O_DSYNC"])
def test_a_write_that_was_to_be_synced(flag: str) -> None:
    program = Program()
    opened = program.open(NAME, flags=["O_RDWR", flag])
    program.write(opened, 0, errno=EIO)
    program.acknowledge()
    expected = [Found(rule, "broken", 1, NAME, 0) for rule in ("no-acknowledgement", "reported")]
    assert found(check(program)) == expected
    again = Program()
    opened = again.open(NAME, flags=["O_RDWR", flag])
    again.write(opened, 0, errno=EIO)
    again.write(opened, 0, synced_by=flag)
    again.acknowledge()
    assert found(check(again)) == []


def test_a_directory_whose_sync_failed() -> None:
    program = Program()
    program.call("fsync", "syncdir", path=".", errno=EIO)
    assert found(check(program)) == [Found("reported", "broken", 0, ".")]
    assert check(program, 1).verdict is Verdict.KEPT


def test_where_no_sync_failed_nothing_was_shown() -> None:
    program = Program()
    opened = program.open(NAME)
    program.write(opened)
    program.sync(opened)
    assert check(program).verdict is Verdict.UNKNOWN
    assert [each.rule for each in check(program).findings] == ["some"]


def test_a_write_of_which_nobody_knows_where_may_have_been_of_what_was_lost() -> None:
    program, opened = failing()
    program.write(opened, offset=None)
    program.sync(opened)
    assert found(check(program)) == [Found("no-silent-retry", "unknown", 5, NAME)]
