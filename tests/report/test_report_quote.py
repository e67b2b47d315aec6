"""No name can steer a terminal, and every name can be read back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tracefs.pathtext import to_bytes, to_text
from tracefs.report.jsonline import line
from tracefs.report.quote import bracketed, printable, quoted

NAMES = st.binary().filter(lambda name: b"\0" not in name)


@given(NAMES)
def test_a_printed_name_is_printable_and_gives_the_bytes_back(name: bytes) -> None:
    shown = printable(to_text(name))
    assert shown.isprintable()
    assert to_bytes(shown) == name


@given(NAMES)
def test_a_quoted_name_ends_only_at_its_quote(name: bytes) -> None:
    shown = quoted(to_text(name))
    assert shown.count('"') == 2
    assert to_bytes(shown[1:-1]) == name


def test_plain_and_accented_names_look_like_themselves() -> None:
    assert printable("db/café 1.txt") == "db/café 1.txt"


def test_escapes_newlines_and_direction_marks_are_spelled_out() -> None:
    assert printable("a\x1b[31m\n\u202e\x9b") == r"a\x1b[31m\x0a\xe2\x80\xae\xc2\x9b"


def test_a_name_beside_a_descriptor_cannot_close_its_bracket() -> None:
    assert bracketed("a>, 1) = 1 <b") == r"<a\x3e, 1) = 1 \x3cb>"


@given(st.text())
def test_a_json_line_is_printable_and_means_the_same(text: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        return
    shown = line({"path": text})
    assert shown.isprintable()
    assert json.loads(shown) == {"path": text}


def test_a_json_line_spells_characters_beyond_16_bits_as_two_units() -> None:
    assert line("\U000e0001") == r'"\udb40\udc01"'
