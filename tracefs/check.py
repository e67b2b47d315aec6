"""Contracts over a trace, in one pass, as data; rendering is somebody else's.

Two findings come from here and not from a contract, under rules that can't be left out:

``complete-trace``
    The trace has no end, so that nothing can be said to hold of all of it.
``checker``
    The contract itself failed; the others are not affected.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from tracefs.contracts import find_all
from tracefs.contracts.base import Contract, Judge, OfCommand, Settings
from tracefs.errors import RecordingError, TracefsError, UsageError
from tracefs.events import Header
from tracefs.findings import (
    CheckResult,
    ContractResult,
    Finding,
    Severity,
    TraceSummary,
    Verdict,
    worst,
)
from tracefs.trace.call import TraceItem

COMPLETE_TRACE: Final = "complete-trace"
CHECKER: Final = "checker"


class Trace(Protocol):
    """What is judged: `tracefs.trace.Trace`, or anything like it."""

    @property
    def header(self) -> Header:
        """First line of the journal."""

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases, once, in the order in which they were complete."""

    def summary(self) -> TraceSummary:
        """Return how much there was; only after the last item."""


def check(
    trace: Trace,
    contracts: Sequence[str | Contract],
    *,
    page_size: int | None = None,
    without: Sequence[str] = (),
    paths: Sequence[str] = (),
) -> CheckResult:
    """Judge *trace* by *contracts*, of which a text names a built-in one or a contract file.

    Args:
        trace: Read once, from its beginning.
        contracts: At least one.
        page_size: Bytes in a page; None: as the trace's header says.
        without: Rules to leave out, each of one of *contracts*.
        paths: Globs that choose the files to judge; none: all.

    Returns:
        The worst verdict of all contracts. A trace that is not complete is never kept, nor is a
        contract whose checker failed.

    Raises:
        UsageError: A contract or rule that doesn't exist, a contract file that can't be
            understood, or a page size below 1.
        RecordingError: The trace can't be read.
    """
    chosen = [
        contract
        for each in contracts
        for contract in (find_all(each) if isinstance(each, str) else (each,))
    ]
    require(chosen, page_size, without)
    size = page_size or trace.header.page_size
    if size < 1:
        raise RecordingError(f"The trace's header has a page size of {size}.")
    runs = [
        _Run(
            each,
            trace.header,
            Settings(
                page_size=size,
                without=tuple(rule for rule in each.rules if rule in without),
                paths=tuple(paths),
            ),
        )
        for each in chosen
    ]
    _feed(trace, runs)
    summary = trace.summary()
    results = tuple(run.result(summary) for run in runs)
    return CheckResult(
        verdict=worst(*(result.verdict for result in results)), contracts=results, trace=summary
    )


class _Run:
    """One contract over one trace, and what went wrong in it."""

    def __init__(self, contract: Contract, header: Header, settings: Settings) -> None:
        self.id = contract.id
        self._without = settings.without
        self._failure: Exception | None = None
        self._judge: Judge | None = None
        try:
            self._judge = contract.start(header, settings)
        except TracefsError:
            raise
        except Exception as failure:  # noqa: BLE001 - a contract may fail in any way
            self.fail(failure)

    @property
    def feed(self) -> Callable[[TraceItem], None]:
        """What to give each item to."""
        return _ignore if self._judge is None else self._judge.feed

    def fail(self, failure: Exception) -> None:
        """Judge no further; what was found so far can't be trusted either."""
        self._failure = failure
        self._judge = None

    def result(self, summary: TraceSummary) -> ContractResult:
        """Return what the contract says, as far as the trace allows it to say that."""
        result = None
        if self._judge is not None:
            try:
                if isinstance(self._judge, OfCommand):
                    self._judge.exited(summary.status, summary.pid)
                result = self._judge.finish(
                    complete=summary.complete, why=summary.incomplete_because
                )
            except Exception as failure:  # noqa: BLE001 - a contract may fail in any way
                self.fail(failure)
        if result is None:
            return self._failed()
        if summary.complete or result.verdict is Verdict.BROKEN:
            return result
        return msgspec.structs.replace(
            result,
            verdict=Verdict.UNKNOWN,
            findings=(*result.findings, _incomplete(summary)),
        )

    def _failed(self) -> ContractResult:
        failure = self._failure
        return ContractResult(
            id=self.id,
            verdict=Verdict.UNKNOWN,
            findings=(
                _whole_trace(
                    CHECKER,
                    f"The checker of {self.id} failed and has no answer: "
                    f"{type(failure).__name__}: {failure}.",
                    "Report this together with the recording.",
                ),
            ),
            without=self._without,
        )


def _feed(trace: Trace, runs: Sequence[_Run]) -> None:
    """Give each item to each contract; one that raises gets no more, the others go on."""
    feeds = [run.feed for run in runs]
    for item in trace.items():
        for feed in feeds:
            try:
                feed(item)
            except Exception as failure:  # noqa: BLE001 - a contract may fail in any way
                place = feeds.index(feed)
                feeds[place] = _ignore
                runs[place].fail(failure)


def _ignore(_item: TraceItem, /) -> None:
    """Stand in for a contract that failed."""


def require(contracts: Sequence[Contract], page_size: int | None, without: Sequence[str]) -> None:
    """Return if `check` can be asked so.

    Raises:
        UsageError: there is no contract, no such rule, or the page size is below 1.
    """
    if not contracts:
        raise UsageError("No contract is named.")
    if page_size is not None and page_size < 1:
        raise UsageError(f"A page size of {page_size} is not possible: it must be at least 1.")
    rules = [rule for contract in contracts for rule in contract.rules]
    for rule in without:
        if rule not in rules:
            raise UsageError(f"There is no rule {rule!r} to leave out; known: {', '.join(rules)}.")


def _incomplete(summary: TraceSummary) -> Finding:
    why = f": {summary.incomplete_because}" if summary.incomplete_because else ""
    return _whole_trace(
        COMPLETE_TRACE,
        f"Expected a complete trace; this one is not{why}.",
        "Record again and end the recording with tracefs umount or Ctrl-C; "
        "what was not recorded is never counted as kept.",
    )


def _whole_trace(rule: str, message: str, repair: str) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        verdict=Verdict.UNKNOWN,
        call=None,
        path=None,
        page=None,
        message=message,
        repair=repair,
    )
