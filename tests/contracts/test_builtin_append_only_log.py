"""append-only-log, rule by rule."""

from errno import EACCES, EFBIG, ENOSPC
from typing import Any

import pytest
from builtin_support import Found, Program, found, judged
from page_write_calls import Opened

from tracefs.findings import ContractResult, Verdict

APPEND = ("O_WRONLY", "O_CREAT", "O_APPEND")
PLAIN = ("O_RDWR", "O_CREAT")


def check(program: Program) -> ContractResult:
    return judged("append-only-log", program)


def errors(program: Program) -> list[Found]:
    return [each for each in found(check(program)) if each.kind != "advice"]


def log(program: Program, *, size: int = 100, flags: tuple[str, ...] = APPEND) -> Opened:
    return program.open("a.log", flags=flags, size=size)


def test_records_one_after_the_other() -> None:
    program = Program()
    file = log(program)
    for at in (100, 110, 120):
        program.append(file, at)
        program.sync(file)
    program.end(file)
    assert check(program).verdict is Verdict.KEPT
    assert found(check(program)) == []


# appended


def test_a_write_over_a_record() -> None:
    program = Program()
    file = log(program, flags=PLAIN)
    program.append(file, 100)
    program.append(file, 105)
    program.sync(file)
    program.end(file)
    assert errors(program) == [Found("appended", "broken", 2, "a.log", 0)]


def test_a_write_over_what_was_there() -> None:
    program = Program()
    file = log(program, size=9000, flags=PLAIN)
    program.append(file, 8990)
    assert errors(program) == [Found("appended", "broken", 1, "a.log", 2)]


def test_writers_with_o_append_may_be_done_in_any_order() -> None:
    program = Program()
    file, other = log(program), log(program)
    program.append(file, 110)
    program.append(other, 100)
    program.sync(file)
    assert errors(program) == []


def test_a_store_can_only_change_what_is_there() -> None:
    program = Program()
    file = log(program, flags=PLAIN)
    program.append(file, 100)
    program.store(file)
    program.sync(file)
    assert errors(program) == [Found("appended", "broken", 2, "a.log", 0)]


@pytest.mark.parametrize("what", ["offset", "size"])
def test_where_the_place_is_not_known(what: str) -> None:
    program = Program()
    file = program.open("a.log", flags=PLAIN, size=None if what == "size" else 100)
    place: dict[str, Any] = {"offset": None} if what == "offset" else {}
    program.append(file, 100, **place)
    program.sync(file)
    assert [(each.rule, each.kind) for each in errors(program)] == [("appended", "unknown")]


# not-cut


def test_a_truncation() -> None:
    program = Program()
    file = log(program)
    program.truncate(file, 10)
    program.append(file, 10)
    program.sync(file)
    assert errors(program) == [Found("not-cut", "broken", 1, "a.log")]


def test_a_truncation_by_another_program() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100)
    program.sync(file)
    program.call("truncate", "truncate", path="a.log", ino=file.ino, length=0, pid=8, tid=8)
    assert errors(program) == [Found("not-cut", "broken", 3, "a.log")]


def test_an_open_that_empties_it() -> None:
    program = Program()
    file = log(program, flags=(*APPEND, "O_TRUNC"))
    program.append(file, 0)
    program.sync(file)
    assert errors(program) == [Found("not-cut", "broken", 0, "a.log")]


def test_an_open_that_finds_nothing_to_empty() -> None:
    program = Program()
    file = log(program, flags=(*APPEND, "O_TRUNC"), size=0)
    program.append(file, 0)
    program.sync(file)
    assert errors(program) == []


def test_a_hole_in_it() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100)
    flags = ("FALLOC_FL_PUNCH_HOLE", "FALLOC_FL_KEEP_SIZE")
    program.call(
        "fallocate", "allocate", path="a.log", ino=file.ino, handle=file.handle, flags=flags,
        offset=0, length=10, result=0,
    )  # fmt: skip
    program.sync(file)
    assert errors(program) == [Found("not-cut", "broken", 2, "a.log")]


# whole-records


def test_a_short_record_that_is_completed() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, result=4)
    program.append(file, 104, 6)
    program.sync(file)
    assert errors(program) == []


def test_a_short_record_that_is_passed_over() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, result=4)
    program.append(file, 104)
    program.sync(file)
    assert errors(program) == [Found("whole-records", "broken", 1, "a.log", 0)]


def test_a_record_that_failed_altogether_is_not_torn() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, errno=ENOSPC)
    program.append(file, 100, 5)
    program.sync(file)
    assert errors(program) == []


def test_a_rest_that_is_short_again_is_part_of_the_first() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, result=4)
    program.append(file, 104, 6, result=2)
    program.append(file, 106)
    program.sync(file)
    assert errors(program) == [Found("whole-records", "broken", 1, "a.log", 0)]


def test_another_open_may_sync_between_a_record_and_its_rest() -> None:
    program = Program()
    file, other = log(program), log(program)
    program.append(file, 100, result=4)
    program.sync(other)
    program.append(file, 104, 6)
    program.sync(file)
    assert errors(program) == []


def test_the_rest_of_a_record_may_fail_and_be_written_again() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, result=4)
    program.append(file, 104, 6, errno=EFBIG)
    program.append(file, 104, 6)
    program.sync(file)
    assert errors(program) == []


# advice


def test_without_the_flag_there_is_advice() -> None:
    program = Program()
    file = log(program, flags=PLAIN)
    program.append(file, 100)
    program.sync(file)
    program.end(file)
    result = check(program)
    assert result.verdict is Verdict.KEPT
    assert found(result) == [Found("append-flag", "advice", 0, "a.log")]


def test_an_open_to_read_needs_no_flag() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100)
    program.sync(file)
    program.end(log(program, flags=("O_RDONLY",)))
    assert found(check(program)) == []


def test_records_that_are_synced_at_once_and_space_that_is_reserved() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, synced_by="O_DSYNC")
    program.append(file, 50, 1, note="glibc's posix_fallocate")
    of = {"path": "a.log", "ino": file.ino, "handle": file.handle}
    program.call("fallocate", "allocate", **of, offset=110, length=1000, result=0)
    program.end(file)
    assert found(check(program)) == []


def test_what_failed_needs_neither_flag_nor_sync() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100)
    program.sync(file)
    program.append(file, 110, errno=ENOSPC)
    program.append(file, 110, result=0)
    program.open("a.log", flags=PLAIN, errno=EACCES)
    assert [each for each in found(check(program)) if each.kind == "advice"] == []


def test_without_a_sync_there_is_advice() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100)
    program.append(file, 110)
    program.end(file)
    result = check(program)
    assert result.verdict is Verdict.KEPT
    assert found(result) == [Found("synced-at-end", "advice", 2, "a.log", 0)]


def test_each_log_is_judged_by_itself() -> None:
    program = Program()
    file, other = log(program), program.open("b.log", flags=APPEND)
    program.append(file, 100)
    program.append(other, 8 * 4096)
    program.sync(other)
    program.end(file)
    program.end(other)
    assert found(check(program)) == [Found("synced-at-end", "advice", 2, "a.log", 0)]


def test_nothing_written_is_nothing_shown() -> None:
    program = Program()
    file = log(program)
    program.append(file, 100, errno=ENOSPC)
    program.end(file)
    result = check(program)
    assert result.verdict is Verdict.UNKNOWN
    assert [each.kind for each in found(result)] == ["unknown"]
