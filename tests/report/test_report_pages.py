"""Ranges of bytes as pages."""

import pytest

from tracefs.report.pages import pages_of


@pytest.mark.parametrize(
    ("offset", "length", "text"),
    [
        (0, 4096, "page 0"),
        (8192, 4096, "page 2"),
        (8192, 8192, "pages 2-3"),
        (8292, 100, "page 2 at +100"),
        (100, 4096, "pages 0-1 at +100"),
        (8192, 4097, "pages 2-3"),
        (8192, 0, "page 2"),
    ],
)
def test_pages(offset: int, length: int, text: str) -> None:
    assert str(pages_of(offset, length, 4096)) == text
