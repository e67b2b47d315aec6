"""Files that nobody means well with: an error with a place, at once, and nothing else."""

import re
import sys
import tomllib
from typing import Any

import pytest
from condition_support import HEAD
from hypothesis import given
from hypothesis import strategies as st

from tracefs.contracts.language.reading import load, read_contracts
from tracefs.errors import TextFileError
from tracefs.placed.toml_places import Located, parse

GOOD = """\
version = 1

[[contract]]
id = "a"
per = "open"
files = ["*.db", "b"]
every = "pwrite($db=*.db)"
must = 'length == 4096 and offset % 4096 == 0 or O_APPEND in flags'
next = "fdatasync|fsync($db)[errno == '']"
until = ["pwrite($db)", "end"]
never = ["lseek", '''write("a, b")''']

[[contract]]
id = "b"
[[contract.rule]]
id = "r"
severity = "advice"
points = 1.5
when = "rename($tmp, config.json)"
sequence = \"\"\"
  (pwrite($tmp)+ fdatasync|fsync($tmp)?){1,3}
  rename($tmp, config.json) fsyncdir(.)
\"\"\"
"""

WORDS = """
every must next until provided at_most never before need since when sequence id rule contract
version per files points = == != [ [[ ] ]] { } ( ) , . | + * ? ' " \'\'\' \\ \\u0041 # $ $a @
@write pwrite fsync end dir( not and or in length offset flags O_APPEND 1 0x 4096 {2,} {9999}
1979-05-27 true nan - // %
"""
OTHERS = ['"""', "\r\n", *"\n \t\0\x7fé\U0001f600\ud800"]
PIECES = st.sampled_from([*WORDS.split(), *OTHERS])
soups = st.lists(PIECES, max_size=40).map(" ".join) | st.lists(PIECES, max_size=40).map("".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 1, 2, 10, 100]))
        text = text[:at] + draw(PIECES | st.just("") | soups) + text[at + length :]
    return text


def read(text: str) -> None:
    error = refusal(text)
    if error is not None:
        lines = text.replace("\r\n", "\n").split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1


def refusal(text: str) -> TextFileError | None:
    try:
        read_contracts(text, "c.toml")
    except TextFileError as error:
        return error
    return None


def test_the_good_one_is_read() -> None:
    assert [spec.id for spec in read_contracts(GOOD, "c.toml")] == ["a", "b"]


@given(st.text() | soups)
def test_any_text(text: str) -> None:
    read(text)


@given(damaged())
def test_a_damaged_file(text: str) -> None:
    read(text)


@given(st.sampled_from(["every", "never", "until", "next"]), soups)
def test_any_pattern(key: str, text: str) -> None:
    value = text.replace("'''", "").replace("\0", "").rstrip("'")
    beside = {"never": "", "every": "must = 'short'\n"}.get(key, "every = 'pwrite'\n")
    beside += "next = 'fsync'\n" if key == "until" else ""
    read(f"{HEAD}{beside}{key} = '''{value}'''")


@given(soups)
def test_any_sequence(text: str) -> None:
    value = text.replace("'''", "").rstrip("'")
    read(f"{HEAD}when = 'pwrite($a)'\nsequence = '''{value}'''")


@given(soups)
def test_any_condition(text: str) -> None:
    value = text.replace("'''", "").rstrip("'")
    read(f"{HEAD}every = 'pwrite'\nmust = '''{value}'''")


@given(damaged() | soups)
def test_whatever_is_toml_has_places(text: str) -> None:
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError):
        with pytest.raises(TextFileError):
            parse(text, "c.toml")
        return
    try:
        found = parse(text, "c.toml")
    except TextFileError as error:
        # Only the limits are stricter.
        assert re.search("no more than|at most", error.what)  # noqa: PT017
        return
    lines = text.replace("\r\n", "\n").split("\n")
    assert same(found.value, values)
    check_places(found, lines)


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # nan is not nan


def check_places(found: Located, lines: list[str]) -> None:
    for name, each in found.table.items():
        if name.isascii() and name.isalnum():
            line = lines[each.key.line - 1][each.key.column - 1 :].lstrip("[ \t\"'")
            assert line.startswith((name, "\\")), (name, each.key)
        check_places(each, lines)
    for each in found.items:
        check_places(each, lines)
    if isinstance(found.value, str):
        for character, place in zip(found.value, found.places, strict=False):
            line = f"{lines[place.line - 1]}\n"
            assert line[place.column - 1] in {character, "\\"}
        assert len(found.places) == len(found.value) + 1


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a = " + "[" * 200_000,
        "a = " + "{a=" * 60_000,
        ".".join("a" * 100_000) + " = 1",
        "[" + ".".join("a" * 100_000) + "]",
        "\n".join(".".join("ab" * 8) + f".k{i} = 1" for i in range(5000)),
        "a = 0x" + "f" * 200_000,
        "a = " + "9" * 200_000,
        'a = "' + "\\u0041" * 40_000 + '"',
        'a = """' + '"' * 200_000,
        "[[contract]]\n" * 20_000,
        f"{HEAD}never = '{'pwrite|' * 2000}pwrite'",
        f"{HEAD}never = 'pwrite({'*a' * 2000})'",
        f"{HEAD}never = 'pwrit{'e' * 15000}'",
        f"{HEAD}never = {['lseek'] * 20_000}",
        f"{HEAD}every = 'pwrite'\nmust = '{'(' * 4000}'",
        f"{HEAD}every = 'pwrite'\nmust = '{'not ' * 1000}short'",
        f"{HEAD}every = 'pwrite'\nmust = 'length == {'-' * 4000}1'",
        f"{HEAD}every = 'pwrite'\nmust = 'short{' and short' * 400}'",
        f"{HEAD}when = 'pwrite'\nsequence = '{'(' * 10_000}'",
        f"{HEAD}when = 'pwrite'\nsequence = '{'(pwrite{1000}){1000}' * 20}'",
        f"{HEAD}when = 'pwrite'\nsequence = {['pwrite{1000}'] * 1000}",
        f"{HEAD}when = 'pwrite'\nsequence = '{'pwrite ' * 2000}'",
    ],
    ids=lambda text: f"{text[-12:]!r}x{len(text)}",
)
def test_large_ones(text: str) -> None:
    read(text)


def test_the_stack_is_enough_where_half_of_it_is_used() -> None:
    deepest = [
        f"{HEAD}every = 'pwrite'\nmust = '{'(' * 50}short{')' * 50}'",
        f"{HEAD}when = 'pwrite'\nsequence = '{'(' * 20}pwrite{')' * 20}'",
    ]

    def at(depth: int) -> None:
        if depth:
            at(depth - 1)
        else:
            for text in deepest:
                assert read_contracts(text, "c.toml")

    at(sys.getrecursionlimit() // 4)


def test_a_file_that_is_not_utf8(tmp_path: Any) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes("version = 1\n# é ".encode() + b"\xff\n")
    with pytest.raises(TextFileError, match=r"c\.toml:2:5: expected UTF-8"):
        load(file)
