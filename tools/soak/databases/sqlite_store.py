"""SQLite. The variant: journal mode, synchronous, page size, bytes mapped (``wal,full,4096,0``)."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from soak.databases.client import Setting, main

_TABLES = "CREATE TABLE IF NOT EXISTS {} (number INTEGER PRIMARY KEY, contents BLOB NOT NULL)"


class SQLite:
    """The library; nothing serves it."""

    def __init__(self, setting: Setting) -> None:
        self._mode, self._synchronous, self._page, self._mapped = setting.variant.split(",")

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        del busy
        Path("db").mkdir(exist_ok=True)
        # Going over to WAL does not wait for others (sqlite.org/pragma.html#pragma_journal_mode).
        self.store().close()
        yield

    def store(self) -> "Connection":
        db = sqlite3.connect("db/rows.sqlite", timeout=60, isolation_level=None)
        db.execute(f"PRAGMA page_size={self._page}")
        db.execute(f"PRAGMA journal_mode={self._mode}")
        db.execute(f"PRAGMA synchronous={self._synchronous}")
        db.execute(f"PRAGMA mmap_size={self._mapped}")
        db.execute("PRAGMA wal_autocheckpoint=20")  # pages; so that every round has some
        for table in ("rows", "slots"):
            db.execute(_TABLES.format(table))
        return Connection(db)

    def damage_at_rest(self) -> list[str]:
        return []


class Connection:
    """An open database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("INSERT INTO rows VALUES (?, ?)", (number, contents))
            self._db.execute("REPLACE INTO slots VALUES (?, ?)", (slot, contents))
            self._db.execute("COMMIT")
        except sqlite3.Error:
            # Some errors roll back by themselves, others don't (sqlite.org/lang_transaction.html).
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def rows(self) -> dict[int, bytes]:
        return dict(self._db.execute("SELECT number, contents FROM rows"))

    def slots(self) -> dict[int, bytes]:
        return dict(self._db.execute("SELECT number, contents FROM slots"))

    def damage(self) -> list[str]:
        said = [str(text) for (text,) in self._db.execute("PRAGMA integrity_check")]
        return [] if said == ["ok"] else said

    def close(self) -> None:
        self._db.close()


if __name__ == "__main__":
    sys.exit(main(SQLite))
