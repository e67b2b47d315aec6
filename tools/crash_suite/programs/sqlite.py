"""``sqlite make|work JOURNAL SYNCHRONOUS``: rows, with an index, each in a transaction.

Each transaction also changes rows that were there, so that it touches several pages.
"""

import sqlite3
import sys
from contextlib import closing

from crash_suite.programs.acking import ack

BEFORE = 12
AFTER = 3
_TABLES = """
CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT);
CREATE INDEX texts ON rows (text);
"""


def text(number: int, version: int) -> str:
    return f"{number:04d}.{version:04d}." + "x" * 900


def main() -> None:
    do, journal, synchronous = sys.argv[1:]
    with closing(sqlite3.connect("rows.db", isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode={journal}")
        database.execute(f"PRAGMA synchronous={synchronous}")
        if do == "make":
            database.executescript(_TABLES)
            database.execute("BEGIN")
            for number in range(BEFORE):
                database.execute("INSERT INTO rows VALUES (?, ?)", (number, text(number, 0)))
            database.execute("COMMIT")
            return
        for number in range(BEFORE, BEFORE + AFTER):
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO rows VALUES (?, ?)", (number, text(number, 0)))
            changed = number - BEFORE
            database.execute(
                "UPDATE rows SET text = ? WHERE id = ?", (text(changed, number), changed)
            )
            database.execute("COMMIT")
            ack(f"rows id={number}")


if __name__ == "__main__":
    main()
