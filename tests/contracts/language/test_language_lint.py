"""What is doubtful in a contract, and where; and what contradicts itself."""

import itertools
from fnmatch import fnmatchcase

import pytest
from condition_support import HEAD
from hypothesis import given
from hypothesis import strategies as st

from tracefs.contracts.language.globs import can_meet
from tracefs.contracts.language.lint import lint
from tracefs.contracts.language.reading import read_contracts
from tracefs.errors import TextFileError


def doubts(lines: str) -> list[str]:
    return [
        f"{each.place.line}:{each.place.column}: {each.message}"
        for spec in read_contracts(HEAD + lines, "c.toml")
        for each in lint(spec)
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('every = "pwrite($x)"\nmust = "short"', "4:10: $x stands here alone: it means any file"),
        (
            'every = "pwrite"\nmust = "1 == 1"',
            "5:1: must is the same for all calls: it asks for no field",
        ),
        (
            'never = "fsync|pwrite[1 == 1]"',
            "4:10: the condition of fsync is the same for all calls: it asks for no field",
        ),
        (
            'when = "unlink(a)"\nsequence = "pwrite(a)+ fsync(a)"',
            "4:9: no call like unlink(a) is a step of the sequence: it can never be kept",
        ),
        (
            'files = "*.log"\nnever = ["lseek(a.log)", "write(*.db)"]',
            "5:27: no path is like *.db and like one of files, so it never matches",
        ),
        (
            'every = "pwrite"\nnext = """fsync[errno == "EIO"]"""',
            '5:11: only calls that succeed count here, and fsync[errno == "EIO"] asks for one',
        ),
        (
            'before = "pwrite"\nneed = "fsync[not errno == \'\' and fd == 3]"',
            "5:9: only calls that succeed count here, and fsync[not errno == '' and fd == 3]",
        ),
        (
            'every = "fsync|close"\nmust = "offset == 0"',
            "5:1: must asks for offset, which no such call has: it is never known",
        ),
        (
            'never = "@write|lseek[created and fd == 3]"',
            "4:10: the condition of @write asks for created, which no such call has",
        ),
        (
            'never = "lseek[fd == 3 or not (path == \'*.db\')]"',
            "4:10: the condition of lseek[fd == 3 or not (path == '*.db')] compares a path",
        ),
        ('never = "@write(.)"', "4:10: . is a directory, and no call like @write(.)"),
        ('never = "lseek(sub/)"', "4:10: sub/ is a directory, and no call like"),
        ('never = "lseek(/srv/*)"', "4:10: /srv/* begins with a slash: paths are relative"),
        ('never = "lseek(./a)"', "4:10: ./a begins with ./, and no recorded path does"),
        (
            'never = "pwrite(a, b)"',
            "4:10: pwrite(a, b): a call like this has no second path, so it never matches",
        ),
        ('never = "@read(a)"', "4:10: @read(a): no recording has reads"),
        (
            '[[contract.rule]]\nid = "r"\nseverity = "advice"\nnever = "lseek"\npoints = 2',
            "4:1: r is advice and has points, which nobody can lose",
        ),
        (
            'points = 3\n[[contract.rule]]\nid = "r"\nseverity = "advice"\nnever = "lseek"',
            "2:1: c has points, which nobody can lose: all of its rules are advice",
        ),
    ],
)  # fmt: skip
def test_doubts(lines: str, said: str) -> None:
    found = doubts(lines)
    assert found
    assert all(each.startswith(said.partition(":")[0]) for each in found), found
    assert any(each.startswith(said) for each in found), found


@pytest.mark.parametrize(
    "lines",
    [
        'every = "pwrite($db)"\nnext = "fsync($db)"',
        'every = "pwrite(*.db)"\nnext = "fsync($path)"',
        'every = "open($path)"\nnext = "fsyncdir(dir($path))"',
        'every = "pwrite"\nmust = "errno == \'EIO\'"',
        'every = "fsync|pwrite"\nmust = "offset == 0"',
        'never = ["unknown[offset == 0]", "mmap[offset == 0]", "copy_file_range[target == \'a\']"]',
        "never = \"fsync[errno == 'EIO']\"",
        "every = \"pwrite\"\nnext = \"fsync[errno == '' or errno == 'EIO']\"",
        'before = "pwrite($db)"\nneed = "fsync($db-wal)"\nsince = "pwrite($db-wal)"',
        'when = "rename($a, b)"\nsequence = "@write($a)+ @sync($a) @rename($a, b) fsyncdir(.)"',
        'when = "symlink(a, /etc/b)"\nsequence = "@symlink open"',
        'files = "sub/*"\nnever = "lseek(*.db)"',
        'files = ["*.db", "*.log"]\nnever = "lseek(a.*)"',
        'never = ["fsync(.)", "copy_file_range(a, b)"]',
        '[[contract.rule]]\nid = "r"\nnever = "lseek"\npoints = 2',
    ],
)
def test_no_doubts(lines: str) -> None:
    assert doubts(lines) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            'never = ["lseek", "fsync"]\nevery = "pwrite"\nnext = "fsync(*.db)"',
            "4:20: expected no call that next in line 6 asks for, saw fsync: the contract could",
        ),
        ('never = "@write"\nevery = "@write(a)"\nmust = "short"', "4:10: expected no call that ev"),
        ('never = "pwrite(*)"\nsome = "pwrite"', "4:10: expected no call that some in line 5"),
        (
            'never = "fsync(a)[fd == 3]"\nbefore = "pwrite"\nneed = "fsync(a)[fd == 3]"',
            "4:10: expected no call that need in line 6",
        ),
        ('never = "fsync(a)"\nbefore = "pwrite"\nneed = "fsync"', None),
        ('never = "fsync[fd == 3]"\nbefore = "pwrite"\nneed = "fsync"', None),
        ('never = "fsync"\nbefore = "pwrite"\nneed = "fsync|fdatasync"', None),
    ],
)
def test_contradictions(lines: str, said: str | None) -> None:
    if said is None:
        assert doubts(lines) == []
        return
    with pytest.raises(TextFileError) as caught:
        doubts(lines)
    assert str(caught.value).startswith(f"c.toml:{said}")


PATHS = ["".join(path) for size in range(1, 6) for path in itertools.product("ab/", repeat=size)]
globs = st.text("ab/*?", min_size=1, max_size=4)


def fits(path: str, glob: str) -> bool:
    return fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)


@given(globs, globs)
def test_globs_that_meet_are_never_said_not_to(one: str, other: str) -> None:
    if any(fits(path, one) and fits(path, other) for path in PATHS):
        assert can_meet(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("*.db", "*.log"), ("a", "b"), ("a?", "a"), ("sub/*.db", "*.log"), ("a/b", "a/c")],
)
def test_globs_that_do_not_meet(one: str, other: str) -> None:
    assert not can_meet(one, other)
    assert not can_meet(other, one)


def test_a_class_of_characters_may_be_any() -> None:
    assert can_meet("[ab].db", "[c-e].db")
    assert not can_meet("[ab].db", "ab.db")
