"""Which requests rules strike, against a model that asks each rule each time."""

import random
from collections import Counter
from errno import EIO, ENOSPC
from typing import Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.events import Injected, Sighting
from tracefs.faults import asked
from tracefs.faults.engine import Fault, Faults
from tracefs.faults.model import Delay, Per, Rule, When
from tracefs.syscalls import numbers

MACHINE: Final = "x86_64"
NUMBERS: Final = numbers(MACHINE)
PATHS: Final = {1: "pages.db", 2: "sub/pages.db", 3: "wal", 4: "pages.db.new"}


def rule(*calls: str, error: int | None = EIO, **more: object) -> Rule:
    return Rule(text=f"{calls} {more}", calls=calls, error=error, **more)  # type: ignore[arg-type]


def faults(*rules: Rule) -> Faults:
    return Faults(rules, MACHINE, PATHS.__getitem__)


def seen(call: str, buffer: int = 0x1000, count: int = 4096) -> Sighting:
    return Sighting(nr=NUMBERS[call], args=(3, buffer, count, 0, 0, 0))


class Asked(NamedTuple):
    """A request on a file."""

    request: str
    call: str | None
    tid: int = 7
    ino: int = 1
    size: int = 4096


def ask(made: Faults, one: Asked, unique: int = 1, offset: int = 0) -> Fault | None:
    look = None if one.call is None else seen(one.call, count=one.size)
    return made.of_file(unique, one.request, one.tid, look, one.ino, offset, one.size)


WRITE: Final = Asked("write", "pwrite64")


def struck_of(made: Faults, count: int, one: Asked = WRITE) -> list[int]:
    """Which of *count* requests are struck, counted from 1."""
    return [at for at in range(1, count + 1) if ask(made, one, unique=at) is not None]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (When(first=3, last=3), [3]),
        (When(first=3), [3, 4, 5, 6, 7, 8, 9, 10]),
        (When(first=3, step=2), [3, 5, 7, 9]),
        (When(first=3, last=8), [3, 4, 5, 6, 7, 8]),
        (When(first=3, last=8, step=3), [3, 6]),
    ],
)
def test_when_names_calls_as_strace_does(when: When, expected: list[int]) -> None:
    # Checked by hand against the examples in strace(1), of the option --inject.
    made = faults(rule("pwrite64", when=when))
    assert struck_of(made, 10) == expected
    assert made.struck == (len(expected),)


def test_a_fault_says_how_the_request_ends_and_which_rule_it_was() -> None:
    one = rule("write", error=ENOSPC, delay_enter=Delay(first=2.0), delay_exit=Delay(first=0.5))
    fault = ask(faults(one), WRITE)
    assert fault is not None
    assert (fault.error, fault.does_nothing) == (ENOSPC, True)
    assert (fault.enter_ns, fault.exit_ns) == (2_000_000, 500_000)
    assert fault.injected == (
        Injected(rule=one.text, kind="error"),
        Injected(rule=one.text, kind="delay", delay_ns=2_500_000),
    )


def test_of_two_rules_that_end_a_call_the_first_is_heard() -> None:
    made = faults(rule("write", error=ENOSPC), rule("pwrite64"))
    fault = ask(made, WRITE)
    assert fault is not None
    assert fault.error == ENOSPC
    # The other has struck nothing.
    assert made.struck == (1, 0)


def test_a_call_is_struck_by_the_name_that_was_seen() -> None:
    made = faults(rule("fdatasync"))
    assert ask(made, Asked("fsync", "fsync")) is None
    assert ask(made, Asked("fsync", "fdatasync")) is not None
    assert ask(made, Asked("fsyncdir", "fdatasync")) is not None
    # A sync that an O_DSYNC write implies.
    assert ask(made, Asked("fsync", "write")) is None


def test_a_name_of_family_and_call_means_the_family() -> None:
    assert ask(faults(rule("write")), WRITE) is not None
    assert ask(faults(rule("=write")), WRITE) is None
    assert ask(faults(rule("=write")), Asked("write", "write")) is not None


def test_nobody_looks_who_reads_or_closes() -> None:
    made = faults(rule("pread64", "close"))
    assert ask(made, Asked("read", None)) is not None
    assert ask(made, Asked("flush", None)) is not None
    assert made.untold == 0


def test_a_call_that_nobody_saw_is_not_struck_and_counted() -> None:
    made = faults(rule("pwrite64"), rule("sync"))
    assert ask(made, Asked("write", None)) is None
    assert made.untold == 1


