"""direct-io-aligned, rule by rule."""

from errno import EINVAL
from typing import Any

import pytest
from builtin_support import PAGE, Found, Program, found, judged
from page_write_calls import Opened

from tracefs.findings import ContractResult, Verdict
from tracefs.trace.call import Call

DIRECT = ("O_RDWR", "O_CREAT", "O_DIRECT")


def check(program: Program, *, witness: str = "seccomp") -> ContractResult:
    return judged("direct-io-aligned", program, witness=witness)


def set_flags(program: Program, opened: Opened, *flags: str) -> Call:
    """Call fcntl(F_SETFL)."""
    return program._on(opened, "fcntl", "flags", flags=("F_SETFL", *flags))


def test_whole_pages() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, 3)
    program.sync(file)
    program.end(file)
    assert check(program).verdict is Verdict.KEPT
    assert found(check(program)) == []


@pytest.mark.parametrize(("offset", "length"), [(100, 512), (512, 100), (PAGE, PAGE - 1)])
def test_half_a_block_or_inside_one(offset: int, length: int) -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, offset=offset, length=length)
    program.sync(file)
    page = offset // PAGE
    assert found(check(program)) == [
        Found("aligned", "broken", 1, "a.db", page),
        Found("aligned-to-page", "advice", 1, "a.db", page),
    ]


def test_a_write_that_failed_for_it_is_one_too() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, 1, length=100, errno=EINVAL)
    assert found(check(program))[0] == Found("aligned", "broken", 1, "a.db", 1)


def test_small_blocks_are_advised_against() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, offset=512, length=512)
    program.sync(file)
    result = check(program)
    assert result.verdict is Verdict.KEPT
    assert found(result) == [Found("aligned-to-page", "advice", 1, "a.db", 0)]


def test_direct_is_not_durable() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, 3)
    program.end(file)
    result = check(program)
    assert result.verdict is Verdict.KEPT
    assert found(result) == [Found("synced", "advice", 1, "a.db", 3)]


@pytest.mark.parametrize(
    "write",
    [
        {"name": "mmap", "tid": None},
        {"note": "glibc's posix_fallocate"},
    ],
    ids=["a store", "posix_fallocate"],
)
def test_what_is_not_written_by_o_direct(write: dict[str, Any]) -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.page(file)
    program.write(file, offset=PAGE + 1, length=1, **write)
    program.end(file)
    assert [each.rule for each in found(check(program))] == []


@pytest.mark.parametrize("write", [{"synced_by": "O_DSYNC"}, {"errno": EINVAL}, {"result": 0}])
def test_what_needs_no_sync(write: dict[str, Any]) -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, **write)
    program.end(file)
    assert found(check(program)) == []


def test_one_sync_will_do_for_several_writes() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file, 1)
    program.write(file, 2)
    program.sync(file)
    program.end(file)
    assert found(check(program)) == []


def test_what_goes_through_the_page_cache_may_be_anywhere() -> None:
    program = Program()
    file, direct = program.open("b.db"), program.open(flags=DIRECT)
    program.write(file, offset=1, length=3)
    program.write(direct)
    program.sync(direct)
    assert found(check(program)) == []


def test_a_flag_that_is_taken_away_and_set_later() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file)
    set_flags(program, file)
    program.write(file, offset=PAGE, length=10)
    program.sync(file)
    assert found(check(program)) == []
    set_flags(program, file, "O_DIRECT")
    program.write(file, offset=PAGE + 10, length=10)
    program.sync(file)
    assert found(check(program)) == [
        Found("aligned", "broken", 6, "a.db", 1),
        Found("aligned-to-page", "advice", 6, "a.db", 1),
    ]


def test_without_a_notice_the_flag_may_have_been_taken_away() -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    program.write(file)
    program.sync(file)
    assert found(check(program, witness="proc")) == []
    program.write(file, offset=PAGE, length=10)
    program.sync(file)
    result = check(program, witness="proc")
    assert result.verdict is Verdict.UNKNOWN
    assert found(result)[0] == Found("aligned", "unknown", 3, "a.db", 1)


@pytest.mark.parametrize("what", ["offset", "length"])
def test_where_the_place_is_not_known(what: str) -> None:
    program = Program()
    file = program.open(flags=DIRECT)
    place: dict[str, Any] = {what: None}
    program.write(file, name="writev", result=PAGE, **place)
    program.sync(file)
    result = check(program)
    assert result.verdict is Verdict.UNKNOWN
    assert found(result)[0][:2] == ("aligned", "unknown")


def test_without_direct_writes_nothing_was_shown() -> None:
    program = Program()
    file = program.open()
    program.page(file)
    result = check(program)
    assert result.verdict is Verdict.UNKNOWN
    assert [each.kind for each in found(result)] == ["unknown"]
