"""One recording in a dataset: a folder of tables, and the trace that they hold.

``calls.parquet`` is the table of calls (`tracefs.index.table`). What contracts need beside calls is
in ``releases.parquet``, a row for each `Released`, and ``trace.json``: the journal's header and the
trace's summary. So the journal isn't needed to judge it again, but for two things: the stack of a
call is not read back, and fetches of pages (``reads``) are not part of what is judged.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.index import card as cards
from tracefs.index.card import Content, Unusable, content_of, require_same
from tracefs.index.engine import connect, duckdb_error
from tracefs.index.tables import Tables
from tracefs.trace.call import Released, TraceItem

PREFIX: Final = "recording="
_NO_NAME: Final = "__HIVE_DEFAULT_PARTITION__"
"""What stands for NULL where Hive's partitions are read."""
CALLS: Final = "calls.parquet"
RELEASES: Final = "releases.parquet"
TRACE: Final = "trace.json"
FORMAT: Final = "tracefs-partition"
VERSION: Final = 1

AGAIN: Final = "add the recording again: tracefs dataset add --again"
"""How to mend a partition."""
_RELEASE: Final = "{before: 'BIGINT', handle: 'BIGINT', ino: 'BIGINT', end_ns: 'BIGINT'}"


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
    def tables(self) -> Iterator[Tables]:
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
