"""Which faults a call can have, and which runs that makes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torture_samples import TARGETS, asked, result, target

from tracefs.errors import UsageError
from tracefs.faults.model import Mode
from tracefs.torture import kinds
from tracefs.torture.plan import Seen, in_common, pairs, sample, singles
from tracefs.torture.targets import numbered
from tracefs.tortures import Target, Trial


def rules(
    one: Target, faults: tuple[str, ...] = kinds.DEFAULT, *, by_path: bool = False
) -> list[str]:
    return [strike.rule.text for strike in kinds.strikes(one, faults, by_path=by_path)]


def test_each_call_has_the_faults_that_it_can_have() -> None:
    assert rules(target("write", 3, length=4096)) == [
        "write:error=EIO:when=3",
        "write:error=ENOSPC:when=3",
        "write(pages.db):short=2K:when=3",
        "write:error=EINTR:when=3",
    ]
    assert rules(target("sync", 2)) == ["sync:error=EIO:when=2", "sync:error=EINTR:when=2"]
    assert rules(target("open", 1)) == ["open:error=EIO:when=1"]
    assert rules(target("open", 1, created=True)) == [
        "open:error=EIO:when=1",
        "open:error=ENOSPC:when=1",
    ]
    assert rules(target("close", 1)) == ["close:error=EIO:when=1"]
    assert rules(target("sync", 1), tuple(Mode))[0] == "sync:error=EIO:mode=ext4-ordered:when=1"


@pytest.mark.parametrize("more", [{"length": 1}, {"length": 9, "call": "copy_file_range"}])
def test_what_has_nothing_to_leave_out_is_not_shortened(more: dict[str, Any]) -> None:
    assert not [rule for rule in rules(target("write", 1, **more)) if "short" in rule]


def test_a_path_that_a_pattern_would_change_is_not_named() -> None:
    assert "write:short=2K:when=4" in rules(target("write", 4, "a[1].db", length=4096))


@given(TARGETS)
def test_a_rule_strikes_once_and_means_what_it_says(one: Target) -> None:
    for strike in kinds.strikes(one, (*kinds.DEFAULT, *Mode)):
        when = strike.rule.when
        assert when.first == when.last
        assert strike.rule.text.startswith(one.family)
        assert strike.rule.text.endswith(f":when={when.first}")
        ends = (strike.rule.error, strike.rule.short)
        assert sum(end is not None for end in ends) == 1


def test_faults_are_chosen_by_name() -> None:
    assert kinds.chosen("eio, short,EIO") == ("EIO", "short")
    with pytest.raises(UsageError, match="no fault ENOSPACE") as wrong:
        kinds.chosen("ENOSPACE")
    assert wrong.value.repair == "did you mean ENOSPC?"
    with pytest.raises(UsageError, match="no faults"):
        kinds.chosen(" , ")


@pytest.mark.parametrize(("word", "near"), [("EOI", "EIO"), ("EI0", "EIO"), ("shrt", "short")])
def test_the_fault_that_was_meant_is_a_usual_one(word: str, near: str) -> None:
    with pytest.raises(UsageError) as wrong:
        kinds.chosen(word)
    assert wrong.value.repair == f"did you mean {near}?"


def test_calls_are_chosen_by_name() -> None:
    assert kinds.calls("sync, pwrite,fdatasync,@open") == ("sync", "pwrite64", "fdatasync", "open")
    assert kinds.calls("") == ()
    assert set(kinds.calls("all")) == kinds.FAMILIES
    with pytest.raises(UsageError, match="no call 'fsynk'") as wrong:
        kinds.calls("write,fsynk")
    assert wrong.value.repair == "did you mean fsync?"


def test_calls_on_a_path_are_counted_as_a_pattern_finds_them() -> None:
    """A pattern without a slash means the last component, too."""
    found = numbered(
        target("write", number, path)
        for number, path in enumerate(["a", "sub/a", "b", "a", None, "a[1]"], start=1)
    )
    assert [one.path_number for one in found] == [1, 1, 1, 3, None, None]


def test_two_runs_alike_are_known_whole() -> None:
    calls = [target("open", 1), target("write", 1, offset=0, length=9), target("sync", 1)]
    assert in_common(calls, calls) == Seen(targets=tuple(calls))


def test_what_is_another_each_time_is_not_expected() -> None:
    first = [target("open", 1, "tmp1"), target("write", 1, "tmp1", offset=0, length=5)]
    second = [target("open", 1, "tmp2"), target("write", 1, "tmp2", offset=0, length=7)]
    seen = in_common(first, second)
    assert [one.path for one in seen.targets] == [None, None]
    assert [(one.offset, one.length) for one in seen.targets] == [(None, None), (0, None)]
    assert not seen.by_path


def test_calls_in_another_order_are_counted_for_each_file() -> None:
    first = [target("write", 1, "a", path_number=1), target("write", 2, "b", path_number=1)]
    second = [target("write", 1, "b", path_number=1), target("write", 2, "a", path_number=1)]
    seen = in_common(first, second)
    assert seen.by_path == {"write"}
    made = singles(seen, asked(faults=("EIO",)))
    assert [trial.key for trial in made] == [
        "write(a):error=EIO:when=1",
        "write(b):error=EIO:when=1",
    ]
    assert "another order" in seen.remarks[0]


def test_another_number_of_calls_is_told() -> None:
    (remark,) = in_common([target("sync", 1)], []).remarks
    assert remark.startswith("two runs without a fault made 1 and 0 calls")


def test_only_what_is_wanted_is_struck() -> None:
    calls = (target("write", 1, "a"), target("sync", 1, "a", call="fsync"), target("sync", 2, "b"))
    seen = Seen(targets=calls)
    only = singles(seen, asked(faults=("EIO",), calls=("fsync",)))
    assert [trial.key for trial in only] == ["sync:error=EIO:when=1"]
    only = singles(seen, asked(faults=("EIO",), paths=("b",)))
    assert [trial.key for trial in only] == ["sync:error=EIO:when=2"]


def test_the_second_of_a_pair_is_a_call_after_the_first() -> None:
    (strike,) = kinds.strikes(target("write", 1), ("EIO",))
    first = Trial(strikes=(strike,))
    after = (target("truncate", 1), target("close", 1))
    made = pairs([first], [result(first.key, after=after)], asked(faults=("EIO",)))
    assert [trial.key for trial in made] == [
        "write:error=EIO:when=1 truncate:error=EIO:when=1",
        "write:error=EIO:when=1 close:error=EIO:when=1",
    ]


@given(st.integers(0, 50), st.none() | st.integers(1, 60), st.integers())
def test_a_sample_is_the_same_each_time_and_in_order(
    count: int, most: int | None, seed: int
) -> None:
    strike = kinds.strikes(target("sync", 1), ("EIO",))[0]
    trials = [Trial(strikes=(strike,) * number) for number in range(count)]
    chosen, coverage = sample(trials, most, seed)
    assert (chosen, coverage) == sample(trials, most, seed)
    assert len(chosen) == coverage.chosen == min(count, count if most is None else most)
    assert coverage.possible == count
    assert (coverage.seed is None) == (coverage.chosen == count)
    places = [len(trial.strikes) for trial in chosen]
    assert places == sorted(set(places))


def test_what_two_plans_have_otherwise_tells_them_apart() -> None:
    assert asked().hash == asked().hash
    assert asked().hash != asked(seed=1).hash != asked(content="other").hash


@pytest.mark.parametrize(
    ("family", "fault", "contracts"),
    [
        ("sync", "EIO", ("sync-failure-handled",)),
        ("sync", "xfs", ("sync-failure-handled",)),
        ("sync", "EINTR", ("interrupted-retried",)),
        ("write", "ENOSPC", ("no-space-handled",)),
        ("write", "short", ("short-write-handled",)),
        ("write", "EIO", ()),
    ],
)
def test_each_fault_is_judged_by_the_contract_about_it(
    family: str, fault: str, contracts: tuple[str, ...]
) -> None:
    made = kinds.strikes(target(family, 1, length=4096), (fault,))
    assert kinds.contracts([*made, *made]) == contracts
