"""The ready checker ``page-file`` on files that a page writer has written, and on damaged ones."""

from pathlib import Path

import pytest
from pagealloc import write_page

from tracefs.crash.checkers import find
from tracefs.crash.checkers.page_file import ask
from tracefs.crash.checkers.ready import CheckerError


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A file with the pages 0 and 2; page 1 is a hole."""
    path = tmp_path / "p.db"
    write_page(str(path), 0, b"zero")
    write_page(str(path), 2, b"two words")
    return path


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_it_is_found_by_its_name() -> None:
    ready = find("page-file")
    assert ready is not None
    assert ready.ask is ask


def test_acknowledged_pages_that_are_there_are_good(pages: Path) -> None:
    assert ask(pages.parent, []) is None
    assert ask(pages.parent, ["p.db 0", "p.db 2 two words"]) is None


def test_nothing_there_is_good_until_something_is_acknowledged(tmp_path: Path) -> None:
    assert ask(tmp_path, []) is None
    assert ask(tmp_path, ["p.db 3"]) == "p.db: absent; page 3 of it was acknowledged"


@pytest.mark.parametrize(
    ("ack", "said"),
    [
        ("p.db 1", "p.db: page 1 was acknowledged; it is all zero: lost"),
        ("p.db 3", "p.db: page 3 was acknowledged, and the file has 12288 bytes"),
        ("p.db 0 one", "p.db: page 0 was acknowledged; its payload is b'zero', not 'one'"),
    ],
)
def test_an_acknowledged_page_that_is_not_there_is_named(pages: Path, ack: str, said: str) -> None:
    assert ask(pages.parent, [ack]) == said


def test_the_last_text_of_a_page_counts(pages: Path) -> None:
    assert ask(pages.parent, ["p.db 0 before", "p.db 0 zero"]) is None
    assert ask(pages.parent, ["p.db 0 zero", "p.db 0 after"]) is not None


def test_a_page_that_was_not_acknowledged_may_lack_sectors(pages: Path) -> None:
    overwrite(pages, 8192, bytes(512))
    assert ask(pages.parent, ["p.db 0"]) is None
    assert ask(pages.parent, ["p.db 2"]) is not None


def test_a_short_last_page_is_wrong_once_it_is_acknowledged(pages: Path) -> None:
    pages.write_bytes(pages.read_bytes()[: 8192 + 100])
    assert ask(pages.parent, ["p.db 0"]) is None
    assert ask(pages.parent, ["p.db 2"]) == (
        "p.db: page 2 was acknowledged; it has 100 of 4096 bytes"
    )


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (8192, "p.db: page 2: its magic is wrong: 0x4453453150414700"),
        (8200, "p.db: page 2: its bytes 8 to 15 are not zero"),
    ],
)
def test_a_flipped_byte_of_a_header_is_wrong_without_any_word(
    pages: Path, offset: int, said: str
) -> None:
    overwrite(pages, offset, b"\0" if offset == 8192 else b"\1")
    assert ask(pages.parent, []) == said


def test_files_that_are_no_pages_are_passed_over(pages: Path) -> None:
    (pages.parent / "notes").write_text("x" * 5000)
    assert ask(pages.parent, ["p.db 0"]) is None


def test_a_word_that_is_not_understood_is_no_answer(pages: Path) -> None:
    with pytest.raises(CheckerError, match="wanted: PATH PAGE_NO"):
        ask(pages.parent, ["p.db"])
