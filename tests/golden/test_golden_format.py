"""Golden files: what is written is read again, and what can't be read is told."""

import pytest
from golden_support import GOLDENS, PAGE, fdatasync, golden, openat, pwrite, rename
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tracefs.golden import Golden
from tracefs.golden.format import GoldenError, is_golden, read, spelled, written
from tracefs.golden.normalise import normalised

HEAD = "tracefs golden 1\nwitness: seccomp\npage size: 4096\n\n"


@given(GOLDENS)
def test_what_is_written_is_read_again(one: Golden) -> None:
    text = written(one, ["a remark\nof two lines"])
    assert is_golden(text.encode())
    assert read(text.encode(), "x") == one
    assert written(read(text.encode(), "x"), ["a remark\nof two lines"]) == text


@given(GOLDENS)
def test_a_line_is_a_call(one: Golden) -> None:
    lines = written(one).partition("\n\n")[2].splitlines()
    assert [line.partition("  # ")[0] for line in lines if "  # c" not in line] == [
        spelled(entry) for entry in one.entries if "  # c" not in spelled(entry)
    ]


@given(st.binary(max_size=200))
def test_nothing_but_a_clear_error_comes_of_any_bytes(data: bytes) -> None:
    for whole in (data, HEAD.encode() + data):
        try:
            read(whole, "x.golden")
        except GoldenError as error:
            assert str(error).startswith("x.golden:")  # noqa: PT017


def test_a_file(snapshot: SnapshotAssertion) -> None:
    calls = [
        openat(),
        pwrite(2 * PAGE),
        pwrite(100, length=2 * PAGE, result=PAGE, synced_by="O_DSYNC"),
        pwrite(0, errno=28, result=None, tid=200),
        fdatasync(),
        rename("pages.db", 'a "quoted" {name}\n'),
    ]
    found = golden(normalised(calls), paths=("*.db",), only=("write", "sync"))
    assert written(found, ["a remark"]) == snapshot


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tracefs golden\n", "x:1: expected 'tracefs golden 1'; found 'tracefs golden'"),
        ("tracefs golden 1", "x:2: expected a line 'witness: …' before the first empty line; "),
        ("tracefs golden 1\nwitness: proc\n\n", "x:3: expected a line 'page size: …' before "),
        ("tracefs golden 1\npage size: 0\n", "x:2: expected one line 'page size: 4096', or "),
        ("tracefs golden 1\npath: *.db\n", "x:2: expected a glob in double quotes; found "),
        ("tracefs golden 1\ncolour: red\n", "x:2: expected 'witness: …', 'page size: …', "),
        ("tracefs golden 1\nT1 fsync\n", "x:2: expected 'witness: …', 'page size: …', "),
        (HEAD + "fsync", "x:5: expected a thread, T1, T2 … or T?, and a space; found 'fsync'"),
        (HEAD + "\n\nT1 FSYNC", "x:7: expected the name of a system call; found 'FSYNC'"),
        (HEAD + "T1 frobnicate = 0", "x:5: expected a system call that is known, or one with "),
        (HEAD + "T1 fsync =0", "x:5: expected what may stand behind 'T1 fsync'; found '=0'"),
        (HEAD + 'T1 fsync "a', "x:5: expected what may stand behind 'T1 fsync'; found '"),
        (HEAD + 'T1 fsync "a{b}"', "x:5: expected a name in which only {1} and the like has "),
        (HEAD + 'T1 fsync "a\u2028"', "x:5: expected a name in which only {1} and the like has "),
        (HEAD + "T1 fsync = -1 EBLUE", "x:5: expected the name of an error, or its number; "),
        (HEAD + "T1 fsync # remark", "x:5: expected what may stand behind 'T1 fsync'; found "),
        (HEAD + f"T1 fsync {'a' * 70000}", "x:5: expected a line of at most 65536 characters"),
    ],
)
def test_what_was_expected_is_told(text: str, said: str) -> None:
    with pytest.raises(GoldenError) as caught:
        read(text.encode(), "x")
    assert str(caught.value).startswith(said)
    assert caught.value.repair is not None


def test_bytes_that_are_no_utf8_are_told_by_line() -> None:
    with pytest.raises(GoldenError, match=r"^x:5: expected UTF-8; found the byte 0xff"):
        read(HEAD.encode() + b'T1 fsync "\xff"', "x")


def test_another_version_is_refused() -> None:
    with pytest.raises(GoldenError, match="x:1: a golden trace of version 2; this tracefs reads"):
        read(HEAD.replace("golden 1", "golden 2").encode(), "x")


def test_an_incomplete_run_is_not_written() -> None:
    with pytest.raises(ValueError, match="incomplete run"):
        written(golden((), incomplete="torn"))


def test_remarks_and_empty_lines_are_for_people() -> None:
    plain = read(f"{HEAD}T1 fsync = 0\nT1 close = 0\n".encode(), "x")
    more = f"{HEAD}# one\nT1 fsync = 0  # why not\n\n\nT1 close = 0"
    assert read(more.encode(), "x") == plain
