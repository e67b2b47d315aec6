"""Many recordings as one folder of tables, partitioned by recording.

Each recording has a folder ``recording=NAME`` (Hive's way of partitions, which DuckDB, Spark and
Dask read alike): ``calls.parquet`` as `tracefs.index.table` has it, and what follows from the calls
in small tables of JSON Lines. A partition is there whole or not at all.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from msgspec import Struct

from tracefs.check import Trace
from tracefs.errors import RecordingError
from tracefs.events import Header
from tracefs.filecalls import RENAME_EXCHANGE, renameat2
from tracefs.findings import CheckResult, TraceSummary
from tracefs.index import partition
from tracefs.index.build import write_table
from tracefs.journal.format import TABLE
from tracefs.report.ledger import Ledger
from tracefs.trace.call import Call, TraceItem
from tracefs.wholefile import write_whole

VERDICTS: Final = "verdicts"
_HERE: Final = -100
"""AT_FDCWD."""


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


class Added(Struct, frozen=True, kw_only=True):
    """One partition that was made."""

    name: str
    """Of the recording, path text."""
    calls: int
    incomplete_because: str | None


def add(
    dataset: Path, name: str, trace: Trace, verdicts: CheckResult | None, *, again: bool = False
) -> Added:
    """Add a recording, of which contracts said *verdicts*.

    Args:
        dataset: made if it is not there.
        name: of the recording in it, path text.
        trace: not read yet; with fetches of pages, where the recording has any.
        verdicts: None: no contract was asked.
        again: put it in the place of an earlier one.

    Raises:
        RecordingError: it can't be read, or is there already.
        Unusable: DuckDB is not installed.
        OSError: it can't be written.
    """
    dataset.mkdir(parents=True, exist_ok=True)
    place = partition.folder_of(dataset, name)
    there = RecordingError(f"{name} is in {dataset} already", repair="add it anew with --again")
    if place.exists() and not again:
        raise there
    with TemporaryDirectory(prefix=".adding-", dir=dataset) as folder:
        made = Path(folder, "made")
        made.mkdir()
        summary = _write(trace, made)
        keep(made, verdicts)
        # Somebody else may have added it meanwhile.
        if not _put(made, place):
            if not again:
                raise there
            _exchange(made, place)
    return Added(name=name, calls=summary.calls, incomplete_because=summary.incomplete_because)


def _put(made: Path, place: Path) -> bool:
    """Give the folder *made* the name *place*; return False if another one has it."""
    try:
        made.rename(place)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    return True


def _exchange(made: Path, place: Path) -> None:
    """Put *made* in the place of *place*, and that where it was: one of them is always there."""
    try:
        renameat2(_HERE, os.fsencode(made), _HERE, os.fsencode(place), RENAME_EXCHANGE)
    except OSError as error:
        # Not every filesystem can, NFS for one.
        if error.errno != errno.EINVAL:
            raise
        place.rename(made.with_name("before"))
        made.rename(place)


def keep(folder: Path, verdicts: CheckResult | None) -> None:
    """Write what contracts said into the partition *folder*; what others had said stays.

    Raises:
        RecordingError: what is there can't be read.
        OSError: it can't be written.
    """
    new = () if verdicts is None else verdicts.contracts
    names = {one.id for one in new}
    rows = [row for row in _kept(folder) if row.contract not in names]
    rows += [
        VerdictRow(contract=one.id, verdict=str(one.verdict), findings=len(one.findings))
        for one in new
    ]
    write_whole(os.fsencode(folder / f"{VERDICTS}.jsonl"), _lines(rows))


def _kept(folder: Path) -> list[VerdictRow]:
    try:
        text = (folder / f"{VERDICTS}.jsonl").read_bytes()
        return msgspec.json.Decoder(VerdictRow).decode_lines(text)
    except FileNotFoundError:
        return []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(
            f"the verdicts of {partition.name_of(folder)} can't be read: {error}",
            repair=partition.AGAIN,
        ) from error


def _write(trace: Trace, made: Path) -> TraceSummary:
    with closing(partition.Releases(made)) as releases:
        watched = _Watched(trace, Ledger(1 << 20), releases)
        write_table(watched, made)
        releases.finish(made / partition.RELEASES)
    (made / TABLE).rename(made / partition.CALLS)
    summary = trace.summary()
    partition.write_card(made, trace.header, summary)
    _rows(made, "recordings", [_about(trace.header, summary)])
    ledger = watched.ledger
    _rows(
        made, "unsynced",
        [
            UnsyncedRow(path=one.path, bytes=one.bytes, call=one.at, because=one.because)
            for one in (*ledger.at_close, *ledger.at_end())
        ],
    )  # fmt: skip
    return summary


class _Watched:
    """The items of a trace, which a ledger and a table follow as they go by."""

    def __init__(self, trace: Trace, ledger: Ledger, releases: partition.Releases) -> None:
        self.ledger = ledger
        self._trace = trace
        self._releases = releases

    def items(self) -> Iterator[TraceItem]:
        """See `Trace.items`."""
        following = 0
        for item in self._trace.items():
            if not isinstance(item, Call):
                self._releases.add(item, following)
            elif item.index >= 0:
                self.ledger.take(item)
                following = item.index + 1
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
    (made / f"{name}.jsonl").write_bytes(_lines(rows))


def _lines(rows: Sequence[Struct]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
