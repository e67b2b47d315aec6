"""How writes end that come in parts, under rules for short writes and full disks."""

import os
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.events import Sighting
from tracefs.faults.engine import Fault, Faults
from tracefs.faults.model import Rule, When
from tracefs.syscalls import numbers

NUMBERS: Final = numbers("x86_64")
PATHS: Final = {1: "pages.db", 2: "wal"}


def faults(*rules: Rule) -> Faults:
    return Faults(rules, "x86_64", PATHS.__getitem__)


def short(limit: int, **more: object) -> Rule:
    return Rule(text=f"short {limit}", calls=("write",), short=limit, **more)  # type: ignore[arg-type]


def part(
    made: Faults, size: int, *, at: int, of: int, tid: int = 7, buffer: int = 0
) -> Fault | None:
    """A request of *size* bytes at offset *at*, of a pwrite64 of *of* bytes."""
    look = Sighting(nr=NUMBERS["pwrite64"], args=(3, buffer, of, 0, 0, 0))
    return made.of_file(-2, "write", tid, look, 1, at, size)


@given(st.integers(1, 40), st.lists(st.integers(1, 10), min_size=1, max_size=6))
def test_the_parts_of_a_write_share_its_limit(limit: int, sizes: list[int]) -> None:
    made, through, at = faults(short(limit)), 0, 0
    for size in sizes:
        fault = part(made, size, at=at, of=sum(sizes))
        assert fault is not None
        assert fault.limit is not None
        done = min(size, fault.limit)
        through, at = through + done, at + size
        if done < size:
            made.ended_short(7)
            break
    assert through == min(limit, sum(sizes))
    assert made.struck == (1,)
    # The next call has a limit of its own, whatever was left of that one.
    fault = part(made, 5, at=0, of=5, buffer=1)
    assert fault is not None
    assert fault.limit == limit


def test_parts_of_a_write_that_is_spared_are_spared() -> None:
    made = faults(short(1, when=When(first=2, last=2)))
    assert [part(made, 4, at=at, of=8) for at in (0, 4)] == [None, None]
    limits = [fault and fault.limit for fault in (part(made, 4, at=at, of=8) for at in (0, 4))]
    assert limits == [1, 0]


def test_parts_of_a_write_to_a_full_disk_are_all_asked_about() -> None:
    rule = Rule(text="full", calls=("write",), full=0)
    made = faults(rule)
    outcomes = [
        fault and fault.outcome for fault in (part(made, 4, at=at, of=12) for at in (0, 4, 8))
    ]
    assert outcomes == [rule] * 3
    assert made.struck == (1,)


def test_threads_have_limits_of_their_own() -> None:
    made = faults(short(6))
    limits = []
    for tid, at in ((7, 0), (8, 0), (7, 4), (8, 4)):
        fault = part(made, 4, at=at, of=8, tid=tid)
        limits.append(fault and fault.limit)
    assert limits == [6, 6, 2, 2]


def test_a_request_that_is_given_up_fails_whatever_its_rule_says() -> None:
    fault = Fault()
    fault.outcome = Rule(text="", calls=("fsync",), retval=0)
    assert (fault.error, fault.retval, fault.does_nothing) == (0, 0, True)
    fault.given_up = 4
    assert (fault.error, fault.retval, fault.does_nothing) == (4, None, True)


@pytest.mark.parametrize(
    ("rule", "flags", "path", "expected"),
    [
        (short(1), os.O_RDWR, "wal", True),
        (short(1), os.O_WRONLY | os.O_APPEND, "wal", True),
        (short(1), os.O_RDONLY, "wal", False),
        (short(1, glob="*.db"), os.O_RDWR, "sub/pages.db", True),
        (short(1, glob="*.db"), os.O_RDWR, "wal", False),
        (Rule(text="", calls=("pwrite64",), short=1), os.O_RDWR, "wal", True),
        (Rule(text="", calls=("all",), full=1), os.O_RDWR, "wal", False),
        (Rule(text="", calls=("all",), full=1), os.O_RDWR | os.O_DIRECT, "wal", True),
        (Rule(text="", calls=("allocate",), full=1), os.O_RDWR | os.O_DIRECT, "wal", False),
        (Rule(text="", calls=("write",), error=5), os.O_RDWR, "wal", False),
    ],
)
def test_which_opens_go_past_the_cache(rule: Rule, flags: int, path: str, expected: bool) -> None:
    assert faults(rule).needs_no_cache(flags, path) is expected
