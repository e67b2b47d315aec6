"""Rules as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_strategies import rules

from tracefs.errors import RuleError, UsageError
from tracefs.faults.model import ALWAYS, Delay, Mode, Per, Rule, Shape, When
from tracefs.faults.spelling import parse, spell


@given(rules())
def test_a_rule_is_read_as_it_was_spelled(rule: Rule) -> None:
    assert parse(spell(rule)) == rule
    assert parse(rule.text).text == rule.text


PIECES = [
    "fsync",
    "write",
    "=",
    ":",
    ",",
    "(",
    ")",
    "*.db",
    "error",
    "EIO",
    "when",
    "3",
    "..",
    "+",
    "0",
    "-1",
    "per",
    "file",
    "short",
    "4K",
    "delay_enter",
    "uniform(",
    "1,2",
    "stuck",
    "probability",
    "1e9",
    "٣",
    "[",
    "]",
    "mode",
    "xfs",
    "retval",
]


@given(st.text() | st.lists(st.sampled_from([*PIECES, "\n"])).map("".join))
def test_any_text_is_a_rule_or_refused_in_one_line(text: str) -> None:
    rule: Rule | None = None
    said = ""
    try:
        rule = parse(text)
    except UsageError as error:
        said = str(error)
    if rule is None:
        assert said.startswith("rule '")
        assert "\n" not in said
    else:
        assert parse(rule.text) == rule


def test_all_parts_of_a_rule() -> None:
    rule = parse(
        "write,pwrite(*.db):error=ENOSPC:delay_enter=uniform(1,20):delay_exit=2us:delay_per_mib=3:"
        "when=3..9+2:per=thread:probability=0.5:seed=7:after_bytes=64K:stuck"
    )
    assert rule == Rule(
        text="pwrite64,write(*.db):error=ENOSPC:stuck:delay_enter=uniform(1,20):delay_exit=0.002:"
        "delay_per_mib=3:when=3..9+2:per=thread:after_bytes=64K:probability=0.5:seed=7",
        calls=("pwrite64", "write"),
        glob="*.db",
        error=28,
        stuck=True,
        delay_enter=Delay(shape=Shape.UNIFORM, first=1.0, second=20.0, per_mib=3.0),
        delay_exit=Delay(first=0.002),
        when=When(first=3, last=9, step=2, per=Per.THREAD),
        after_bytes=65536,
        probability=0.5,
        seed=7,
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("fsync=EIO", "fsync:error=EIO"),
        ("fsync=5", "fsync:error=EIO"),
        ("fsync(*.db)=EIO:mode=xfs", "fsync(*.db):error=EIO:mode=xfs"),
        ("write,fsync,write=EIO", "fsync,write:error=EIO"),
        ("all,write=EIO", "all:error=EIO"),
        ("@write=EIO", "write:error=EIO"),
        ("=write,=pwrite64=EIO", "=write,pwrite64:error=EIO"),
        ("write=EWOULDBLOCK", "write:error=EAGAIN"),
        ("write:error=41", "write:error=41"),
        ("write:short=1024", "write:short=1K"),
        ("write:full=1024k", "write:full=1M"),
        ("write:full=0", "write:full=0"),
        ("write:retval=4K", "write:retval=4096"),
        ("write=EIO:when=3..3+7", "write:error=EIO:when=3"),
        ("write=EIO:when=3..8+", "write:error=EIO:when=3..8"),
        ("write=EIO:when=3..8+2", "write:error=EIO:when=3..7+2"),
        ("write=EIO:when=3+1", "write:error=EIO:when=3+"),
        ("write=EIO:when=1+:per=file", "write:error=EIO"),
        ("write=EIO:per=rule:when=2", "write:error=EIO:when=2"),
        ("write=EIO:probability=1.0:seed=0:after_bytes=0", "write:error=EIO"),
        ("write:delay_enter=1.5s", "write:delay_enter=1500"),
        ("write:delay_enter=1e3us", "write:delay_enter=1"),
        ("write:delay_enter=1ns", "write:delay_enter=0.000001"),
        ("write:delay_enter=uniform(5,5)", "write:delay_enter=5"),
        ("write:delay_enter=uniform(0,5)", "write:delay_enter=uniform(0,5)"),
        ("write:delay_enter=normal(5ms,0)", "write:delay_enter=5"),
        ("write:delay_enter=lognormal(5,0)", "write:delay_enter=5"),
        ("write:delay_exit=exponential(1s)", "write:delay_exit=exponential(1000)"),
    ],
)
def test_one_spelling_of_all_that_mean_the_same(text: str, same: str) -> None:
    assert parse(text).text == same
    assert parse(same) == parse(text)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("3", When(first=3, last=3)),
        ("3+", When(first=3)),
        ("3+2", When(first=3, step=2)),
        ("3..8", When(first=3, last=8)),
        ("3..7+2", When(first=3, last=7, step=2)),
        ("1+", ALWAYS),
    ],
)
def test_when_is_read_as_strace_reads_it(text: str, when: When) -> None:
    assert parse(f"write:error=EIO:when={text}").when == when


@pytest.mark.parametrize(
    ("text", "glob"),
    [
        ("write(*.db)=EIO", "*.db"),
        ("write(a(1).db)=EIO", "a(1).db"),
        ("write(a:b=c,d)=EIO", "a:b=c,d"),
        ("write([)]x)=EIO", "[)]x"),
        ("write([](])=EIO", "[](]"),
        ("write([!(]x)=EIO", "[!(]x"),
        ("write(x[)=EIO", "x["),
        (r"write(a\\b\x0a)=EIO", r"a\\b\x0a"),
    ],
)
def test_a_glob_ends_where_its_parentheses_pair(text: str, glob: str) -> None:
    assert parse(text).glob == glob


def test_a_mode_is_read() -> None:
    assert parse("fsync=EIO:mode=ext4-ordered").mode is Mode.EXT4_ORDERED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected CALL:KEY=VALUE, as in fsync:error=EIO, saw nothing"),
        (":error=EIO", "expected a call or a family of calls, saw ''"),
        ("fsynk=EIO", "expected a call or a family of calls, saw 'fsynk'; did you mean fsync?"),
        ("write,,read=EIO", "expected a call or a family of calls, saw ''"),
        ("fsync", "expected what is to happen, as in error=EIO, short=1 or delay_enter=5"),
        ("fsync:", "expected KEY=VALUE behind a colon, saw nothing"),
        ("fsync=EIO:", "expected KEY=VALUE behind a colon, saw nothing"),
        ("fsync:errno=EIO", "expected an option, saw 'errno'; did you mean error?"),
        ("fsync:EIO", "expected an option, saw 'EIO'; did you mean error=EIO?"),
        (
            "fsync=EIO:path=*.db",
            "expected an option, saw 'path': a glob stands behind the calls, as in write(*.db)=EIO",
        ),
        ("fsync:error", "expected error=VALUE, saw error alone"),
        ("fsync:stuck=1", "expected stuck without a value, saw '1'"),
        ("fsync=EIO:error=EIO", "expected error once, saw it again"),
        ("fsync:signal=TERM", "signal is strace's alone: nothing here sends signals"),
        (
            "fsync=EOI",
            "error: expected an error name, as in EIO, saw 'EOI'; did you mean EIO?",
        ),
        ("fsync=eio", "error: expected an error name, as in EIO, saw 'eio'; did you mean EIO?"),
        (
            "fsync=0",
            ("error: expected an error from 1 to 511, as the kernel takes from a filesystem, "
            "saw '0'"),
        ),
        (
            "fsync=ENOSYS",
            ("error: expected an error that a file can have, saw ENOSYS: the kernel takes it for a "
            "filesystem without this call, hides it and doesn't ask again"),
        ),
        (
            "fsync=EIO:mode=xsf",
            "mode: expected ext4-ordered, ext4-data, xfs or btrfs, saw 'xsf'; did you mean xfs?",
        ),
        ("fsync:mode=xfs", "expected error= beside mode=xfs: a mode is how a sync fails"),
        ("fsync=EIO:retval=0", "expected one of error and retval: a call ends once"),
        ("write:short=1:full=1", "expected one of short and full: a call ends once"),
        ("write=EIO:when=0", "when: expected the first call's number, from 1 on, saw '0'"),
        ("write=EIO:when=+0", "when: expected the first call's number, from 1 on, saw ''"),
        ("write=EIO:when=3+0", "when: expected a step, from 1 on, saw '0'"),
        ("write=EIO:when=5..3", "when: expected a last call from 5 on, saw 3; did you mean 3..5?"),
        ("write=EIO:when=5..", "when: expected the last call's number, from 1 on, saw ''"),
        (
            "write=EIO:when=1-3",
            "when: expected the first call's number, from 1 on, saw '1-3'",
        ),
        (
            "write=EIO:when=1..2..3",
            "when: expected FIRST[..LAST][+[STEP]], as in 3, 3+ or 3..8+2, saw '1..2..3'",
        ),
        ("write=EIO:per=file", "expected when= beside per=file, which says what it counts by"),
        (
            "write=EIO:when=2:per=fil",
            "per: expected rule, file or thread, saw 'fil'; did you mean file?",
        ),
        ("write=EIO:probability=1.5", "probability: expected a number from 0 to 1, saw '1.5'"),
        ("write=EIO:probability=nan", "probability: expected a number from 0 to 1, saw 'nan'"),
        (
            "write:short=0",
            "short: expected a number of bytes from 1, as in 4096, 64K or 1M, saw '0'",
        ),
        (
            "write:full=-1",
            "full: expected a number of bytes, as in 4096, 64K or 1M, saw '-1'",
        ),
        (
            "write:full=9999999999G",
            "full: expected a number of bytes, as in 4096, 64K or 1M, saw '9999999999G'",
        ),
        ("read:rot=0", "rot: expected a whole number from 1, saw '0'"),
        ("write:retval=-1", ("retval: expected a number from 0 on, saw '-1': what fails is made by "
         "error=")),
        (
            "write:delay_enter=0",
            "delay_enter: expected a time above 0, a day at most, as in 5 (ms) or 20us, saw '0'",
        ),
        (
            "write:delay_enter=25h",
            "delay_enter: expected a time above 0, a day at most, as in 5 (ms) or 20us, saw '25h'",
        ),
        (
            "write:delay_enter=uniform(5,1)",
            "delay_enter: expected uniform(LEAST,MOST), saw the most first in 'uniform(5,1)'",
        ),
        (
            "write:delay_enter=normal(5)",
            "delay_enter: expected normal(MEAN,DEVIATION), saw 'normal(5)'",
        ),
        (
            "write:delay_enter=unifomr(1,2)",
            ("delay_enter: expected one of exponential, lognormal, normal, uniform, saw 'unifomr'; "
            "did you mean uniform?"),
        ),
        ("write()=EIO", "expected a glob between the parentheses, as in (*.db)"),
        (
            "write(a(b=EIO",
            "expected a ) behind the glob; write a parenthesis without partner as [(]",
        ),
        ("write(a)(b)=EIO", "expected : or = behind the calls, saw '(b)=EIO'"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert str(caught.value) == f"rule '{text}': {said}"


def test_a_long_rule_is_refused() -> None:
    with pytest.raises(RuleError, match="expected at most 4096 characters, saw 5008"):
        parse("write(" + "a" * 5000 + ")=")
