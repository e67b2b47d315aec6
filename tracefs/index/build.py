"""Making an index: the journal is joined once, and DuckDB writes its calls as Parquet.

All is written in a temporary folder. The card comes last, and without it there is no index.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Final, Protocol

import msgspec

from tracefs.errors import RecordingError
from tracefs.index import card as cards
from tracefs.index.card import Card, Content
from tracefs.index.engine import connect, duckdb_error
from tracefs.index.table import COLUMNS, bounded, rows
from tracefs.journal import lock
from tracefs.journal.format import CARD, JOURNAL, TABLE
from tracefs.journal.reader import JournalReader
from tracefs.report.frame import went_back
from tracefs.trace.call import Call, TraceItem
from tracefs.trace.trace import Trace

_BATCH: Final = 4096
_PART: Final = 256 << 20
"""Bytes of JSON that become one part."""
_ROW_GROUP: Final = 40_960
"""Rows that are read or passed over together; DuckDB holds this many of all columns in memory."""
_MAX_ROW: Final = 16 << 20
"""Longest row in bytes. DuckDB takes room for two; a recording with a longer one has no index."""

Progress = Callable[[int, int], None]
"""Is told bytes of the journal read so far, and of all."""


class Items(Protocol):
    """What has the calls of a table: `tracefs.trace.trace.Trace`, or anything like it."""

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases, once, in order."""


class _Tally:
    """Hashes and counts what the reader reads: it takes the place of a copy."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.hash = hashlib.sha256()
        self.size = 0
        self._total = total
        self._progress = progress

    def write(self, block: bytes) -> None:
        self.hash.update(block)
        self.size += len(block)
        self._progress(self.size, self._total)


class _Parts:
    """Rows on their way into Parquet: JSON Lines in a file, then a part, then all parts as one.

    A pipe would do without the file, but DuckDB keeps all that it has read of one. Files are named
    to it by descriptor, because a path may be any bytes.
    """

    def __init__(self, place: Path) -> None:
        self.rows = 0
        self.exact = 0
        self._place = place
        self._lines = self._new("rows")
        self._parts: list[IO[bytes]] = []
        self._database = connect()

    def add(self, calls: list[Call]) -> None:
        """Take the next rows."""
        self._lines.write(rows(calls, self.rows))
        self.rows += len(calls)
        if self._lines.tell() >= _PART:
            self._flush()

    def finish(self, table: Path) -> None:
        """Write all rows as *table*."""
        self._flush()
        with open(table, "xb", buffering=0) as target:
            names = ", ".join(map(_quoted, self._parts))
            self._copy(f"SELECT * FROM read_parquet([{names}])", target)  # noqa: S608  # descriptors

    def close(self) -> None:
        """Close all files."""
        self._database.close()
        for file in (self._lines, *self._parts):
            file.close()

    def _flush(self) -> None:
        self._parts.append(part := self._new("part"))
        self._lines.flush()
        try:
            self._copy(_read(self._lines), part)
        except duckdb_error():
            part.truncate()
            self._copy_bounded(part)
        self._lines.seek(0)
        self._lines.truncate()

    def _copy_bounded(self, part: IO[bytes]) -> None:
        """Copy rows of which a column can't hold one; that is rare, and looking for it slow."""
        with self._new("bounded") as lines:
            self._lines.seek(0)
            for row in self._lines:
                fits, exact = bounded(row)
                lines.write(fits)
                self.exact += exact
            lines.flush()
            self._copy(_read(lines), part)

    def _copy(self, query: str, target: IO[bytes]) -> None:
        self._database.execute(
            f"COPY ({query}) TO {_quoted(target)} (FORMAT parquet, COMPRESSION zstd, "
            f"ROW_GROUP_SIZE {_ROW_GROUP}, USE_TMP_FILE false)"
        )

    def _new(self, name: str) -> IO[bytes]:
        """Return a new file without a name."""
        return TemporaryFile(prefix=name, dir=self._place)


def _read(lines: IO[bytes]) -> str:
    columns = ", ".join(f"'{name}': '{sql_type}'" for name, sql_type in COLUMNS.items())
    return (
        'SELECT * REPLACE (nullif("index", -1) AS "index") '  # noqa: S608  # all our own words
        f"FROM read_json({_quoted(lines)}, format='newline_delimited', "
        f"maximum_object_size={_MAX_ROW}, columns={{{columns}}})"
    )


def _quoted(file: IO[bytes]) -> str:
    return f"'/proc/self/fd/{file.fileno()}'"


def build(folder: Path, progress: Progress) -> Card:
    """Make the index of the recording *folder* anew and return its card.

    Raises:
        RecordingError: the recording can't be read, or is still being made; or the index can't
            be written.
        Unusable: DuckDB is not installed.
    """
    connect().close()
    journal = os.open(folder / JOURNAL, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if lock.is_held(journal):
            raise RecordingError(
                "this recording is still being made", repair="index it when it has ended"
            )
        return _build(folder, journal, progress)
    except OSError as error:
        raise RecordingError(f"the index can't be written: {error.strerror}") from error
    finally:
        os.close(journal)


def _build(folder: Path, journal: int, progress: Progress) -> Card:
    status = os.fstat(journal)
    mark = cards.mark_of(status)
    tally = _Tally(status.st_size, progress)
    with TemporaryDirectory(prefix=f"{TABLE}.", suffix=".tmp", dir=folder) as name:
        place = Path(name)
        with JournalReader(folder, copy=tally) as reader:  # type: ignore[arg-type]  # writes alone
            trace = Trace(reader, reads=True)
            made = write_table(trace, place)
        # Reading ends at a line that is not valid.
        whole = tally.size == status.st_size
        sha256 = tally.hash.hexdigest() if whole else cards.hash_of(journal)
        if cards.identity(os.fstat(journal)) != cards.identity(status):
            raise RecordingError("the journal changed while it was read")
        card = Card(
            rules=cards.rules(),
            journal=Content(size=status.st_size, sha256=sha256, mark=mark),
            table=cards.content_of(place / TABLE),
            rows=made.rows,
            exact=made.exact,
            summary=trace.summary(),
            fallen=went_back(trace.fallen, trace.header.start_ns),
        )
        (place / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card)) + b"\n")
        # Never the new card with the old table, nor the other way round.
        (folder / CARD).unlink(missing_ok=True)
        for file in (TABLE, CARD):
            (place / file).chmod(0o600)
            (place / file).rename(folder / file)
    return card


def write_table(trace: Items, place: Path) -> _Parts:
    """Write the table of *trace*, with page fetches, into the folder *place*; constant memory."""
    parts = _Parts(place)
    try:
        for batch in _batches(trace):
            parts.add(batch)
        parts.finish(place / TABLE)
    except duckdb_error() as error:
        raise RecordingError(f"the index can't be written: {error}") from error
    finally:
        parts.close()
    return parts


def _batches(trace: Items) -> Iterator[list[Call]]:
    batch: list[Call] = []
    for item in trace.items():
        if isinstance(item, Call):
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch
