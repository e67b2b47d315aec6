"""Reading from an index what is selected."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Final

from tracefs.errors import RecordingError
from tracefs.findings import TraceSummary
from tracefs.index import card as cards
from tracefs.index.card import Unusable
from tracefs.index.engine import connect, duckdb_error
from tracefs.index.table import COLUMNS, call_of
from tracefs.index.where import condition
from tracefs.journal.format import TABLE
from tracefs.report.frame import WentBack
from tracefs.report.selection import Selection
from tracefs.trace.call import Call

_BATCH: Final = 2048


class Index:
    """The index of one recording, found to be whole and of this very journal."""

    def __init__(self, card: cards.Card, table: IO[bytes]) -> None:
        self._card = card
        self._table = table

    def summary(self) -> TraceSummary:
        """How much there is in the recording."""
        return self._card.summary

    def fallen(self) -> tuple[WentBack, ...]:
        """What went back to what the disk had."""
        return self._card.fallen

    def calls(self, chosen: Selection, *, reads: bool) -> Iterator[Call]:
        """Yield the *chosen* calls in their order; *reads*: page fetches, too.

        Raises:
            RecordingError: the table can't be read on.
        """
        where = condition(chosen, reads=reads, exact=self._card.exact > 0)
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        last = -1
        with self._table, closing(connect()) as database:
            try:
                found = database.execute(
                    f"SELECT {names} FROM read_parquet('/proc/self/fd/{self._table.fileno()}') "  # noqa: S608
                    f"WHERE {where.sql}",
                    where.parameters,
                )
                while rows := found.fetchmany(_BATCH):
                    for row in rows:
                        if row[0] <= last:
                            raise RecordingError("the index gave calls out of their order")
                        last = row[0]
                        call = call_of(row)
                        if chosen.matches(call):
                            yield call
            except duckdb_error() as error:
                raise RecordingError(
                    f"the index can't be read: {error}", repair="make it anew: tracefs index"
                ) from error


def find(folder: Path, journal: int) -> Index | None:
    """Return the index in *folder* of the open *journal*; None: there is none.

    Raises:
        Unusable: there is one that must not be used, with the reason.
    """
    card = cards.read(folder)
    if card is None:
        return None
    if card.rules != cards.rules():
        raise Unusable("it was made by another version of tracefs")
    try:
        connect().close()
        cards.require_same(journal, card.journal, "the journal was changed since it was made")
        table = _open(folder, card)
    except OSError as error:
        raise Unusable(f"it can't be read: {error.strerror}") from error
    return Index(card, table)


def _open(folder: Path, card: cards.Card) -> IO[bytes]:
    table = open(folder / TABLE, "rb", buffering=0, opener=_open_regular)  # noqa: SIM115  # kept
    try:
        cards.require_same(table.fileno(), card.table, "its table is damaged")
    except BaseException:
        table.close()
        raise
    return table


def _open_regular(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a FIFO would wait for a writer
