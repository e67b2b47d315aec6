"""LMDB environments: each is opened, read whole, and written to in a transaction that is given up.

Looked at: every ``data.mdb`` file, and other ``*.mdb`` files that are no ``lock.mdb``. An empty
file is a new environment (mdb_env_read_header in mdb.c). Needs the module ``lmdb``.

An acknowledgement is ``KEY``, ``KEY=VALUE`` or ``KEY>=VALUE``, or one of these after ``DATABASE:``
for a named database. A later one of the same key takes the place of an earlier one.
"""

import importlib.util
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from tracefs.crash.checkers import tree
from tracefs.crash.checkers.apart import apart
from tracefs.crash.checkers.facts import Fact, fact, not_understood
from tracefs.crash.checkers.ready import CheckerError, Ready

if TYPE_CHECKING:
    import lmdb as library

_DATA: Final = "data.mdb"
_LOCK: Final = "lock.mdb"
_LEAST_MAP: Final = 10 << 20
_MOST_DATABASES: Final = 128
_FORM: Final = "[DATABASE:]KEY[=VALUE]"
_ACK: Final = re.compile(r"(?:([^:=]+):)?([^=>]+)(>?=.*)?", re.DOTALL)


class _Entry(Struct, frozen=True):
    database: str | None
    key: str
    fact: Fact | None
    """None: any value."""
    ack: str


def ask(directory: Path, acks: Sequence[str]) -> str | None:
    """Return what is wrong with the environments below *directory*, None: nothing.

    Raises:
        CheckerError: the module isn't installed, or an acknowledgement isn't understood.
        RuntimeError: the environment could not be asked.
    """
    if (needed := lacks()) is not None:
        raise CheckerError(needed)
    entries = list({(one.database, one.key): one for one in map(_entry, acks)}.values())
    environments = [
        path for path in tree.files(directory) if path.suffix == ".mdb" and path.name != _LOCK
    ]
    if not environments:
        return f"no {_DATA}; acknowledged: {entries[0].ack}" if entries else None
    for number, path in enumerate(environments):
        # What was acknowledged is in the first one: it can't be told which one is meant.
        wrong = apart(lambda path=path, own=entries if not number else []: _look(path, own))  # type: ignore[misc]
        if wrong is not None:
            return f"{path.relative_to(directory)}: {wrong}"
    return None


def lacks() -> str | None:
    """Return what has to be installed, None where nothing has."""
    if importlib.util.find_spec("lmdb") is not None:
        return None
    return "the module lmdb is not installed: pip install lmdb"


def _look(path: Path, entries: Sequence[_Entry]) -> str | None:
    import lmdb as library  # noqa: PLC0415  # not there without its extra

    subdir = path.name == _DATA
    try:
        environment = library.open(
            str(path.parent if subdir else path),
            subdir=subdir,
            map_size=max(2 * path.stat().st_size, _LEAST_MAP),
            max_dbs=_MOST_DATABASES,
            sync=False,  # nobody reads it after this process
        )
        with tempfile.TemporaryDirectory() as copy:
            # It reads every page in use, and counts those that are free.
            target = copy if subdir else os.path.join(copy, "copy")
            environment.copy(target, compact=True)
        with environment.begin() as transaction:
            names = [None, *_names(environment, transaction)]
            for name in names:
                _read(transaction, environment.open_db(name, transaction, create=False))
            lost = [one for one in entries if not _has(environment, transaction, one)]
        with environment.begin(write=True) as transaction:
            transaction.put(b"\0tracefs", b"")
            transaction.abort()
    except library.Error as error:
        return f"it can't be used: {error}"
    return f"acknowledged entry lost: {lost[0].ack}" if lost else None


def _names(environment: "library.Environment", transaction: "library.Transaction") -> list[bytes]:
    """Return the names of the databases: keys of the unnamed one that can be opened as such."""
    import lmdb as library  # noqa: PLC0415

    found = []
    for key in transaction.cursor().iternext(values=False):
        try:
            environment.open_db(bytes(key), transaction, create=False)
        except (library.IncompatibleError, library.NotFoundError, library.BadValsizeError):
            continue
        found.append(bytes(key))
    return found


def _read(transaction: "library.Transaction", database: "library._Database") -> None:
    for _ in transaction.cursor(database):
        pass


def _has(
    environment: "library.Environment", transaction: "library.Transaction", entry: _Entry
) -> bool:
    import lmdb as library  # noqa: PLC0415

    name = None if entry.database is None else entry.database.encode()
    try:
        database = environment.open_db(name, transaction, create=False)
    except library.NotFoundError:
        return False
    found = transaction.get(entry.key.encode("utf-8", "surrogateescape"), db=database)
    if found is None:
        return False
    return entry.fact is None or entry.fact.holds(bytes(found).decode("utf-8", "surrogateescape"))


def _entry(ack: str) -> _Entry:
    matched = _ACK.fullmatch(ack)
    if matched is None:
        raise not_understood(ack, _FORM)
    database, key, rest = matched.groups()
    return _Entry(database, key, None if rest is None else fact(key + rest, ack), ack)


READY: Final = Ready(
    name="lmdb",
    help="LMDB environments: they open, every page can be read, acknowledged keys are there",
    acks=_FORM,
    ask=ask,
    transient=(
        ("lock.mdb", "LMDB makes its table of readers anew when the first process opens it"),
        ("*.mdb-lock", "the same, of an environment that is one file"),
    ),
    lacks=lacks,
)
