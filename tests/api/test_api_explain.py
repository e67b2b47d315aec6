"""What is said of two lists of calls that differ."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tracefs.api import (
    ANY,
    Call,
    close,
    fdatasync,
    fsync,
    fsyncdir,
    openat,
    pwrite,
    unknown,
    write,
)
from tracefs.api.alignment import LONGEST, align
from tracefs.api.explain import Explanation, explain
from tracefs.api.seen import value
from tracefs.trace import Call as Recorded

FAMILIES = {"pwrite64": "write", "write": "write", "close": "close", "openat": "open"}


class Program:
    """Calls that a program made, as recorded."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def did(self, name: str, path: str = "a.db", **fields: Any) -> "Program":
        given: dict[str, Any] = {"family": FAMILIES.get(name, "sync"), "known_by": "proc"} | fields
        call = Recorded(
            index=len(self.calls), call=name, path=path, start_ns=0, end_ns=1, tid=7, **given
        )
        self.calls.append(value(call, 4096, lambda _: None))
        return self

    def wrote(
        self, offset: int, length: int = 4096, name: str = "pwrite64", **fields: Any
    ) -> "Program":
        given: dict[str, Any] = {"offset": offset, "length": length, "result": length} | fields
        return self.did(name, **given)


def why(seen: list[Call], expected: list[Call]) -> Explanation:
    found, other = explain(seen, expected), explain(expected, seen)
    assert found is not None
    assert other == found, "it matters on which side the recording stands"
    return found


PAGE = [pwrite("a.db", 4096, at=0), fdatasync("a.db")]

SCENES = {
    "unsynced": (
        Program().wrote(0).wrote(4096).did("fdatasync"),
        [*PAGE, pwrite("a.db", 4096, at=4096), fdatasync("a.db")],
    ),
    "unsynced at the end": (Program().wrote(0), PAGE),
    "another file synced": (Program().wrote(0).did("fdatasync", "b.db"), PAGE),
    "wrong sync": (Program().wrote(0).did("fsync"), PAGE),
    "failed sync": (Program().wrote(0).did("fdatasync", errno=5), PAGE),
    "wrong call": (Program().wrote(0, name="write").did("fdatasync"), PAGE),
    "split": (Program().wrote(0, 2048).wrote(2048, 2048).did("fdatasync"), PAGE),
    "split after a like beginning": (
        Program().did("openat").wrote(0, 1000).wrote(1000, 3096).did("fdatasync").did("close"),
        [openat("a.db"), *PAGE, close("a.db")],
    ),
    "short and taken up again": (
        Program().wrote(0, result=1000).wrote(1000, 3096).did("fdatasync"), PAGE,
    ),
    "short and passed over": (Program().wrote(0, result=1000).did("fdatasync"), PAGE),
    "mis-aligned": (Program().wrote(100).did("fdatasync"), PAGE),
    "another page": (Program().wrote(8192).did("fdatasync"), PAGE),
    "unknown": (
        Program().did("unknown", family="write", reason="io_uring: which operation is not visible")
        .did("fdatasync"),
        PAGE,
    ),
    "too much": (Program().wrote(0).did("fdatasync").did("close"), PAGE),
    "nothing seen": (Program(), PAGE),
    "nothing expected": (Program().wrote(0), []),
    "directory": (Program().wrote(0).did("fdatasync"), [*PAGE, fsyncdir(".")]),
    "a long name": (Program().wrote(0, path="n" * 80), [pwrite("m" * 80, 4096, at=0)]),
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_said(scene: str, snapshot: SnapshotAssertion) -> None:
    program, expected = SCENES[scene]
    assert "\n".join(why(program.calls, expected).lines(whole=True)) == snapshot


@pytest.mark.parametrize("scene", SCENES)
def test_the_short_form_is_not_cut_by_pytest(scene: str) -> None:
    program, expected = SCENES[scene]
    found = why(program.calls, expected)
    lines = found.lines(whole=False)
    assert len(lines) <= 8
    assert lines[1] == found.first


def test_equal_lists_and_other_things_are_not_explained() -> None:
    seen = Program().wrote(0).did("fdatasync").calls
    assert explain(seen, PAGE) is None
    assert explain([], []) is None
    assert explain([1], [2]) is None
    assert explain(seen, "text") is None
    assert explain(seen, [*PAGE, "text"]) is None


def test_long_lists_are_cut() -> None:
    program = Program()
    for number in range(1000):
        program.wrote(number * 4096)
    expected = [pwrite("a.db", 4096, at=number * 4096) for number in range(1000)]
    expected[500] = fsync("a.db")
    found = why(program.calls, expected)
    assert len(found.table) <= 203
    assert found.first.startswith('call 500: expected fsync("a.db"), saw pwrite("a.db", 4096, ')
    assert found.table[-1] == "    ... 401 more"


CALLS = st.sampled_from(
    [*PAGE, pwrite("a.db", 4096, at=4096), write("a.db", ANY), close("a.db"), unknown()]
)


@given(st.lists(CALLS, max_size=12), st.lists(CALLS, max_size=12))
def test_each_call_stands_in_one_row_in_its_order(expected: list[Call], seen: list[Call]) -> None:
    rows = align(expected, seen)
    assert [id(row.expected) for row in rows if row.expected is not None] == list(map(id, expected))
    assert [id(row.seen) for row in rows if row.seen is not None] == list(map(id, seen))
    assert all(row.equal for row in rows) is (expected == seen)


@given(st.lists(CALLS, max_size=8), st.lists(CALLS, max_size=8), st.integers(0, 8))
def test_what_was_put_in_stands_alone(calls: list[Call], more: list[Call], place: int) -> None:
    rows = align(calls, [*calls[:place], *more, *calls[place:]])
    assert sum(not row.equal for row in rows) == len(more)
    assert all(row.expected is None for row in rows if not row.equal)


def test_lists_that_are_too_long_are_compared_place_by_place() -> None:
    other = [fsync("b.db")] * (LONGEST + 1)
    rows = align(other, PAGE * (LONGEST + 1))
    assert len(rows) == 2 * (LONGEST + 1)
    assert rows[0].expected is not None
    assert rows[0].seen is not None
    assert rows[-1].expected is None