@pytest.mark.parametrize(
    ("glob", "expected"),
    [("*.db", {1, 2}), ("sub/*", {2}), ("pages.db*", {1, 2, 4}), ("wal", {3}), ("nothing", set())],
)
def test_a_glob_is_for_a_path_or_its_last_part(glob: str, expected: set[int]) -> None:
    made = faults(rule("write", glob=glob))
    assert {ino for ino in PATHS if ask(made, WRITE._replace(ino=ino))} == expected


def test_either_name_of_a_rename_may_be_the_rule_s() -> None:
    made = faults(rule("rename", glob="*.new"))
    assert made.of_names("rename", 7, seen("renameat"), "a.new", "a")
    assert made.of_names("rename", 7, seen("renameat"), "a", "a.new")
    assert not made.of_names("rename", 7, seen("renameat"), "a", "b")


def test_calls_on_names_are_counted_by_file_too() -> None:
    made = faults(rule("mkdir", "rename", when=When(per=Per.FILE, last=1)))
    assert made.of_names("mkdir", 7, seen("mkdir"), "a")
    assert not made.of_names("mkdir", 7, seen("mkdir"), "a")
    assert made.of_names("mkdir", 7, seen("mkdir"), "b")
    assert made.of_names("rename", 7, seen("rename"), "c", "d")
    assert not made.of_names("rename", 7, seen("rename"), "c", "e")


def test_a_file_that_is_renamed_has_the_rules_of_its_new_name() -> None:
    names = {1: "a"}
    made = Faults([rule("write", glob="*.db")], MACHINE, names.__getitem__)
    assert ask(made, WRITE) is None
    names[1] = "a.db"
    made.renamed()
    assert ask(made, WRITE) is not None
    names[1] = "b"
    made.changed(1)
    assert ask(made, WRITE) is None


def test_the_parts_of_one_write_are_one_call() -> None:
    made = faults(rule("pwrite64", when=When(first=2, last=2)))
    size, part = 3 << 20, 1 << 20
    struck = []
    for call in range(3):
        for at in range(0, size, part):
            look = seen("pwrite64", count=size)
            fault = made.of_file(call * 10 + at, "write", 7, look, 1, at, part)
            struck.append(fault is not None)
            if fault is not None:
                break  # the kernel sends no more of it
    assert struck == [False, False, False, True, False, False, False]


def test_the_same_call_again_is_another_call() -> None:
    made = faults(rule("write", when=When(first=2, last=2)))
    look = seen("write", count=4096)
    assert [
        made.of_file(at, "write", 7, look, 1, at * 4096, 4096) is not None for at in range(3)
    ] == [False, True, False]


def test_a_write_that_ended_short_has_no_further_parts() -> None:
    made = faults(rule("write", when=When(first=2, last=2)))
    look = seen("write", count=8192)
    assert made.of_file(1, "write", 7, look, 1, 0, 4096) is None
    made.ended_short(7)
    assert made.of_file(2, "write", 7, look, 1, 4096, 4096) is not None


def test_bytes_before_which_a_rule_sleeps() -> None:
    made = faults(rule("write", after_bytes=10_000))
    # 4096, 8192 and then 12288 bytes: the third is the first that goes beyond.
    assert struck_of(made, 5) == [3, 4, 5]


def test_what_was_decided_is_not_decided_again() -> None:
    made = faults(rule("pwrite64", when=When(first=2, last=2)))
    given = ("write", 7, NUMBERS["pwrite64"], 0x1000, 4096, 1, 0, 4096)
    assert not made.decide(1, *given)
    assert ask(made, WRITE, unique=1) is None
    assert made.decide(2, *given)
    assert ask(made, WRITE, unique=2) is not None
    assert ask(made, WRITE, unique=3) is None


def test_chance_is_the_same_each_time_and_as_likely_as_it_says() -> None:
    one = rule("write", probability=0.3, seed=7)
    first, second = (struck_of(faults(one), 2000) for _ in range(2))
    assert first == second
    # Six standard deviations of a binomial distribution around its mean.
    assert abs(len(first) - 600) < 6 * (2000 * 0.3 * 0.7) ** 0.5
    assert struck_of(faults(rule("write", probability=0.3, seed=8)), 2000) != first


