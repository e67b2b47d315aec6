"""Many recordings as one folder of tables, partitioned by recording.

Each recording has a folder ``recording=NAME`` (Hive's way of partitions, which DuckDB, Spark and
Dask read alike): ``calls.parquet`` as `tracefs.index.table` has it, and what follows from the calls
in small tables of JSON Lines. A partition is there whole or not at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError, UsageError
from tracefs.events import Header
from tracefs.findings import CheckResult, TraceSummary
from tracefs.index.build import write_table
from tracefs.index.engine import connect, duckdb_error
from tracefs.journal.format import TABLE
from tracefs.journal.reader import JournalReader
from tracefs.report.ledger import Ledger
from tracefs.trace.call import Call, TraceItem
from tracefs.trace.trace import Trace

_PART: Final = "recording="
_CALLS: Final = "calls.parquet"


class About(Struct, frozen=True, kw_only=True):
    """One recording."""

    source: str
    started: str
    command: str | None
    """Its words, with spaces between."""
    page_size: int
    calls: int
    unknown_calls: int
    complete: bool
    status: int | None


class VerdictRow(Struct, frozen=True, kw_only=True):
    """What one contract said of one recording."""

    contract: str
    verdict: str
    findings: int


class UnsyncedRow(Struct, frozen=True, kw_only=True):
    """Bytes of a file that no sync had covered."""

    path: str
    bytes: int
    call: int | None
    """Index of the close; None: the end."""
    because: int | None
    """Index of the last call that wrote them."""


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


class Added(Struct, frozen=True, kw_only=True):
    """One partition that was made."""

    name: str
    calls: int


def add(
    dataset: Path, recording: Path, verdicts: CheckResult | None, *, again: bool = False
) -> Added:
    """Add a recording, of which contracts said *verdicts*; *again*: in the place of an earlier one.

    Raises:
        RecordingError: it can't be read, or is there already.
        Unusable: DuckDB is not installed.
        OSError: it can't be written.
    """
    dataset.mkdir(parents=True, exist_ok=True)
    name = recording.resolve().name
    place = dataset / f"{_PART}{quote(name, safe='')}"
    if place.exists() and not again:
        raise RecordingError(f"{name} is in {dataset} already", repair="add it anew with --again")
    with TemporaryDirectory(prefix=".adding-", dir=dataset) as folder:
        made = Path(folder, "made")
        made.mkdir()
        summary = _write(recording, made, verdicts)
        if place.exists():
            place.rename(Path(folder, "before"))
        made.rename(place)
    return Added(name=name, calls=summary.calls)


def _write(recording: Path, made: Path, verdicts: CheckResult | None) -> TraceSummary:
    ledger = Ledger(1 << 20)
    with JournalReader(recording) as reader:
        trace = _Watched(reader, ledger)
        write_table(trace, made)
        summary, header = trace.summary(), reader.header
    (made / TABLE).rename(made / _CALLS)
    _rows(made, "recordings", [_about(header, summary)])
    _rows(
        made, "unsynced",
        [
            UnsyncedRow(path=one.path, bytes=one.bytes, call=one.at, because=one.because)
            for one in (*ledger.at_close, *ledger.at_end())
        ],
    )  # fmt: skip
    contracts = () if verdicts is None else verdicts.contracts
    _rows(
        made, "verdicts",
        [
            VerdictRow(contract=one.id, verdict=str(one.verdict), findings=len(one.findings))
            for one in contracts
        ],
    )  # fmt: skip
    return summary


class _Watched(Trace):
    """A trace whose calls a ledger follows as they go by."""

    def __init__(self, journal: JournalReader, ledger: Ledger) -> None:
        super().__init__(journal, reads=True)
        self._ledger = ledger

    def items(self) -> Iterator[TraceItem]:
        """See `Trace.items`."""
        for item in super().items():
            if isinstance(item, Call) and item.index >= 0:
                self._ledger.take(item)
            yield item


def _about(header: Header, summary: TraceSummary) -> About:
    return About(
        source=header.source,
        started=header.started,
        command=None if header.command is None else " ".join(header.command),
        page_size=header.page_size,
        calls=summary.calls,
        unknown_calls=summary.unknown_calls,
        complete=summary.complete,
        status=summary.status,
    )


def _rows(made: Path, name: str, rows: Sequence[Struct]) -> None:
    encode = msgspec.json.encode
    (made / f"{name}.jsonl").write_bytes(b"".join(encode(row) + b"\n" for row in rows))


class Answer(Struct, frozen=True, kw_only=True):
    """The rows that a query gives."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except duckdb_error() as error:
        raise UsageError(f"the query can't be answered: {error}") from error


def query(dataset: Path, sql: str) -> Answer:
    """Ask *sql* of the tables calls, recordings, verdicts and unsynced, each with ``recording``.

    Raises:
        UsageError: the query can't be answered, or there is no dataset.
        Unusable: DuckDB is not installed.
    """
    if not any(dataset.glob(f"{_PART}*/{_CALLS}")):
        raise UsageError(f"there is no dataset in {dataset}", repair="tracefs dataset add")
    with connect() as database, _errors():
        database.execute("SET threads = 2")
        database.execute(f"CREATE VIEW calls AS {_parquet(dataset)}")
        for name, columns in _TABLES.items():
            database.execute(f"CREATE VIEW {name} AS {_json(dataset, name, columns)}")
        found = database.execute(sql)
        names = tuple(str(column[0]) for column in found.description or ())
        return Answer(columns=names, rows=tuple(found.fetchall()))


def _parquet(dataset: Path) -> str:
    place = _glob(dataset, _CALLS)
    return f"SELECT * FROM read_parquet({place}, hive_partitioning = true)"  # noqa: S608  # quoted


def _json(dataset: Path, name: str, columns: Mapping[str, str]) -> str:
    place = _glob(dataset, f"{name}.jsonl")
    typed = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    return (
        f"SELECT * FROM read_json({place}, "  # noqa: S608  # quoted, and our own words
        f"format = 'newline_delimited', hive_partitioning = true, "
        f"columns = {{{typed}, 'recording': 'VARCHAR'}})"
    )


def _glob(dataset: Path, name: str) -> str:
    """Return a pattern for all partitions as a literal of SQL."""
    base = str(dataset).replace("'", "''")
    for sign in "[*?":
        base = base.replace(sign, f"[{sign}]")
    return f"'{base}/{_PART}*/{name}'"
