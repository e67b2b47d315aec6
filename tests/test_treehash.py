"""Trees are alike where a person would say so."""

import os
from pathlib import Path

import pytest

from tracefs.treehash import digest, tree


def planted(place: Path) -> Path:
    (place / "sub").mkdir(parents=True)
    (place / "file").write_bytes(b"bytes")
    (place / "sub/link").symlink_to("../file")
    os.mkfifo(place / "sub/pipe")
    with open(os.fsencode(place) + b"/\xff\n", "wb"):
        pass
    return place


def told(place: Path) -> dict[str, str]:
    return tree(os.fsencode(place))


def test_what_is_there_is_told(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    os.umask(umask)
    found = told(planted(tmp_path / "a"))
    assert sorted(found) == ["\\xff\n", "file", "sub", "sub/link", "sub/pipe"]
    assert found["sub/link"] == "link to ../file"
    assert found["file"].split()[::2] == ["file", "5"]
    assert found == told(planted(tmp_path / "b"))


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "file").write_bytes(b"other"),
        lambda place: (place / "file").chmod(0o600),
        lambda place: (place / "sub/pipe").unlink(),
        lambda place: (place / "more").mkdir(),
        lambda place: ((place / "sub/link").unlink(), (place / "sub/link").symlink_to("file")),
    ],
    ids=["bytes", "mode", "gone", "more", "target"],
)
def test_each_change_is_seen(change: "object", tmp_path: Path) -> None:
    before = told(planted(tmp_path / "a"))
    assert callable(change)
    change(tmp_path / "a")
    after = told(tmp_path / "a")
    assert after != before
    assert digest(after) != digest(before)
