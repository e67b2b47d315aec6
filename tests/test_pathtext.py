import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracefs.pathtext import to_bytes, to_text


@given(st.binary())
@example(b"\\xff")
@example(b"\\\\xff")
@example(b"\xff\\xff\\")
@example(b"\xed\xa0\x80")
def test_every_path_survives(path: bytes) -> None:
    text = to_text(path)
    assert to_bytes(text) == path
    text.encode()  # no lone surrogate: JSON and terminals can take it


@given(st.binary(), st.binary())
def test_two_paths_never_share_a_text(one: bytes, other: bytes) -> None:
    assert (to_text(one) == to_text(other)) == (one == other)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"pages.db", "pages.db"),
        (b".", "."),
        ("crème brûlée/日本".encode(), "crème brûlée/日本"),
        (b"ol\xe9", "ol\\xe9"),
        (b"back\\slash", "back\\\\slash"),
        (b"\\xe9", "\\\\xe9"),
    ],
)
def test_plain_names_look_like_themselves(path: bytes, text: str) -> None:
    assert to_text(path) == text
    assert to_bytes(text) == path
