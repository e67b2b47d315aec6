"""Rules that are hardly meant."""

import pytest

from tracefs.errors import RuleError
from tracefs.faults.lint import lint, refuse_twins
from tracefs.faults.spelling import parse


def doubts(*texts: str, witnessed: bool = True, machine: str = "x86_64") -> list[str]:
    """Return what is said of the rules, without their names."""
    rules = [parse(text) for text in texts]
    said = [str(warned) for warned in lint(rules, witnessed=witnessed, machine=machine)]
    assert all("\n" not in line for line in said)
    return [line.partition("': ")[2] for line in said]


@pytest.mark.parametrize(
    "text",
    [
        "fsync=EIO:when=3",
        "all=EIO:probability=0.5:seed=7",
        "read:rot=1:seed=3",
        "write:delay_enter=uniform(1,2):seed=3",
        "write(sub/*.db)=EIO",
        "syncdir(.)=EIO",
        "chmod=EPERM",
        "io_uring_enter=EIO",
    ],
)
def test_nothing_is_said_of_a_good_rule(text: str) -> None:
    assert doubts(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "lseek=EIO",
            ("no filesystem hears of lseek, so that it is never struck; name read or write, which "
            "go where it has led"),
        ),
        (
            "lseek64=EIO",
            ("no filesystem hears of lseek, so that it is never struck; name read or write, which "
            "go where it has led"),
        ),
        ("dup2,write=EIO", "no filesystem hears of dup2, so that it is never struck"),
        (
            "=sync=EIO",
            ("no filesystem hears of sync, so that it is never struck; name fsync, fdatasync or "
            "syncdir"),
        ),
        (
            "sync_file_range=EIO",
            ("no filesystem hears of sync_file_range, so that it is never struck; name fsync or "
            "fdatasync; it promises nothing"),
        ),
        ("pread:delay_enter=5", ("nobody looks who asks for a read: pread64 stands for each; "
         "say read")),
        ("=close=EIO", "nobody looks who asks for a close: =close stands for each; say close"),
        (
            "write(/srv/*.db)=EIO",
            ("no path is like '/srv/*.db': paths are relative to the traced directory; "
            "say 'srv/*.db'"),
        ),
        (
            "write(../x)=EIO",
            ("no path is like '../x': paths are relative to the traced directory, and no rule "
            "reaches outside it"),
        ),
        (
            "write(./x//y)=EIO",
            ("no path is like './x//y': paths are relative to the traced directory, and plain; "
            "say 'x/y'"),
        ),
        ("write(a\0)=EIO", r"no path is like 'a\x00': none has a NUL"),
        ("write=EIO:probability=0", "with probability=0 it never strikes"),
        ("write=EIO:seed=3", "nothing in it is left to chance, so that seed changes nothing"),
    ],
)  # fmt: skip
def test_a_doubtful_rule(text: str, said: str) -> None:
    assert doubts(text) == [said]


def test_what_an_exit_closes_tells_nobody() -> None:
    assert doubts("exit_group=EIO") == [
        "nobody looks who asks for a close: exit_group stands for each; say close",
        "exit_group tells nobody what came of it",
    ]


@pytest.mark.parametrize(
    ("text", "family"), [("pwrite=EIO", "write"), ("fsync=EIO", "sync"), ("=open=EIO", "open"),
                         ("ftruncate=EIO", "truncate"), ("unlinkat=EIO", "unlink"),
                         ("fallocate=EIO", "allocate")]
)  # fmt: skip
def test_a_call_that_nobody_sees_is_never_struck(text: str, family: str) -> None:
    [said] = doubts(text, witnessed=False)
    assert said.startswith("with --witness none nobody sees which call it is, and ")
    assert said.endswith(f"; name the family {family}, or take --witness proc")
    assert doubts(text.replace("=EIO", "=EIO:when=1"), witnessed=True) == []


def test_a_family_needs_no_witness() -> None:
    assert doubts("sync=EIO", witnessed=False) == []


def test_a_call_that_the_machine_lacks() -> None:
    assert doubts("creat=EIO", machine="aarch64") == [
        "there is no call creat on aarch64; name the family open"
    ]
    assert doubts("chmod=EIO", machine="aarch64") == []
    assert doubts("creat=EIO", machine="riscv64") == []


NEVER = "it never strikes: rule '{}' ends all its calls first; put the one that strikes less first"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("all:error=EIO", "fsync:error=EIO:mode=xfs"),
        ("sync:error=EIO", "fdatasync:error=ENOSPC"),
        ("sync:error=EIO", "syncdir:retval=0"),
        ("chmod:error=EIO", "fchmodat:error=EPERM"),
        ("write:error=EIO", "write(*.db):error=ENOSPC:when=3"),
        ("write(*):error=EIO", "pwrite64(*.db):short=1"),
        ("fsync:error=EIO:when=3", "fsync:error=ENOSPC:when=3"),
        ("read:error=EIO", "read:rot=1"),
    ],
)
def test_a_rule_behind_one_that_ends_all_its_calls(first: str, second: str) -> None:
    assert doubts(first, second) == [NEVER.format(first)]
    assert doubts(second, first) == [] or parse(first).when == parse(second).when


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("fsync=EIO:when=3", "fsync=ENOSPC"),
        ("fsync=EIO:when=3", "fsync=ENOSPC:when=4"),
        ("fsync=EIO:when=3:per=file", "fsync=ENOSPC:when=3"),
        ("sync=EIO:when=3", "fsync=ENOSPC:when=3"),
        ("write(*.db)=EIO", "write=ENOSPC"),
        ("write(*.db)=EIO", "write(*.wal)=ENOSPC"),
        ("fsync=EIO", "sync=ENOSPC"),
        ("pwrite=EIO", "write=ENOSPC"),
        ("write=EIO:probability=0.5", "write=ENOSPC"),
        ("write=EIO:after_bytes=1M", "write=ENOSPC"),
        ("write:delay_enter=5", "write=ENOSPC"),
        ("write=EIO", "write:delay_enter=5"),
        ("write:short=1", "write=EIO"),
        ("write:full=1", "write=EIO"),
        ("write=EXDEV", "write=EIO"),
    ],
)
def test_rules_that_leave_each_other_calls(first: str, second: str) -> None:
    assert doubts(first, second) == []


def test_a_rule_that_is_there_twice_is_refused() -> None:
    rules = [parse("fsync=EIO"), parse("write=EIO"), parse("fsync:error=5")]
    with pytest.raises(RuleError, match="expected it once, saw it again"):
        refuse_twins(rules)
    refuse_twins(rules[:2])
