"""Clauses about calls of which the recording's witness is not notified."""

import pytest
from language_support import assert_kept, contract, found, judged
from page_write_calls import Script

SEEKS = """
[[contract.rule]]
id = "seeks"
every = "lseek"
must = "offset == 0"
[[contract.rule]]
id = "writes"
every = "@write"
must = "length == 4096"
"""


def page(*, synced: bool) -> Script:
    script = Script()
    opened = script.open()
    script.write(opened)
    if synced:
        script.sync(opened)
    script.end(opened)
    return script


@pytest.mark.parametrize(
    ("clauses", "rule"),
    [
        ('every = "lseek"\nat_most = 0', "at-most"),
        (SEEKS, "seeks"),
        ('every = "@write"\nnext = "@sync"\nuntil = "lseek"', "next"),
        (
            'before = "@seek"\nneed = "@sync"\n[[contract.rule]]\nid = "w"\nnever = "creat"',
            "before",
        ),
        ('before = "close"\nneed = "@sync"\nsince = "lseek"', "before"),
        ('when = "close"\nsequence = ["@write", "@sync", "lseek?", "close"]', "sequence"),
        ('never = "@none"', "never"),
    ],
)
def test_what_may_have_come_unheard_is_unknown(clauses: str, rule: str) -> None:
    result = judged(contract(clauses), page(synced=True).items, witness="proc")
    assert (rule, "unknown", None) in found(result)
    assert "isn't notified of it" in " ".join(each.message for each in result.findings)
    assert "broken" not in [str(each.verdict) for each in result.findings]


@pytest.mark.parametrize(
    ("clauses", "rule", "call"),
    [
        ('every = "@write"\nnext = "@sync|@syncfs"', "next", 1),
        ('before = "close"\nneed = "@sync|syncfs"\nsince = "@write"', "before", 2),
        ('when = "close"\nsequence = ["@write", "lseek", "close"]', "sequence", 2),
    ],
)
def test_what_was_wanted_may_have_come_unheard(clauses: str, rule: str, call: int) -> None:
    result = judged(contract(clauses), page(synced=False).items, witness="proc")
    assert found(result) == [(rule, "unknown", call), (rule, "unknown", None)]
    assert "isn't notified of it" in result.findings[1].message


def test_what_was_wanted_and_heard_is_enough() -> None:
    tried = contract('every = "@write"\nnext = "@sync|@syncfs"')
    assert_kept(judged(tried, page(synced=True).items, witness="proc"))


def test_advice_about_what_nobody_hears_is_no_more_than_advice() -> None:
    rules = '[[contract.rule]]\nid = "d"\nseverity = "advice"\nnever = "dup"\n'
    more = '[[contract.rule]]\nid = "w"\nevery = "@write"\nmust = "length == 4096"'
    result = judged(contract(rules + more), page(synced=True).items, witness="proc")
    assert found(result) == [("d", "unknown", None)]
    assert str(result.verdict) == "kept"