def test_every_family_has_requests_and_all_has_all_of_them() -> None:
    assert all(asked.family(name) <= asked.EVERY for name in asked.FAMILIES)
    assert asked.family("all") == asked.EVERY


@pytest.mark.parametrize("call", ["lseek", "dup", "mmap", "sync_file_range", "no such call"])
def test_what_no_filesystem_hears_comes_as_nothing(call: str) -> None:
    assert asked.of_call(call) == frozenset()


class Model:
    """Asks each rule each time, by the words of `When` and `Rule` alone."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.counts: Counter[tuple[int, int]] = Counter()
        self.bytes = Counter[int]()
        self.chance = [random.Random(rule.seed) for rule in rules]

    def strikes(self, one: Asked) -> list[int]:
        struck = []
        for number, each in enumerate(self.rules):
            if one.call not in each.calls:
                continue
            if each.glob is not None and not PATHS[one.ino].endswith(each.glob.removeprefix("*")):
                continue
            if self.bytes[number] <= each.after_bytes and each.after_bytes:
                self.bytes[number] += one.size
                if self.bytes[number] <= each.after_bytes:
                    continue
            key = {Per.RULE: 0, Per.FILE: one.ino, Per.THREAD: one.tid}[each.when.per]
            self.counts[number, key] += 1
            count = self.counts[number, key]
            last = each.when.last or count
            if count not in range(each.when.first, last + 1, each.when.step):
                continue
            if each.probability < 1 and self.chance[number].random() >= each.probability:
                continue
            struck.append(number)
        return struck


WHENS: Final = st.builds(
    When,
    first=st.integers(1, 6),
    last=st.none() | st.integers(6, 12),
    step=st.integers(1, 4),
    per=st.sampled_from(Per),
)
RULES: Final = st.lists(
    st.builds(
        Rule,
        text=st.just("x"),
        calls=st.sampled_from([("pwrite64",), ("fdatasync",), ("pwrite64", "fdatasync")]),
        glob=st.none() | st.sampled_from(["*.db", "*wal"]),
        # Delays alone, so that every rule that strikes is heard.
        delay_enter=st.just(Delay(first=1.0)),
        when=WHENS,
        after_bytes=st.sampled_from([0, 0, 5000, 9000]),
        probability=st.sampled_from([1.0, 1.0, 0.5]),
        seed=st.integers(0, 3),
    ),
    min_size=1,
    max_size=5,
)
REQUESTS: Final = st.lists(
    st.builds(
        Asked,
        request=st.just("write"),
        call=st.just("pwrite64"),
        tid=st.integers(1, 3),
        ino=st.sampled_from(sorted(PATHS)),
    )
    | st.builds(
        Asked,
        request=st.just("fsync"),
        call=st.just("fdatasync"),
        tid=st.integers(1, 3),
        ino=st.sampled_from(sorted(PATHS)),
        size=st.just(0),
    ),
    max_size=60,
)


@given(RULES, REQUESTS, st.sets(st.integers(0, 60)))
def test_it_strikes_as_the_model_does(
    rules: list[Rule], requests: list[Asked], renames: set[int]
) -> None:
    made, model = faults(*rules), Model(rules)
    for at, one in enumerate(requests):
        if at in renames:
            made.renamed()
        fault = ask(made, one, unique=at + 1)
        expected = model.strikes(one)
        assert (0 if fault is None else len(fault.injected)) == len(expected)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.booleans()), max_size=40))
def test_sparing_counts_what_it_spares(calls: list[tuple[int, bool]]) -> None:
    # Two rules that meet different files, and one that meets both.
    when = When(first=9, last=9)
    made = faults(
        rule("write", glob="pages.db", when=when, error=None, delay_exit=Delay(first=1.0)),
        rule("write", glob="sub/*", when=when, error=None, delay_exit=Delay(first=1.0)),
        rule("write", when=When(first=12), error=None, delay_exit=Delay(first=1.0)),
    )
    counted = Counter[int]()
    for at, (ino, is_write) in enumerate(calls):
        one = WRITE._replace(ino=ino) if is_write else Asked("fsync", "fsync", ino=ino)
        fault = ask(made, one, unique=at + 1)
        if is_write:
            counted[ino] += 1
            counted[0] += 1
        # The glob pages.db is like both paths' last part.
        expected = is_write * (
            (counted[0] == 9) + (ino == 2 and counted[2] == 9) + (counted[0] >= 12)
        )
        assert (0 if fault is None else len(fault.injected)) == expected
