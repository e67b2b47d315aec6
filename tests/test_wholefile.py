"""Files that are written whole or not at all."""

import os
from pathlib import Path

import pytest

from tracefs.wholefile import whole_file, write_whole


def test_a_full_disk_is_told_with_the_name_of_the_file() -> None:
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_whole(b"/dev/full", b"text")
    assert caught.value.filename == b"/dev/full"


def test_an_error_of_whoever_writes_stays_its_own(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "out")
    with pytest.raises(OSError, match="mine") as caught, whole_file(path):
        raise OSError(5, "mine")
    assert caught.value.filename is None
    assert list(tmp_path.iterdir()) == []
