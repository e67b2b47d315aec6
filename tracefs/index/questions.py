"""Questions about all recordings of a dataset, in SQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from tracefs.errors import UsageError
from tracefs.index.engine import connect, duckdb_error
from tracefs.index.partition import CALLS, PREFIX, folders

if TYPE_CHECKING:
    import duckdb

_HIVE: Final = "hive_partitioning = true, hive_types = {'recording': VARCHAR}"
"""Names of recordings are texts, also where they look like a date or a number."""
_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "recordings": {
        "source": "VARCHAR", "started": "VARCHAR", "command": "VARCHAR", "page_size": "BIGINT",
        "calls": "BIGINT", "unknown_calls": "BIGINT", "complete": "BOOLEAN", "status": "BIGINT",
    },
    "verdicts": {"contract": "VARCHAR", "verdict": "VARCHAR", "findings": "BIGINT"},
    "unsynced": {"path": "VARCHAR", "bytes": "BIGINT", "call": "BIGINT", "because": "BIGINT"},
}  # fmt: skip
"""Name -> columns of `About`, `VerdictRow` and `UnsyncedRow`."""
READY: Final[Mapping[str, str]] = {
    "unsynced-closes": (
        "SELECT recording, path, bytes, call, because FROM unsynced WHERE call IS NOT NULL "
        "ORDER BY bytes DESC, recording, call"
    ),
    "slowest-syncs": (
        'SELECT recording, call, path, (end_ns - start_ns) / 1000.0 AS us, "index" FROM calls '
        "WHERE family IN ('sync', 'syncdir') AND errno = 0 ORDER BY us DESC LIMIT 20"
    ),
    "verdicts": (
        "SELECT command, contract, count(*) FILTER (verdict = 'kept') AS kept, "
        "count(*) FILTER (verdict = 'broken') AS broken, "
        "count(*) FILTER (verdict = 'unknown') AS unknown "
        "FROM verdicts JOIN recordings USING (recording) GROUP BY ALL ORDER BY ALL"
    ),
    "calls": (
        "SELECT call, count(*) AS count, count(*) FILTER (errno != 0) AS failed, "
        'count(DISTINCT recording) AS recordings FROM calls WHERE "index" IS NOT NULL '
        "GROUP BY call ORDER BY count DESC, call"
    ),
}
"""Queries that are often asked, by name."""


class Answer(Struct, frozen=True, kw_only=True):
    """The rows that a query gives."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except duckdb_error() as error:
        raise UsageError(f"the query can't be answered: {_said(error)}") from error


def _said(error: Exception) -> str:
    """Return DuckDB's message as one line, without the query, which the user has before them."""
    said = str(error).partition("\n\nLINE ")[0]
    return " ".join(line.strip() for line in said.splitlines() if line.strip())


def query(dataset: Path, sql: str) -> Answer:
    """Ask *sql* of the tables calls, recordings, verdicts and unsynced, each with ``recording``.

    Raises:
        UsageError: the query can't be answered, or there is no dataset.
        Unusable: DuckDB is not installed.
    """
    if not folders(dataset):
        raise UsageError(f"there is no dataset in {dataset}", repair="tracefs dataset add")
    with connect() as database, _errors():
        database.execute("SET threads = 2")
        database.execute(f"CREATE VIEW calls AS {_parquet(dataset)}")
        for name, columns in _TABLES.items():
            database.execute(f"CREATE VIEW {name} AS {_json(dataset, name, columns)}")
        found: duckdb.DuckDBPyConnection | None = database.execute(sql)
        if found is None:  # nothing but comments
            raise UsageError("there is no question", repair="give SQL or --ready NAME")
        names = [str(column[0]) for column in found.description or ()]
        return Answer(columns=_told_apart(names), rows=tuple(found.fetchall()))


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return *names*, those that come again with a number."""
    told: list[str] = []
    for name in names:
        numbered = chain([name], (f"{name}_{number}" for number in count(1)))
        told.append(next(one for one in numbered if one not in told))
    return tuple(told)


def _parquet(dataset: Path) -> str:
    place = _glob(dataset, CALLS)
    return f"SELECT * FROM read_parquet({place}, {_HIVE})"  # noqa: S608  # quoted


def _json(dataset: Path, name: str, columns: Mapping[str, str]) -> str:
    place = _glob(dataset, f"{name}.jsonl")
    typed = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    return (
        f"SELECT * FROM read_json({place}, "  # noqa: S608  # quoted, and our own words
        f"format = 'newline_delimited', {_HIVE}, "
        f"columns = {{{typed}, 'recording': 'VARCHAR'}})"
    )


def _glob(dataset: Path, name: str) -> str:
    """Return a pattern for all partitions as a literal of SQL."""
    base = str(dataset).replace("'", "''")
    for sign in "[*?":
        base = base.replace(sign, f"[{sign}]")
    return f"'{base}/{PREFIX}*/{name}'"
