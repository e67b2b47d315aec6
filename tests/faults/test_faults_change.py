"""Rules that change while they hold, and rules for one directory alone."""

from collections.abc import Iterable
from errno import EIO
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.events import Sighting
from tracefs.faults.engine import Faults
from tracefs.faults.model import Per, Rule, When
from tracefs.syscalls import numbers

MACHINE: Final = "x86_64"
PWRITE: Final = numbers(MACHINE)["pwrite64"]
PATHS: Final = {1: "a", 2: "d/a", 3: "d/e/a", 4: "da/a", 5: "d"}


def rule(text: str = "", **more: object) -> Rule:
    return Rule(text=text, calls=("write",), error=EIO, **more)  # type: ignore[arg-type]


def faults(rules: Iterable[Rule]) -> Faults:
    return Faults(rules, MACHINE, PATHS.__getitem__)


def write(made: Faults, unique: int, ino: int = 1, offset: int = 0, whole: int = 10) -> bool:
    """Return whether a write of 10 bytes, of a call of *whole*, is struck."""
    seen = Sighting(nr=PWRITE, args=(3, 4096, whole, 0, 0, 0))
    return made.of_file(unique, "write", 7, seen, ino, offset, 10) is not None


@given(st.data())
def test_rules_that_hold_on_go_on_counting(data: st.DataObject) -> None:
    steps = st.integers(1, 4)
    known = [rule(str(n), when=When(first=1 + n % 3, step=1 + n % 4)) for n in range(8)]
    made, held = faults(known[:1]), [0]
    counted = {0: 0}
    struck: dict[int, int] = {0: 0}
    upcoming, unique = 1, 0
    for change in data.draw(st.lists(st.sampled_from("+-w"), max_size=40)):
        if change == "+" and upcoming < len(known):
            made = made.followed_by(known[upcoming : upcoming + 1], range(len(held)))
            held.append(upcoming)
            counted[upcoming] = struck[upcoming] = 0
            upcoming += 1
        elif change == "-" and held:
            gone = data.draw(st.integers(0, len(held) - 1))
            made = made.followed_by((), [n for n in range(len(held)) if n != gone])
            del held[gone]
        else:
            for _ in range(data.draw(steps)):
                unique += 1
                # Of several that say how a call ends, the first is heard and counts it as struck.
                first = True
                for n in held:
                    counted[n] += 1
                    when = known[n].when
                    late = counted[n] - when.first
                    if late >= 0 and late % when.step == 0 and first:
                        struck[n] += 1
                        first = False
                assert write(made, unique) is not first
    assert made.met == tuple(counted[n] for n in held)
    assert made.struck == tuple(struck[n] for n in held)


def test_a_write_that_is_under_way_goes_on_as_it_was_decided() -> None:
    made = faults([rule(when=When(first=2))])
    assert not write(made, 1, whole=30)
    made = made.followed_by([rule()], ())
    assert not write(made, 2, offset=10, whole=30)
    assert not write(made, 3, offset=20, whole=30)
    assert made.met == (0,)
    assert write(made, 4, whole=30)


@pytest.mark.parametrize(
    ("below", "glob", "struck"),
    [
        ("", None, {1, 2, 3, 4, 5}),
        ("d", None, {2, 3, 5}),
        ("d/e", None, {3}),
        ("d", "a", {2, 3}),
        ("d", "e/a", {3}),
        ("d", "d/a", set()),
        ("d", ".", {5}),
        ("", "d/a", {2}),
    ],
)
def test_a_rule_is_for_its_directory_alone(below: str, glob: str | None, struck: set[int]) -> None:
    made = faults([rule(below=below, glob=glob)])
    assert {ino for ino in PATHS if write(made, ino, ino)} == struck


def test_a_file_that_is_new_is_counted_anew_and_what_was_met_stays_met() -> None:
    made = faults([rule(when=When(first=2, per=Per.FILE))])
    assert [write(made, unique) for unique in (1, 2)] == [False, True]
    made.made(1)
    assert [write(made, unique) for unique in (3, 4)] == [False, True]
    assert (made.met, made.struck) == ((4,), (2,))
