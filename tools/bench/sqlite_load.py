"""Small transactions of SQLite, each timed; speaks as `program` says.

usage: python sqlite_load.py FILE TRANSACTIONS WARM_UP

A transaction inserts one row of a hundred bytes into a table with an index and is durable when
COMMIT returns (``synchronous=FULL``). ``sqlite-wal`` and ``sqlite-rollback`` name the journal mode.
"""

import os
import sqlite3
import sys
import time
from contextlib import closing, suppress
from typing import Final

_MODES: Final = {"sqlite-wal": "wal", "sqlite-rollback": "delete"}


def main(file: str, transactions: int, warm_up: int) -> None:
    """Do each workload that the input names, in a new database."""
    for line in sys.stdin:
        name = line.strip()
        with closing(new_database(file, _MODES[name])) as database:
            for number in range(warm_up):
                insert(database, number)
            print("ready", flush=True)
            if not sys.stdin.readline():
                break
            times = [insert(database, warm_up + number) for number in range(transactions)]
            print(name, sum(times), *times, flush=True)
    remove(file)


def new_database(file: str, mode: str) -> sqlite3.Connection:
    """Return a connection, in autocommit mode, to an empty database with journal *mode*."""
    remove(file)
    database = sqlite3.connect(file, isolation_level=None)
    (now,) = database.execute(f"PRAGMA journal_mode={mode}").fetchone()
    if now != mode:
        sys.exit(f"SQLite has no journal mode {mode} here: {now}")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, key INTEGER, contents BLOB)")
    database.execute("CREATE INDEX by_key ON rows (key)")
    return database


def insert(database: sqlite3.Connection, number: int) -> int:
    """Commit one row; return the nanoseconds that it took."""
    row = (number, number * 7919 % 100_003, b"x" * 100)
    start = time.monotonic_ns()
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO rows VALUES (?, ?, ?)", row)
    database.execute("COMMIT")
    return time.monotonic_ns() - start


def remove(file: str) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(file + ending)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
