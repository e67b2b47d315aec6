"""The ready checker ``sqlite`` on real databases, whole, damaged, and cut off in a transaction."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tracefs.crash.checkers import find
from tracefs.crash.checkers.ready import CheckerError
from tracefs.crash.checkers.sqlite import ask


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """One with three hundred rows, on several pages."""
    path = tmp_path / "d" / "a.db"
    path.parent.mkdir()
    execute(path, "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)", "BEGIN")
    execute(
        path,
        "INSERT INTO rows WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<300)"
        " SELECT i, 'text ' || i || hex(zeroblob(40)) FROM n",
        "INSERT INTO rows VALUES (1000, 'two words')",
    )
    return path


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_it_is_found_by_its_name_and_says_what_does_not_count() -> None:
    ready = find("sqlite")
    assert ready is not None
    assert ready.ask is ask
    assert [glob for glob, _ in ready.transient] == ["*-shm"]


def test_a_whole_database_with_the_rows_is_good(database: Path) -> None:
    assert ask(database.parent, []) is None
    assert ask(database.parent, ["rows id=7", "rows id=1000 'text=two words'"]) is None
    assert ask(database.parent, ["a.db:rows id=300", "rows rowid=3"]) is None


def test_an_absent_database_is_good_until_something_is_acknowledged(tmp_path: Path) -> None:
    assert ask(tmp_path, []) is None
    assert ask(tmp_path, ["rows id=1"]) == "no database; acknowledged: rows id=1"
    said = ask(tmp_path, ["a.db:rows id=1"])
    assert said == "a.db: no such database; rows of it were acknowledged"


def test_a_new_database_may_be_empty(tmp_path: Path) -> None:
    (tmp_path / "new.sqlite").touch()
    assert ask(tmp_path, []) is None
    assert ask(tmp_path, ["rows id=1"]) == "acknowledged row lost: rows id=1"


@pytest.mark.parametrize("ack", ["rows id=999", "rows id=1000 text=one", "other id=1", "rows x=1"])
def test_a_row_that_is_not_there_is_named(database: Path, ack: str) -> None:
    assert ask(database.parent, ["rows id=1", ack]) == f"acknowledged row lost: {ack}"


def test_the_last_word_on_a_row_counts(database: Path) -> None:
    assert (
        ask(database.parent, ["rows id=1000 text=before", "rows id=1000 'text=two words'"]) is None
    )


def test_a_number_that_grows_may_be_ahead(database: Path) -> None:
    execute(database, "CREATE TABLE counts (id, n)", "INSERT INTO counts VALUES (1, 10)")
    assert ask(database.parent, ["counts id=1 n>=9"]) is None
    assert ask(database.parent, ["counts id=1 n>=11"]) is not None


def test_a_row_may_be_in_any_database_unless_its_file_is_told(database: Path) -> None:
    execute(database.parent / "b.db", "CREATE TABLE more (id)", "INSERT INTO more VALUES (5)")
    assert ask(database.parent, ["more id=5", "rows id=5"]) is None
    assert ask(database.parent, ["a.db:more id=5"]) == "acknowledged row lost: a.db:more id=5"


def test_a_truncated_database_is_bad(database: Path) -> None:
    os.truncate(database, 4096 * 3)
    said = ask(database.parent, [])
    assert said is not None
    assert said.startswith("a.db: ")


def test_a_page_of_zeros_is_bad(database: Path) -> None:
    overwrite(database, 4096 * 4, bytes(4096))
    said = ask(database.parent, [])
    assert said is not None
    assert said.startswith("a.db: integrity_check: ")
    assert "\n" not in said


def test_a_database_without_its_magic_is_found_by_its_name(database: Path) -> None:
    overwrite(database, 0, b"\xff")
    assert ask(database.parent, []) == "a.db: it can't be read: file is not a database"


def test_a_database_is_found_by_its_journal(database: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "data").write_bytes(b"no database" * 100)
    assert ask(odd, []) is None
    (odd / "data-wal").touch()
    assert ask(odd, []) == "data: it can't be read: file is not a database"


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_what_a_journal_has_is_used(database: Path, tmp_path: Path, mode: str) -> None:
    copy = tmp_path / "copy"
    with closing(sqlite3.connect(database, isolation_level=None)) as held:
        held.execute(f"PRAGMA journal_mode={mode}")
        held.execute("PRAGMA cache_size=1")  # so that the file is written before the commit
        held.execute("BEGIN")
        held.execute("UPDATE rows SET text = text || 'x'")
        if mode == "WAL":
            held.execute("INSERT INTO rows VALUES (2000, 'in the log')")
            held.execute("COMMIT")
        shutil.copytree(database.parent, copy)
    acks = ["rows id=1000 'text=two words'"] if mode == "DELETE" else ["rows id=2000"]
    assert ask(copy, acks) is None


def test_rows_in_a_log_that_is_gone_are_lost(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with closing(sqlite3.connect(database, isolation_level=None)) as held:
        held.execute("PRAGMA journal_mode=WAL")
        held.execute("INSERT INTO rows VALUES (2000, 'in the log')")
        shutil.copytree(database.parent, copy)
    (copy / "a.db-wal").unlink()
    assert ask(copy, ["rows id=2000"]) == "acknowledged row lost: rows id=2000"


@pytest.mark.parametrize("ack", ["rows", "rows id", "", "id=1 rows", "rows n>=many", "rows 'id=1"])
def test_a_word_that_is_not_understood_is_no_answer(database: Path, ack: str) -> None:
    with pytest.raises(CheckerError, match="acknowledgement not understood"):
        ask(database.parent, [ack])
