"""no-seek: by the file position on each write and sync, or by every lseek."""

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

from tracefs.findings import ContractResult

WRITE_ONLY = ("O_WRONLY", "O_CREAT")


def at_positions(
    *positions: int | None, flags: tuple[str, ...] = ("O_RDWR",), size: int | None = 8 * PAGE
) -> ContractResult:
    """Write and sync page 0, with these positions in turn."""
    script = Script()
    opened = script.open(flags=flags, size=size)
    for at, position in enumerate(positions):
        if at % 2 == 0:
            script.write(opened, position=position)
        else:
            script.sync(opened, position=position)
    script.end(opened)
    return judge(script.items)


def test_a_position_that_stays_is_kept_and_says_what_was_looked_at() -> None:
    result = at_positions(0, 0, 0, 0)
    assert_kept(result)
    assert "file position looked at on each write and sync" in result.evidence["no-seek"]


def test_a_position_beyond_all_data_is_a_seek() -> None:
    finding = assert_broken(at_positions(9 * PAGE, 9 * PAGE), "no-seek")
    assert finding.call == 1


def test_a_position_in_a_new_file_is_a_seek() -> None:
    script = Script()
    opened = script.open(created=True)
    script.write(opened, position=PAGE)
    script.sync(opened, position=PAGE)
    script.end(opened)
    assert_broken(judge(script.items), "no-seek")


def test_a_position_that_goes_back_is_a_seek() -> None:
    result = at_positions(PAGE, PAGE, 0, 0)
    assert errors(result) == [("no-seek", "unknown"), ("no-seek", "broken")]


def test_a_position_of_a_write_only_open_is_a_seek() -> None:
    assert_broken(at_positions(PAGE, PAGE, flags=WRITE_ONLY), "no-seek")


def test_a_position_inside_the_data_may_be_a_read() -> None:
    finding = assert_unknown(at_positions(PAGE, PAGE), "no-seek")
    assert "read" in finding.message


def test_a_position_in_a_file_of_unknown_size_may_be_a_read() -> None:
    assert_unknown(at_positions(99 * PAGE, 99 * PAGE, size=None), "no-seek")


def test_data_written_and_cut_off_again_might_have_been_read() -> None:
    script = Script()
    opened = script.open(created=True)
    script.page(opened, 3)
    script.call("ftruncate", "truncate", ino=opened.ino, length=0)
    script.write(opened, position=4 * PAGE)
    script.sync(opened, position=4 * PAGE)
    assert_unknown(judge(script.items), "no-seek")


def test_a_jump_is_seen_on_a_sync_too() -> None:
    finding = assert_broken(at_positions(0, PAGE, PAGE, PAGE, flags=WRITE_ONLY), "no-seek")
    assert finding.call == 2


def test_each_jump_is_reported_once() -> None:
    result = at_positions(0, 0, PAGE, PAGE, PAGE, PAGE, 5, 5, flags=WRITE_ONLY)
    assert errors(result) == [("no-seek", "broken")] * 2


def test_write_where_a_seek_went_breaks_both() -> None:
    script = Script()
    opened = script.open(created=True)
    script.write(opened, 2, name="write", position=2 * PAGE)
    script.sync(opened, position=3 * PAGE)
    script.end(opened)
    assert errors(judge(script.items)) == [("positional-write", "broken"), ("no-seek", "broken")]


def test_write_moves_the_position_it_is_told_by() -> None:
    script = Script()
    opened = script.open(created=True)
    for page in range(3):
        script.write(opened, page, name="write", position=None)
        script.sync(opened, position=(page + 1) * PAGE)
    assert {rule for rule, _ in errors(judge(script.items))} == {"positional-write"}


def test_a_failed_write_moves_nothing() -> None:
    script = Script()
    opened = script.open(flags=WRITE_ONLY)
    script.write(opened, name="write", errno=28)
    script.write(opened, name="write")
    script.sync(opened, position=PAGE)
    assert {rule for rule, _ in errors(judge(script.items))} == {"positional-write"}


def test_after_a_call_that_may_move_it_the_position_is_taken_as_it_is() -> None:
    script = Script()
    opened = script.open(flags=WRITE_ONLY)
    script.write(opened, name="unknown", position=None)
    script.sync(opened, position=PAGE)
    script.write(opened, 1, position=PAGE)
    script.sync(opened, position=PAGE)
    assert_unknown(judge(script.items), "positional-write")


