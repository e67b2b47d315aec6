"""no-space-handled: the old contents stay whole, and the failure is reported."""

from errno import EDQUOT, EIO, ENOSPC

import pytest
from builtin_support import Found, Program, found, judged

from tracefs.findings import ContractResult, Verdict

FULL = pytest.mark.parametrize("error", [ENOSPC, EDQUOT])


def check(program: Program, status: int | None = 1) -> ContractResult:
    return judged("no-space-handled", program, status=status)


def beside(error: int = ENOSPC) -> Program:
    """Return a program that writes a file beside the old one, until the disk is full (call 2)."""
    program = Program()
    new = program.open("c.tmp", created=True)
    program.write(new, 0)
    program.write(new, 1, errno=error)
    return program


@FULL
def test_a_file_beside_it_is_given_up(error: int) -> None:
    program = beside(error)
    program.unlink("c.tmp")
    assert found(check(program)) == []
    assert check(program).verdict is Verdict.KEPT


@FULL
def test_nobody_says_so(error: int) -> None:
    program = beside(error)
    program.unlink("c.tmp")
    assert found(check(program, 0)) == [Found("reported", "broken", 2, "c.tmp", 1)]


def test_it_is_renamed_all_the_same() -> None:
    program = beside()
    program.rename("c.tmp", "c", ino=100, replaced=True)
    assert found(check(program)) == [Found("not-over-good-data", "broken", 2, "c.tmp", 1)]


def test_it_is_acknowledged() -> None:
    program = beside()
    program.acknowledge()
    assert found(check(program)) == [Found("reported", "broken", 2, "c.tmp", 1)]


def test_the_write_is_made_again_when_there_is_room() -> None:
    program = Program()
    new = program.open("c.tmp", created=True)
    program.write(new, 0, errno=ENOSPC)
    program.write(new, 0)
    program.rename("c.tmp", "c", ino=new.ino, replaced=True)
    program.acknowledge()
    assert found(check(program, 0)) == []


def test_the_old_contents_were_cut_off() -> None:
    program = Program()
    old = program.open("c", flags=["O_WRONLY", "O_TRUNC"])
    program.write(old, 0, errno=ENOSPC)
    assert found(check(program)) == [Found("old-contents-whole", "broken", 1, "c", 0)]


def test_the_old_contents_were_written_over_half_way() -> None:
    program = Program()
    old = program.open("c")
    program.write(old, 0)
    program.write(old, 9, errno=ENOSPC)
    assert found(check(program)) == [Found("old-contents-whole", "broken", 2, "c", 9)]


def test_pages_that_are_synced_each_are_whole_each() -> None:
    program = Program()
    pages = program.open("p.db")
    program.write(pages, 0)
    program.sync(pages)
    program.write(pages, 9, errno=ENOSPC)
    assert found(check(program)) == []


def test_a_backup_is_renamed_over_what_was_damaged() -> None:
    program = Program()
    old = program.open("c", flags=["O_WRONLY", "O_TRUNC"])
    program.write(old, 0, errno=ENOSPC)
    program.rename("c~", "c", ino=999, replaced=True)
    assert found(check(program)) == []


@pytest.mark.parametrize("status", [0, 1])
def test_an_open_that_finds_no_room(status: int) -> None:
    program = Program()
    program.call("openat", "open", path="c.tmp", errno=ENOSPC)
    expected = [] if status else [Found("reported", "broken", 0, "c.tmp")]
    assert found(check(program, status)) == expected


def test_other_errors_are_not_its_matter() -> None:
    program = Program()
    program.write(program.open("c", flags=["O_TRUNC", "O_RDWR"]), 0, errno=EIO)
    assert [each.rule for each in check(program, 0).findings] == ["some"]


def test_what_was_in_the_file_is_not_known() -> None:
    program = Program()
    old = program.open("c", size=None)
    program.write(old, 0)
    program.write(old, 9, errno=ENOSPC)
    assert found(check(program)) == [Found("old-contents-whole", "unknown", 2, "c", 9)]


def test_what_is_written_back_from_memory_may_be_the_old_contents() -> None:
    program = Program()
    old = program.open("c", size=8192)
    program.write(old, 0)
    program.write(old, 1, errno=ENOSPC)
    program.write(old, 0, length=8192)
    assert found(check(program)) == [Found("old-contents-whole", "unknown", 2, "c", 1)]


def test_after_a_truncation_it_may_be_so_too() -> None:
    program = Program()
    old = program.open("c", size=8192, flags=("O_RDWR", "O_TRUNC"))
    program.write(old, 0, errno=ENOSPC)
    program.write(old, 0, length=8192)
    assert found(check(program)) == [Found("old-contents-whole", "unknown", 1, "c", 0)]


def test_who_goes_on_behind_the_failure_restores_nothing() -> None:
    program = Program()
    old = program.open("c", size=16384)
    program.write(old, 0)
    program.write(old, 1, errno=ENOSPC)
    program.write(old, 2)
    assert found(check(program)) == [Found("old-contents-whole", "broken", 2, "c", 1)]
