"""The ready checker ``lmdb`` on real environments, whole and damaged."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tracefs.crash.checkers import find
from tracefs.crash.checkers.lmdb import ask
from tracefs.crash.checkers.ready import CheckerError

lmdb = pytest.importorskip("lmdb", reason="not installed: lmdb (make setup-soak)")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """One with a named database, and values on pages of their own."""
    path = tmp_path / "db"
    with lmdb.open(str(path), max_dbs=2) as opened:
        rows = opened.open_db(b"rows")
        for number in range(50):
            with opened.begin(write=True) as transaction:
                transaction.put(b"k%03d" % number, b"%d" % number)
                transaction.put(b"r%03d" % number, b"x" * 3000, db=rows)
    return path


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_it_is_found_by_its_name_and_says_what_does_not_count() -> None:
    ready = find("lmdb")
    assert ready is not None
    assert ready.ask is ask
    assert ready.lacks() is None
    assert "lock.mdb" in dict(ready.transient)


@pytest.mark.parametrize(
    "acks", [[], ["k007"], ["k007=7"], ["k007>=6"], ["rows:r049"], ["k007=1", "k007=7"]]
)
def test_a_whole_environment_with_the_keys_is_good(environment: Path, acks: Sequence[str]) -> None:
    assert ask(environment.parent, acks) is None


def test_an_environment_in_one_file_is_found(tmp_path: Path) -> None:
    with (
        lmdb.open(str(tmp_path / "one.mdb"), subdir=False) as opened,
        opened.begin(write=True) as transaction,
    ):
        transaction.put(b"k", b"v")
    assert ask(tmp_path, ["k=v"]) is None


def test_an_absent_environment_is_good_until_something_is_acknowledged(tmp_path: Path) -> None:
    assert ask(tmp_path, []) is None
    assert ask(tmp_path, ["k=1"]) == "no data.mdb; acknowledged: k=1"


@pytest.mark.parametrize("ack", ["k999", "k007=8", "rows:k007", "none:k007"])
def test_a_key_that_is_not_there_is_named(environment: Path, ack: str) -> None:
    assert ask(environment.parent, ["k001", ack]) == (
        f"db/data.mdb: acknowledged entry lost: {ack}"
    )


def test_a_truncated_file_is_bad(environment: Path) -> None:
    os.truncate(environment / "data.mdb", 4096 * 3)
    said = ask(environment.parent, [])
    assert said is not None
    assert said.startswith("db/data.mdb: ")


def test_pages_of_zeros_are_bad_and_end_no_checker(environment: Path) -> None:
    data = environment / "data.mdb"
    overwrite(data, 4096 * 2, bytes(data.stat().st_size - 4096 * 2))
    said = ask(environment.parent, [])
    assert said is not None
    assert said.startswith("db/data.mdb: ")


def test_no_page_of_meta_data_is_bad(environment: Path) -> None:
    overwrite(environment / "data.mdb", 0, bytes(8192))
    assert (ask(environment.parent, []) or "").startswith("db/data.mdb: it can't be used: ")


def newest(data: bytes) -> int:
    """Return the offset of the newer page of meta data, by mm_txnid in struct MDB_meta of mdb.c."""
    return max((0, 4096), key=lambda at: int.from_bytes(data[at + 144 : at + 152], "little"))


def test_one_page_of_meta_data_back_is_the_state_before(environment: Path) -> None:
    # The transactions alternate between both; with the older one the last commit isn't there.
    data = (environment / "data.mdb").read_bytes()
    newer = newest(data)
    older = 4096 - newer
    overwrite(environment / "data.mdb", newer, data[older : older + 4096])
    assert ask(environment.parent, ["k048"]) is None
    assert ask(environment.parent, ["k049"]) == "db/data.mdb: acknowledged entry lost: k049"


def test_a_list_of_free_pages_that_is_gone_is_bad(environment: Path) -> None:
    # No key is read through it.
    data = (environment / "data.mdb").read_bytes()
    at = newest(data) + 80  # md_root of the first of mm_dbs
    root = int.from_bytes(data[at : at + 8], "little")
    assert 1 < root < len(data) // 4096
    overwrite(environment / "data.mdb", root * 4096, bytes(4096))
    assert ask(environment.parent, []) is not None


def test_without_the_module_it_says_so(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(CheckerError, match="the module lmdb is not installed: pip install lmdb"):
        ask(environment.parent, [])


@pytest.mark.parametrize("ack", ["", "=1", "k>=x"])
def test_a_word_that_is_not_understood_is_no_answer(environment: Path, ack: str) -> None:
    with pytest.raises(CheckerError, match="acknowledgement not understood"):
        ask(environment.parent, [ack])
