"""positional-write, full-page, aligned, complete."""

import errno
from typing import Any

import pytest
from page_write_calls import (
    PAGE,
    Script,
    assert_broken,
    assert_kept,
    assert_unknown,
    errors,
    judge,
)

from tracefs.findings import ContractResult, Verdict

FALLOCATE = "glibc's posix_fallocate: the filesystem has no fallocate"


def one_write(**fields: Any) -> ContractResult:
    script = Script()
    opened = script.open()
    script.write(opened, **fields)
    script.sync(opened)
    script.end(opened)
    return judge(script.items)


def test_one_page_written_and_synced_is_kept() -> None:
    assert_kept(one_write(page=3))


@pytest.mark.parametrize(
    "name", ["pwritev", "pwritev2", "copy_file_range", "sendfile", "splice", "fallocate"]
)
def test_another_call_breaks_positional_write(name: str) -> None:
    finding = assert_broken(one_write(name=name, page=2), "positional-write")
    assert (finding.call, finding.path, finding.page) == (1, "a.db", 2)
    assert name in finding.message


@pytest.mark.parametrize("name", ["write", "writev"])
def test_write_from_position_0_breaks_positional_write_alone(name: str) -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 0, name=name, position=0)
    script.sync(opened, position=PAGE)
    script.end(opened)
    assert_broken(judge(script.items), "positional-write")


def test_an_unknown_call_leaves_positional_write_unknown() -> None:
    finding = assert_unknown(one_write(name="unknown", reason="EACCES"), "positional-write")
    assert "EACCES" in finding.message


def test_a_store_through_a_mapping_breaks_positional_write_alone() -> None:
    script = Script()
    opened = script.open()
    for page in (0, 1):
        script.write(opened, page, name="mmap", position=None, tid=None)
    script.sync(opened, "msync")
    script.end(opened)
    result = judge(script.items)
    assert errors(result) == [("positional-write", "broken")] * 2


def test_a_store_whose_open_is_not_known_breaks_positional_write() -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.end(opened)
    script.write(opened, 1, name="mmap", position=None, handle=None)
    assert_broken(judge(script.items), "positional-write")


@pytest.mark.parametrize("length", [1, 100, PAGE - 1, PAGE + 1, 2 * PAGE])
def test_another_length_breaks_full_page_alone(length: int) -> None:
    finding = assert_broken(one_write(length=length), "full-page")
    assert str(length) in finding.message


def test_a_length_that_is_not_known_leaves_full_page_and_complete_unknown() -> None:
    result = one_write(length=None, result=PAGE)
    assert errors(result) == [("full-page", "unknown"), ("complete", "unknown")]


@pytest.mark.parametrize("offset", [1, 100, PAGE + 512])
def test_an_offset_inside_a_page_breaks_aligned_alone(offset: int) -> None:
    finding = assert_broken(one_write(offset=offset), "aligned")
    assert finding.page == offset // PAGE


def test_an_offset_that_is_not_known_leaves_aligned_unknown() -> None:
    assert ("aligned", "unknown") in errors(one_write(offset=None))


def test_the_page_size_is_a_setting() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, offset=512, length=512)
    script.sync(opened)
    assert_kept(judge(script.items, page_size=512))
    assert {rule for rule, _ in errors(judge(script.items))} == {"full-page", "aligned"}


def test_posix_fallocate_is_the_library_not_the_program() -> None:
    script = Script()
    opened = script.open(created=True)
    for block in range(4):
        script.write(opened, offset=(block + 1) * PAGE - 1, length=1, note=FALLOCATE)
    script.page(opened)
    script.end(opened)
    assert_kept(judge(script.items))


def test_posix_fallocate_does_not_come_between_a_write_and_its_sync() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.write(opened, offset=9 * PAGE - 1, length=1, note=FALLOCATE)
    script.sync(opened)
    assert_kept(judge(script.items))


def short_write(result: int = 100, **fields: Any) -> tuple[Script, Any]:
    script = Script()
    opened = script.open()
    script.write(opened, 2, result=result, **fields)
    return script, opened


