"""The table of calls by itself: one Parquet file, or a folder with one for each traced file."""

import os
import shutil
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tracefs.errors import RecordingError, UsageError
from tracefs.index.build import Items, write_table
from tracefs.index.engine import connect, duckdb_error
from tracefs.index.table import LINE
from tracefs.journal.format import TABLE
from tracefs.wholefile import whole_file

FILE: Final = "file"
"""Column that a folder is partitioned by: the path text of the call's file."""
_PARTS: Final = "parts"


def write_parquet(trace: Items, output: Path, *, by_file: bool) -> None:
    """Write the calls of *trace* as the file *output*, or as a folder; whole or not at all.

    Args:
        trace: read once.
        output: a file is replaced; a folder must not be there.
        by_file: a folder, partitioned as Hive does: ``file=PATH/*.parquet``, percent-encoded.

    Raises:
        UsageError: the folder is there.
        RecordingError: the trace can't be read, or the table not be written.
        Unusable: DuckDB is not installed.
        OSError: it can't be written.
    """
    if by_file and output.exists():
        raise UsageError("the folder is there already", repair="name another with -o")
    # A folder is renamed, within its filesystem.
    beside = output.absolute().parent if by_file else None
    with TemporaryDirectory(prefix=".tracefs-", dir=beside) as name:
        place = Path(name)
        write_table(trace, place)
        if by_file:
            _divide(place)
            os.rename(place / _PARTS, output)
        else:
            with open(place / TABLE, "rb") as made, whole_file(os.fsencode(output)) as file:
                shutil.copyfileobj(made, file)


def _divide(place: Path) -> None:
    folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # A path may be any bytes, what DuckDB is told is text.
        base = f"/proc/self/fd/{folder}"
        with closing(connect()) as database:
            database.execute(
                f"COPY (SELECT *, path AS {FILE} FROM read_parquet('{base}/{TABLE}') "  # noqa: S608
                f"ORDER BY {LINE}) TO '{base}/{_PARTS}' "
                f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({FILE}))"
            )
    except duckdb_error() as error:
        raise RecordingError(f"the tables can't be written: {error}") from error
    finally:
        os.close(folder)
