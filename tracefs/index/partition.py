"""One recording in a dataset: a folder of tables, and the trace that they hold.

``calls.parquet`` is the table of calls (`tracefs.index.table`). What contracts need beside calls is
in ``releases.parquet``, a row for each `Released`, and ``trace.json``: the journal's header and the
trace's summary. So the journal isn't needed to judge it again, but for two things: the stack of a
call is not read back, and fetches of pages (``reads``) are not part of what is judged.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.index import card as cards
from tracefs.index.card import Content, Unusable, content_of, require_same
from tracefs.index.engine import connect, duckdb_error
from tracefs.index.table import COLUMNS, call_of
from tracefs.trace.call import Released, TraceItem

if TYPE_CHECKING:
    import duckdb

PREFIX: Final = "recording="
_NO_NAME: Final = "__HIVE_DEFAULT_PARTITION__"
"""What stands for NULL where Hive's partitions are read."""
CALLS: Final = "calls.parquet"
RELEASES: Final = "releases.parquet"
TRACE: Final = "trace.json"
FORMAT: Final = "tracefs-partition"
VERSION: Final = 1

_BATCH: Final = 4096
AGAIN: Final = "add the recording again: tracefs dataset add --again"
"""How to mend a partition."""
_RELEASE: Final = "{before: 'BIGINT', handle: 'BIGINT', ino: 'BIGINT', end_ns: 'BIGINT'}"
_CALL: Final = ", ".join("[]" if name == "stack" else f'"{name}"' for name in COLUMNS)
"""All columns; a stack takes long to read, and no rule asks about it."""
_INDEX: Final = list(COLUMNS).index("index")
PORTION: Final = 1_000_000
"""Calls that are looked at together; all of DuckDB's memory is for them."""
_FAR: Final = 50_000
"""Calls between two others that are better not read; a group of rows in the table has fewer."""
_MOST: Final = 200
"""Ranges in one query."""


class Card(Struct, frozen=True, kw_only=True):
    """What a partition knows of its trace as a whole."""

    format: str = FORMAT
    version: int = VERSION
    rules: str
    """Stands for how calls were joined: `tracefs.index.card.rules`."""
    header: Header
    summary: TraceSummary
    tables: dict[str, Content]
    """`CALLS` and `RELEASES`."""


def folder_of(dataset: Path, name: str) -> Path:
    """Return the folder of the recording *name*."""
    quoted = quote(name, safe="")
    return dataset / f"{PREFIX}{'%5F' + name[1:] if name == _NO_NAME else quoted}"


def name_of(folder: Path) -> str:
    """Return the name of the recording in *folder*."""
    return unquote(folder.name.removeprefix(PREFIX))


def folders(dataset: Path) -> list[Path]:
    """Return the partitions of *dataset*, by name."""
    return sorted(place.parent for place in dataset.glob(f"{PREFIX}*/{CALLS}"))


class Releases:
    """The releases of a trace on their way into a table."""

    def __init__(self, place: Path) -> None:
        self._rows = TemporaryFile(prefix="releases", dir=place)  # noqa: SIM115  # see `close`

    def add(self, item: Released, before: int) -> None:
        """Take the next one, which came before the call with that index."""
        self._rows.write(
            b'{"before":%d,"handle":%d,"ino":%d,"end_ns":%d}\n'
            % (before, item.handle, item.ino, item.end_ns)
        )

    def close(self) -> None:
        """Let go of what isn't written."""
        self._rows.close()

    def finish(self, table: Path) -> None:
        """Write all of them as *table*.

        Raises:
            RecordingError: a number has more than 64 bits.
        """
        self._rows.flush()
        with closing(connect()) as database, open(table, "xb", buffering=0) as target:
            try:
                database.execute(
                    f"COPY (FROM read_json({_named(self._rows)}, "
                    f"format = 'newline_delimited', columns = {_RELEASE})) "
                    f"TO {_named(target)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
                )
            except duckdb_error() as error:
                raise RecordingError(f"its releases can't be written: {error}") from error


def _named(file: IO[bytes]) -> str:
    """Return what DuckDB calls *file*: a path may be any bytes, a descriptor is a number."""
    return f"'/proc/self/fd/{file.fileno()}'"


def write_card(folder: Path, header: Header, summary: TraceSummary) -> None:
    """Write what is known of the trace as a whole, whose tables are in *folder* already."""
    tables = {name: content_of(folder / name) for name in (CALLS, RELEASES)}
    card = Card(rules=cards.rules(), header=header, summary=summary, tables=tables)
    (folder / TRACE).write_bytes(msgspec.json.format(msgspec.json.encode(card)) + b"\n")


def read_card(folder: Path) -> Card:
    """Return what is known of the trace in *folder* as a whole.

    Raises:
        RecordingError: it is damaged, or another version of tracefs wrote it.
    """
    try:
        card = msgspec.json.decode((folder / TRACE).read_bytes(), type=Card)
    except FileNotFoundError:
        raise _other_version(folder) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(name_of(folder), str(error)) from error
    if (card.format, card.version, card.rules) != (FORMAT, VERSION, cards.rules()):
        raise _other_version(folder)
    return card


def _other_version(folder: Path) -> RecordingError:
    return RecordingError(
        f"{name_of(folder)} was added to the dataset by another version of tracefs", repair=AGAIN
    )