def test_a_short_write_whose_rest_is_written_is_kept() -> None:
    script, opened = short_write()
    script.write(opened, offset=2 * PAGE + 100, length=PAGE - 100, result=1000)
    script.write(opened, offset=2 * PAGE + 1100, length=PAGE - 1100)
    script.sync(opened)
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_short_write_that_is_written_again_whole_is_kept() -> None:
    script, opened = short_write()
    script.page(opened, 2)
    script.end(opened)
    assert_kept(judge(script.items))


@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN, errno.EIO])
def test_a_failed_write_that_is_tried_again_is_kept(number: int) -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 2, errno=number)
    script.write(opened, 2, errno=number)
    script.page(opened, 2)
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_rest_that_is_interrupted_may_be_tried_again() -> None:
    script, opened = short_write()
    rest: dict[str, Any] = {"offset": 2 * PAGE + 100, "length": PAGE - 100}
    script.write(opened, **rest, errno=errno.EINTR)
    script.write(opened, **rest)
    script.sync(opened)
    script.end(opened)
    assert_kept(judge(script.items))


def test_a_sync_after_a_short_write_breaks_complete_at_the_write() -> None:
    script, opened = short_write()
    script.sync(opened)
    script.end(opened)
    finding = assert_broken(judge(script.items), "complete")
    assert (finding.call, finding.page) == (1, 2)
    assert "call 2" in finding.message


def test_a_sync_after_a_failed_write_breaks_complete() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, errno=errno.ENOSPC)
    script.sync(opened)
    script.end(opened)
    assert "ENOSPC" in judge(script.items).findings[0].message
    assert ("complete", "broken") in errors(judge(script.items))


def test_a_write_elsewhere_after_a_failed_one_breaks_complete() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 0, errno=errno.ENOSPC)
    script.page(opened, 1)
    script.end(opened)
    assert_broken(judge(script.items), "complete")


def test_a_rest_of_the_wrong_length_is_no_rest() -> None:
    script, opened = short_write()
    script.write(opened, offset=2 * PAGE + 100, length=10)
    script.sync(opened)
    assert ("complete", "broken") in errors(judge(script.items))


def test_giving_up_after_a_failed_write_is_kept() -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.write(opened, 1, errno=errno.ENOSPC)
    script.end(opened)
    assert_kept(judge(script.items))


def test_giving_up_after_a_short_write_leaves_its_bytes_unsynced() -> None:
    script, opened = short_write()
    script.end(opened)
    assert_broken(judge(script.items), "synced")


def test_another_open_does_not_take_up_what_this_one_left() -> None:
    script, opened = short_write()
    other = script.open()
    script.sync(other)
    script.write(opened, offset=2 * PAGE + 100, length=PAGE - 100)
    script.sync(opened)
    assert_kept(judge(script.items))


def test_a_result_that_is_not_known_leaves_complete_unknown() -> None:
    assert_unknown(one_write(result=None), "complete")


def test_a_rest_whose_result_is_not_known_is_taken_up() -> None:
    script, opened = short_write()
    script.write(opened, offset=2 * PAGE + 100, length=PAGE - 100, result=None)
    script.sync(opened)
    assert_unknown(judge(script.items), "complete")


def test_pieces_of_a_call_that_is_not_known_break_nothing() -> None:
    """A page whose buffer was not resident arrives in two requests; nobody saw the call."""
    script = Script()
    opened = script.open()
    script.write(opened, name="unknown", known_by=None, offset=8192, length=None, result=4000)
    script.write(opened, name="unknown", known_by=None, offset=12192, length=None, result=96)
    script.sync(opened)
    script.end(opened)

    result = judge(script.items)

    assert result.verdict is Verdict.UNKNOWN
    assert {verdict for _, verdict in errors(result)} == {"unknown"}


def test_an_unknown_write_after_a_whole_one_is_another_write() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, page=1)
    script.write(opened, page=2, name="unknown", known_by=None)
    script.sync(opened)
    script.end(opened)

    assert ("synced", "broken") in errors(judge(script.items))
