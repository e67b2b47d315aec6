"""Filters choose exactly what they name."""

import pytest
from report_support import START_NS, call, pwrite

from tracefs.report.selection import Selection, call_names

CALL = pwrite(0, path="db/pages.db", start_ns=START_NS + 5)


@pytest.mark.parametrize(
    ("selection", "matches"),
    [
        (Selection(), True),
        (Selection(path="*.db"), True),
        (Selection(path="pages.db"), True),
        (Selection(path="db/*"), True),
        (Selection(path="*.DB"), False),
        (Selection(path="page"), False),
        (Selection(calls=frozenset({"write", "pwrite64"})), True),
        (Selection(calls=frozenset({"write"})), False),
        (Selection(tid=12341), True),
        (Selection(tid=1), False),
        (Selection(pid=12341), True),
        (Selection(pid=1), False),
        (Selection(since_ns=START_NS + 5), True),
        (Selection(since_ns=START_NS + 6), False),
        (Selection(until_ns=START_NS + 5), True),
        (Selection(until_ns=START_NS + 4), False),
        (Selection(path="*.db", tid=1), False),
    ],
)
def test_conditions(selection: Selection, matches: bool) -> None:
    assert selection.matches(CALL) is matches


def test_what_is_not_known_passes_no_condition() -> None:
    unknown = call("unknown", "write", path=None, tid=None, pid=None)
    assert Selection().matches(unknown)
    for selection in (Selection(path="*"), Selection(tid=0), Selection(pid=0)):
        assert not selection.matches(unknown)


def test_a_process_is_known_by_its_first_thread() -> None:
    assert Selection(pid=5).matches(call("close", "close", pid=None, tid=5))
    assert not Selection(pid=5).matches(call("close", "close", pid=4, tid=5))


def test_a_rename_is_found_by_either_name_and_a_symlink_not_by_its_contents() -> None:
    rename = call("rename", "rename", path="a.tmp", target="a.json")
    assert Selection(path="*.json").matches(rename)
    assert Selection(path="*.tmp").matches(rename)
    assert not Selection(path="a.json").matches(call("symlink", "symlink", target="a.json"))


def test_names_are_split_at_commas_and_the_library_name_of_pwrite64_is_known() -> None:
    assert call_names("pwrite, fsync,") == {"pwrite64", "fsync"}