def test_an_append_is_judged_by_its_flag_not_by_its_position() -> None:
    script = Script()
    opened = script.open(flags=["O_RDWR", "O_APPEND"])
    script.write(opened, 8, position=0)
    script.sync(opened, position=9 * PAGE)
    script.end(opened)
    assert_broken(judge(script.items), "open-flags")


def test_a_position_that_no_call_shows_is_unknown_once_for_the_open() -> None:
    result = at_positions(None, None, None, None)
    finding = assert_unknown(result, "no-seek")
    assert finding.call == 1
    assert "nothing" in result.evidence["no-seek"]


def test_a_position_that_some_calls_show_is_enough_and_counted() -> None:
    result = at_positions(None, 0, 0, None)
    assert_kept(result)
    assert "2 could not be looked at" in result.evidence["no-seek"]


def test_an_open_that_wrote_nothing_needs_no_position() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.db")
    script.page(first)
    script.sync(second, position=None)
    assert_kept(judge(script.items))


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"offset": PAGE, "flags": ("SEEK_SET",), "result": PAGE}, True),
        ({"offset": 0, "flags": ("SEEK_END",), "result": PAGE}, True),
        ({"offset": 5, "flags": ("SEEK_CUR",), "result": 5}, True),
        ({"offset": PAGE, "result": None}, True),
        ({"offset": 0, "flags": ("SEEK_CUR",), "result": 0}, False),
        ({"offset": -5, "flags": ("SEEK_SET",), "errno": 22}, False),
    ],
)
@pytest.mark.parametrize("witness", ["proc", "seccomp"])
def test_an_lseek_that_was_seen(fields: dict[str, object], broken: bool, witness: str) -> None:
    script = Script()
    opened = script.open()
    script.call("lseek", "seek", handle=opened.handle, ino=opened.ino, path="a.db", **fields)
    position = fields.get("result") or 0
    script.write(opened, position=position)
    script.sync(opened, position=position)
    script.end(opened)
    result = judge(script.items, witness=witness)
    if broken:
        assert_broken(result, "no-seek")
    else:
        assert_kept(result)


def test_a_witness_that_sees_every_lseek_needs_no_position() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, position=None)
    script.sync(opened, position=None)
    result = judge(script.items, witness="seccomp")
    assert_kept(result)
    assert "every lseek" in result.evidence["no-seek"]


def test_positions_are_of_the_open_not_of_the_file() -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first, name="write")
    script.sync(first, position=PAGE)
    script.page(second, 1)
    assert {rule for rule, _ in errors(judge(script.items))} == {"positional-write"}


def test_a_seek_after_a_failed_write_is_seen() -> None:
    script = Script()
    opened = script.open(flags=WRITE_ONLY)
    script.write(opened, name="write", errno=4)
    script.write(opened, position=PAGE)
    script.sync(opened, position=PAGE)
    assert ("no-seek", "broken") in errors(judge(script.items))


def test_data_that_was_there_before_another_open_might_have_been_read() -> None:
    script = Script()
    first, second = script.open(size=8 * PAGE), script.open(size=0)
    script.page(second)
    script.write(first, position=5 * PAGE)
    script.sync(first, position=5 * PAGE)
    assert_unknown(judge(script.items), "no-seek")


def test_an_lseek_on_a_file_that_is_not_known_may_be_on_this_one() -> None:
    script = Script()
    opened = script.open()
    script.call(
        "unknown", "seek", known_by=None, reason="lseek: the caller may not be read: EACCES"
    )
    script.page(opened)
    script.end(opened)
    result = judge(script.items, witness="seccomp")
    finding = assert_unknown(result, "no-seek")
    assert "the caller may not be read: EACCES" in finding.message
    assert result.evidence["no-seek"] == "every lseek but 1, seen by the seccomp witness"


def test_positions_decide_where_others_could_seek_unheard() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, position=9 * PAGE)
    script.sync(opened, position=9 * PAGE)
    script.end(opened)
    assert_kept(judge(script.items, witness="seccomp"))
    assert_broken(judge(script.items, witness="seccomp", visible=True), "no-seek")


def test_a_recording_that_was_cut_short_does_not_say_that_it_saw_every_lseek() -> None:
    said = judge([], witness="seccomp", complete=False).evidence["no-seek"]
    assert said == "every lseek, seen by the seccomp witness, as far as the recording goes"
