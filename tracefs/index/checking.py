"""Contracts over recordings of a dataset.

``page-write`` is not shown what `tracefs.index.ordinary` finds; other contracts see every call.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from tracefs.check import Trace, check, require
from tracefs.contracts import find_all
from tracefs.contracts.base import Contract
from tracefs.contracts.page_write import PageWrite
from tracefs.contracts.page_write.judge import hears_seeks
from tracefs.contracts.page_write.report import SYNCED
from tracefs.events import Header
from tracefs.findings import CheckResult, ContractResult, TraceSummary, worst
from tracefs.index.ordinary import ordinary
from tracefs.index.partition import Partition, opened
from tracefs.index.tables import Lines
from tracefs.trace.call import TraceItem


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked of each recording; see `tracefs.check.check`."""

    contracts: tuple[str, ...]
    page_size: int | None = None
    without: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    threads: int = 1
    """How many look at a recording at once, each at a portion of it; at least 1."""


class Checked(Struct, frozen=True, kw_only=True, tag=True):
    """What contracts say of one recording of a dataset."""

    recording: str
    result: CheckResult


def check_partition(folder: Path, asked: Asked) -> Checked:
    """Judge the recording in *folder*, as ``tracefs check`` judges the recording itself.

    Raises:
        UsageError: there is no such contract or rule.
        RecordingError: a table can't be read, or is of another version.
        Unusable: DuckDB is not installed.
    """
    with opened(folder) as trace:
        return Checked(recording=trace.name, result=_checked(trace, asked))


def _checked(trace: Partition, asked: Asked) -> CheckResult:
    size = asked.page_size or trace.header.page_size
    contracts = [each for name in asked.contracts for each in find_all(name)]
    require(contracts, asked.page_size, asked.without)
    pages = [each for each in contracts if isinstance(each, PageWrite)]
    others = [each for each in contracts if not isinstance(each, PageWrite)]
    results: list[ContractResult] = []
    if pages:
        found = _judged(_Shortened(trace, size, asked.threads), pages, asked)
        if any(one.rule == SYNCED for each in found for one in each.findings):
            found = _judged(trace, pages, asked)
        results += found
    if others:
        results += _judged(trace, others, asked)
    order = [each.id for each in contracts]
    results.sort(key=lambda one: order.index(one.id))
    return CheckResult(
        verdict=worst(*(one.verdict for one in results)),
        contracts=tuple(results),
        trace=trace.summary(),
    )


def _judged(
    trace: Trace, contracts: Sequence[Contract], asked: Asked
) -> tuple[ContractResult, ...]:
    rules = {rule for each in contracts for rule in each.rules}
    return check(
        trace,
        contracts,
        page_size=asked.page_size,
        without=[rule for rule in asked.without if rule in rules],
        paths=asked.paths,
    ).contracts


class _Shortened:
    """A recording without what `ordinary` finds."""

    def __init__(self, partition: Partition, page_size: int, threads: int) -> None:
        self._partition = partition
        self._page_size = page_size
        self._threads = threads

    @property
    def header(self) -> Header:
        """The journal's first line."""
        return self._partition.header

    def summary(self) -> TraceSummary:
        """Return how much there was, with what is left out."""
        return self._partition.summary()

    def items(self) -> Iterator[TraceItem]:
        """Yield what is left, in order."""
        with self._partition.tables() as tables, ThreadPoolExecutor(self._threads) as pool:
            portions = list(tables.portions())
            for portion, without in zip(portions, pool.map(self._ordinary, portions), strict=True):
                yield from tables.items(portion, without)

    def _ordinary(self, portion: Lines) -> list[Lines]:
        with self._partition.tables() as tables:
            heard = hears_seeks(self.header)
            return ordinary(tables, portion, self._page_size, hears_seeks=heard)
