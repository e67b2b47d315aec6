"""Pages kept in memory, and beyond that in a file without a name."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracefs.capture.images import KeptImages
from tracefs.faults.pages import PAGE


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


def _page(letter: str, size: int = PAGE) -> bytes:
    return letter.encode() * size


def test_what_memory_has_no_room_for_is_in_a_file_without_a_name(
    folder: int, tmp_path: Path
) -> None:
    images = KeptImages(folder, limit=PAGE)
    numbers = [images.keep(_page(letter, size)) for letter, size in (("a", PAGE), ("b", 9))]
    assert [images.get(number) for number in numbers] == [_page("a"), _page("b", 9)]
    assert len(images._memory) == 1
    assert os.listdir(tmp_path) == []
    images.close()


def test_places_are_used_again(folder: int) -> None:
    images = KeptImages(folder, limit=0)
    first, second = images.keep(_page("a")), images.keep(_page("b"))
    images.drop(first)
    third = images.keep(_page("c"))
    assert (images.get(second), images.get(third)) == (_page("b"), _page("c"))
    assert images._file is not None
    assert os.fstat(images._file).st_size == 2 * PAGE
    images.close()


def test_room_in_memory_comes_back(folder: int) -> None:
    images = KeptImages(folder, limit=PAGE)
    images.drop(images.keep(_page("a")))
    images.keep(_page("b"))
    assert images._file is None


def test_where_no_file_can_be_made_memory_takes_it() -> None:
    images = KeptImages(-1, limit=0)
    assert images.get(images.keep(_page("a"))) == _page("a")
