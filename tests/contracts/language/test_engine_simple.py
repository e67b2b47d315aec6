"""``every``/``must``, ``never``, ``at_most`` over scripts of calls."""

from typing import Any

import pytest
from language_support import assert_kept, contract, found, judged
from page_write_calls import PAGE, Script

from tracefs.findings import Verdict

WHOLE = 'every = "pwrite(*.db)"\nmust = "length == 4096 and offset % 4096 == 0"'


def one_write(**fields: Any) -> Script:
    script = Script()
    opened = script.open()
    script.write(opened, **fields)
    script.end(opened)
    return script


def test_must_holds() -> None:
    assert_kept(judged(contract(WHOLE), one_write().items))


def test_must_is_broken_where_it_is_not_so() -> None:
    result = judged(contract(WHOLE), one_write(offset=100, page=0).items)
    assert found(result) == [("must", "broken", 1)]
    (finding,) = result.findings
    assert (finding.path, finding.page) == ("a.db", 0)
    assert "length == 4096 and offset % 4096 == 0" in finding.message
    assert "pwrite64 of 4096 bytes at offset 100" in finding.message


@pytest.mark.parametrize("fields", [{"length": None, "result": None}, {"offset": None}])
def test_must_is_unknown_where_a_value_is(fields: dict[str, object]) -> None:
    result = judged(contract(WHOLE), one_write(**fields).items)
    assert found(result) == [("must", "unknown", 1)]
    assert result.verdict is Verdict.UNKNOWN


def test_what_decides_alone_needs_no_other_value() -> None:
    result = judged(contract(WHOLE), one_write(offset=None, length=100).items)
    assert found(result) == [("must", "broken", 1)]


def test_an_unnamed_write_may_be_a_pwrite() -> None:
    wrong = judged(contract(WHOLE), one_write(name="unknown", length=100).items)
    right = judged(contract(WHOLE), one_write(name="unknown").items)
    assert found(wrong) == [("must", "unknown", 1)]
    assert_kept(right)


def test_other_files_and_calls_are_not_judged() -> None:
    script = one_write()
    other = script.open("notes.txt")
    script.write(other, length=3)
    db = script.open("a.db")
    script.write(db, name="write", length=3)
    assert_kept(judged(contract(WHOLE), script.items))


def test_files_and_paths_choose_together() -> None:
    script = Script()
    for name in ("a.db", "b.db", "b.txt"):
        script.write(script.open(name), length=3)
    tried = contract('every = "pwrite"\nmust = "length == 4096"', files="*.db")
    assert found(judged(tried, script.items, paths=("b.*",))) == [("must", "broken", 3)]


def test_nothing_like_it_is_not_kept() -> None:
    result = judged(contract(WHOLE), Script().items)
    assert found(result) == [("some", "unknown", None)]


def test_never() -> None:
    tried = contract('never = ["lseek", "write", "writev"]')
    script = one_write()
    assert_kept(judged(tried, script.items))
    opened = script.open()
    script.call("lseek", "seek", path="a.db", ino=opened.ino, handle=opened.handle, offset=0)
    script.write(opened, name="writev")
    result = judged(tried, script.items)
    assert found(result) == [("never", "broken", 4), ("never", "broken", 5)]


def test_never_lseek_without_notices_is_told_by_the_position() -> None:
    tried = contract('never = "lseek"', per="open")
    kept = judged(tried, one_write().items, witness="proc")
    assert_kept(kept)
    assert "file position looked at" in kept.evidence["never"]
    moved = judged(tried, one_write(position=PAGE * 100).items, witness="proc")
    assert found(moved) == [("never", "broken", 1)]
    unseen = judged(tried, one_write(position=None).items, witness="proc")
    assert unseen.verdict is Verdict.UNKNOWN


def test_never_of_what_nobody_hears_is_unknown() -> None:
    result = judged(contract('never = "dup2"'), one_write().items, witness="proc")
    assert found(result) == [("never", "unknown", None)]
    assert "dup2" in result.findings[0].message


def test_at_most_counts_each_open_for_itself() -> None:
    tried = contract('every = "@write"\nat_most = 1', per="open")
    script = one_write()
    second = script.open()
    script.write(second)
    assert_kept(judged(tried, script.items))
    script.write(second)
    script.write(second)
    assert found(judged(tried, script.items)) == [("at-most", "broken", 5)]
    assert_kept(judged(contract('every = "@write"\nat_most = 4'), script.items))
    assert found(judged(contract('every = "@write"\nat_most = 3'), script.items)) == [
        ("at-most", "broken", 6)
    ]


def test_at_most_of_what_may_be_one_is_unknown() -> None:
    tried = contract('every = "pwrite"\nat_most = 1')
    script = one_write()
    script.write(script.open(), name="unknown")
    assert found(judged(tried, script.items)) == [("at-most", "unknown", 4)]


def test_a_rule_left_out_is_not_judged() -> None:
    result = judged(contract(WHOLE), one_write(length=3).items, without=("must",))
    assert result.without == ("must",)
    assert [each.rule for each in result.findings] == []


def test_reads_are_never_seen() -> None:
    result = judged(contract('never = "@read"'), one_write().items)
    assert found(result) == [("never", "unknown", None)]
    assert result.findings[0].repair == "Leave @read out of the contract."