class Partition:
    """The trace of one recording, as `tracefs.check.check` takes it; see `opened`."""

    def __init__(self, name: str, card: Card, calls: IO[bytes], releases: IO[bytes]) -> None:
        self.name = name
        self._card = card
        self._views = {"stored": calls, "releases": releases}

    @property
    def header(self) -> Header:
        """The journal's first line."""
        return self._card.header

    def summary(self) -> TraceSummary:
        """Return how much there was."""
        return self._card.summary

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases in order.

        Raises:
            RecordingError: a table can't be read on.
        """
        with self.tables() as tables:
            for portion in tables.portions():
                yield from tables.items(portion)

    @contextmanager
    def tables(self) -> Iterator["Tables"]:
        """Give the tables, by a connection of its own: DuckDB has one query at a time for each.

        Raises:
            RecordingError: one can't be read, also later, while they are in use.
        """
        with closing(connect()) as database:
            try:
                database.execute("SET temp_directory = ''")
                for name, file in self._views.items():
                    database.execute(f"CREATE VIEW {name} AS FROM read_parquet({_named(file)})")
                yield Tables(database)
            except (OSError, duckdb_error()) as error:
                raise _unreadable(self.name, str(error)) from error


@contextmanager
def opened(folder: Path) -> Iterator[Partition]:
    """Give the recording in *folder*, whose tables are whole, and stay what they are.

    Raises:
        RecordingError: it can't be read, is damaged, or another version of tracefs wrote it.
        Unusable: DuckDB is not installed.
    """
    card, name = read_card(folder), name_of(folder)
    with ExitStack() as files:
        found: dict[str, IO[bytes]] = {}
        try:
            for table, content in card.tables.items():
                file = files.enter_context(open(folder / table, "rb", buffering=0))
                require_same(file.fileno(), content, f"{table} is damaged")
                found[table] = file
            partition = Partition(name, card, found[CALLS], found[RELEASES])
        except OSError as error:
            raise _unreadable(name, str(error.strerror)) from error
        except (Unusable, KeyError) as error:
            raise _unreadable(name, str(error)) from error
        yield partition


def _unreadable(name: str, why: str) -> RecordingError:
    return RecordingError(f"{name} in the dataset can't be read: {why}", repair=AGAIN)


Lines = tuple[int, int]
"""The first and the last of calls that follow each other, by their index."""


class Tables:
    """The tables of one recording: the views ``stored`` (calls) and ``releases``."""

    def __init__(self, database: "duckdb.DuckDBPyConnection") -> None:
        self.database = database

    def portions(self) -> Iterator[Lines]:
        """Yield portions that make up the trace: what came before the last call of each."""
        [(last,)] = self.database.execute('SELECT max("index") FROM stored').fetchall()
        # What was released behind the last call came before one that there is not.
        beyond = 0 if last is None else last + 1
        for first in range(0, beyond + 1, PORTION):
            yield first, min(first + PORTION - 1, beyond)

    def items(self, portion: Lines, without: Sequence[Lines] = ()) -> Iterator[TraceItem]:
        """Yield calls and releases of *portion* in order.

        Args:
            portion: one of `portions`.
            without: calls to leave out, in order, each with what was released from behind its first
                to behind its last.
        """
        kept = _others(portion, without)
        behind = _others(portion, [(first + 1, last + 1) for first, last in without])
        waiting = self._rows("before, handle, ino, end_ns", "releases", "before", behind)
        release = next(waiting, None)
        for row in self._rows(_CALL, "stored", '"index"', kept):
            while release is not None and release[0] <= row[_INDEX]:
                yield _released(release)
                release = next(waiting, None)
            yield call_of(row)
        if release is not None:
            yield _released(release)
        yield from map(_released, waiting)

    def _rows(
        self, columns: str, view: str, key: str, wanted: Iterable[Lines]
    ) -> Iterator[tuple[Any, ...]]:
        for ranges in _near(wanted):
            first, last = ranges[0][0], ranges[-1][1]
            any_of = " OR ".join(f"{key} BETWEEN {low} AND {high}" for low, high in ranges)
            # A cursor: both views are read at once.
            found = self.database.cursor().execute(
                f"SELECT {columns} FROM {view} "  # noqa: S608  # our own words, and numbers
                f"WHERE {key} BETWEEN {first} AND {last} AND ({any_of}) ORDER BY {key}"
            )
            while rows := found.fetchmany(_BATCH):
                yield from rows


def _others(portion: Lines, without: Iterable[Lines]) -> Iterator[Lines]:
    """Yield what is left of *portion* without some of its calls."""
    at, end = portion
    for first, last in without:
        if first > at:
            yield at, first - 1
        at = last + 1
    if at <= end:
        yield at, end


def _near(ranges: Iterable[Lines]) -> Iterator[list[Lines]]:
    """Yield *ranges* in groups that are worth to be read together."""
    group: list[Lines] = []
    for first, last in ranges:
        if group and (first - group[-1][1] > _FAR or len(group) == _MOST):
            yield group
            group = []
        group.append((first, last))
    if group:
        yield group


def _released(row: tuple[Any, ...]) -> Released:
    _, handle, ino, end_ns = row
    return Released(handle=handle, ino=ino, end_ns=end_ns)
