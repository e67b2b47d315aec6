"""SQLite databases: each is opened as a program would after a restart, so that it recovers itself.

Looked at: files that begin with SQLite's magic, ``*.db``, ``*.sqlite`` and ``*.sqlite3`` files,
those that have a journal beside them, and those that an acknowledgement names. An empty file is an
empty database (sqlite.org/fileformat2.html). All must pass ``PRAGMA integrity_check``.

An acknowledgement is ``TABLE COLUMN=VALUE ...``, or ``FILE:TABLE COLUMN=VALUE ...`` where there are
several databases: a row of the table has all these values, compared as text. A value with blanks is
quoted as for sh. ``COLUMN>=VALUE`` is for numbers that grow. A later acknowledgement with the same
table and the same first column and value takes the place of an earlier one.
"""

import shlex
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.crash.checkers import tree
from tracefs.crash.checkers.facts import Fact, fact, not_understood
from tracefs.crash.checkers.ready import Ready

_MAGIC: Final = b"SQLite format 3\0"
_SUFFIXES: Final = frozenset({".db", ".sqlite", ".sqlite3"})
_BESIDE: Final = ("-journal", "-wal")
_SHM: Final = "-shm"
_FORM: Final = "[FILE:]TABLE COLUMN=VALUE [COLUMN=VALUE ...]"


class _Row(Struct, frozen=True):
    file: str | None
    """Relative path of its database; None: there is but one."""
    table: str
    facts: tuple[Fact, ...]


def ask(directory: Path, acks: Sequence[str]) -> str | None:
    """Return what is wrong with the databases below *directory*, None: nothing.

    Raises:
        CheckerError: an acknowledgement isn't understood.
    """
    rows = _latest(map(_row, acks))
    named = {row.file for row in rows if row.file is not None}
    for name in sorted(named):
        if not tree.inside(directory, name).is_file():
            return f"{name}: no such database; rows of it were acknowledged"
    databases = _databases(directory, named)
    unnamed = [row for row in rows if row.file is None]
    if unnamed and not databases:
        return f"no database; acknowledged: {_shown(unnamed[0])}"
    lost: list[_Row] = []
    for name, path in databases.items():
        own = [row for row in rows if row.file == name]
        wrong, missing = _look(path, [*own, *unnamed])
        if wrong is not None:
            return f"{name}: {wrong}"
        lost += [row for row in missing if row.file is not None]
        unnamed = [row for row in missing if row.file is None]
    lost += unnamed
    return f"acknowledged row lost: {_shown(lost[0])}" if lost else None


def _databases(directory: Path, named: Iterable[str]) -> dict[str, Path]:
    found = {name: tree.inside(directory, name) for name in named}
    beside = (*_BESIDE, _SHM)
    for path in tree.files(directory):
        name = str(path.relative_to(directory))
        if name.endswith(beside) and tree.inside(directory, name.rpartition("-")[0]).exists():
            continue
        has_journal = any(path.with_name(path.name + end).exists() for end in beside)
        if path.suffix in _SUFFIXES or has_journal or tree.begin(path, 16) == _MAGIC:
            found[name] = path
    return dict(sorted(found.items()))


def _look(path: Path, rows: Sequence[_Row]) -> tuple[str | None, list[_Row]]:
    """Return what is wrong with a database, and those of *rows* that it doesn't have."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            said = [str(line) for (line,) in database.execute("PRAGMA integrity_check(1)")]
            if said != ["ok"]:
                return f"integrity_check: {' '.join(said[:1])}".replace("\n", " "), []
            return None, [row for row in rows if not _has(database, row)]
    except sqlite3.Error as error:
        return f"it can't be read: {error}", []


def _has(database: sqlite3.Connection, row: _Row) -> bool:
    columns = [
        f"CAST({_quoted(one.key)} AS NUMERIC) >= CAST(? AS NUMERIC)"
        if one.least
        else f"CAST({_quoted(one.key)} AS TEXT) = ?"
        for one in row.facts
    ]
    known = {
        str(name) for _, name, *_ in database.execute(f"PRAGMA table_info({_quoted(row.table)})")
    }
    if not known or not all(one.key in known or one.key == "rowid" for one in row.facts):
        return False  # the table isn't there, or not with that column
    # Names are quoted; a statement can't have them as parameters.
    question = f"SELECT 1 FROM {_quoted(row.table)} WHERE {' AND '.join(columns)} LIMIT 1"  # noqa: S608
    found = database.execute(question, [one.value for one in row.facts]).fetchone()
    return found is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _row(ack: str) -> _Row:
    try:
        first, *others = shlex.split(ack)
    except ValueError:
        raise not_understood(ack, _FORM) from None
    file, colon, table = first.rpartition(":")
    if not others or not table or "=" in first:
        raise not_understood(ack, _FORM)
    return _Row(file if colon else None, table, tuple(fact(text, ack) for text in others))


def _latest(rows: Iterable[_Row]) -> list[_Row]:
    return list({(row.file, row.table, row.facts[0]): row for row in rows}.values())


def _shown(row: _Row) -> str:
    where = f"{row.file}:{row.table}" if row.file is not None else row.table
    return " ".join((where, *map(str, row.facts)))


READY: Final = Ready(
    name="sqlite",
    help="SQLite databases: they open, pass integrity_check, and have the acknowledged rows",
    acks=_FORM,
    ask=ask,
    transient=(
        (f"*{_SHM}", "SQLite makes the index of a WAL anew when the first connection opens it"),
    ),
)
