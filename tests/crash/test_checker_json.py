"""The ready checker ``json``: files that are whole, empty, cut off, or say something else."""

from pathlib import Path

import pytest

from tracefs.crash.checkers import find, names
from tracefs.crash.checkers.json_files import ask
from tracefs.crash.checkers.ready import CheckerError


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "s.json"
    path.write_text('{"n": 3, "name": "a b", "on": true, "in": {"deep": [1, 2]}}')
    return path


def test_all_are_found_by_their_names() -> None:
    assert names() == ("page-file", "sqlite", "lmdb", "git", "json")
    assert [ready.name for name in names() if (ready := find(name))] == list(names())
    assert find("other") is None


@pytest.mark.parametrize(
    "ack", ["s.json", "s.json n=3", "s.json name=a b", "s.json on=true", "s.json in.deep=[1, 2]"]
)
def test_what_was_acknowledged_and_is_there_is_good(settings: Path, ack: str) -> None:
    assert ask(settings.parent, [ack]) is None


def test_an_absent_file_is_good_until_it_is_acknowledged(tmp_path: Path) -> None:
    assert ask(tmp_path, []) is None
    assert ask(tmp_path, ["s.json"]) == "s.json: absent; it was acknowledged"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "s.json: it is empty"),
        (b'{"n": ', "s.json: it can't be parsed: Expecting value"),
        (bytes(20), "s.json: it can't be parsed: Expecting value"),
        (b'{"n": "\xff"}', "s.json: it can't be parsed: 'utf-8' codec"),
    ],
)
def test_a_file_that_is_not_whole_is_bad(settings: Path, content: bytes, said: str) -> None:
    settings.write_bytes(content)
    assert (ask(settings.parent, []) or "").startswith(said)


def test_an_older_value_is_named(settings: Path) -> None:
    acks = ["s.json n=3", "s.json n=4"]
    assert ask(settings.parent, acks) == "s.json: acknowledged: n=4; it has 3"
    assert ask(settings.parent, ["s.json x=1"]) == ("s.json: acknowledged: x=1; it has no such key")


def test_the_last_word_on_a_key_counts(settings: Path) -> None:
    assert ask(settings.parent, ["s.json n=2", "s.json n=3"]) is None


def test_a_number_that_grows_may_be_ahead(settings: Path) -> None:
    assert ask(settings.parent, ["s.json n>=2"]) is None
    assert ask(settings.parent, ["s.json n>=4"]) is not None


def test_a_file_under_another_name_may_be_half_written(settings: Path) -> None:
    (settings.parent / "s.json.tmp").write_text("{")
    (settings.parent / ".s.json").write_text("{")
    assert ask(settings.parent, ["s.json n=3"]) is None


@pytest.mark.parametrize("ack", ["", "s.json n", "s.json n>=x", "s.json =1"])
def test_a_word_that_is_not_understood_is_no_answer(settings: Path, ack: str) -> None:
    with pytest.raises(CheckerError, match="acknowledgement not understood"):
        ask(settings.parent, [ack])
