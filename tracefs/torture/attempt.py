"""One run: a fresh copy of the directory, the command in it, its faults, and what came of it.

Meant for a process of its own: the tracing adopts orphans. What takes long to import is imported
here, once for all processes that are forked off.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.capture.forked import Forked
from tracefs.capture.runner import Options, Run, run_traced
from tracefs.check import check
from tracefs.contracts.base import Contract
from tracefs.errors import TracefsError
from tracefs.events import Header
from tracefs.findings import CheckResult, TraceSummary, Verdict
from tracefs.journal.reader import JournalReader
from tracefs.pathtext import to_text
from tracefs.report import finding as words
from tracefs.report.points import errors
from tracefs.torture import checker, kinds
from tracefs.torture.strike import Watch, after
from tracefs.torture.targets import targets
from tracefs.tortures import Checked, Ending, Outcome, Result, Struck, Trial
from tracefs.trace import Call, Trace
from tracefs.trace.call import TraceItem
from tracefs.trials import ended
from tracefs.trials.ended import Ended, How
from tracefs.trials.watched import watch
from tracefs.trials.words import note, said

COPY: Final = "directory"
RECORDING: Final = "recording.trace"
OUTPUT: Final = "output.txt"
COPY_LIMIT_S: Final = 300
GRACE_S: Final = 20
"""For the mount to end once the time is up; a moment is enough, unless the machine is busy."""

_ENDINGS: Final = {
    How.ENDED: Ending.ENDED,
    How.LATE: Ending.HUNG,
    How.LEFT: Ending.HUNG,
    How.MOVED: Ending.MOUNT_TAKEN,
    How.UNSTARTED: Ending.NOT_STARTED,
}


class Order(Struct, frozen=True, kw_only=True):
    """What all runs have in common."""

    command: tuple[str, ...]
    directory: Path
    """What is copied, and covered by the copy where the command runs. Absolute."""
    contracts: dict[str, tuple[Contract, ...]]
    """By the names that they were asked for by."""
    held: tuple[str, ...]
    """Those of them that each run is judged by; the others where the fault that they are about was
    made."""
    check: str | None
    limit_s: float
    """Seconds that the command gets; so does the checker."""
    page_size: int
    witness: str
    fall_back: bool
    """Go on with less where calls can't be notified."""
    keeps: bool
    """Leave what did not pass in its folder."""
    pairs: bool
    """Tell what came after the last strike."""


class _Late(Exception):  # noqa: N818  # no error of this program
    """The command is stuck where no signal reaches it."""


def attempt(trial: Trial, order: Order, folder: Path) -> Result:
    """Make the run *trial* in the new *folder*, and say what came of it."""
    try:
        folder.mkdir(mode=0o700)
        _copy(order.directory, folder / COPY)
        result = _run(trial, order, folder)
    except (OSError, subprocess.SubprocessError, TracefsError) as error:
        result = _failed(trial, said(error, "the directory can't be copied: "))
    if not order.keeps or result.outcome is Outcome.PASSED:
        shutil.rmtree(folder, ignore_errors=True)
        return result
    return _kept(result, folder)


def _copy(directory: Path, copy: Path) -> None:
    """Copy with cp(1), which shares blocks where it can, and makes FIFOs and devices anew."""
    subprocess.run(
        ["cp", "-a", "--reflink=auto", "-T", "--", directory, copy],
        check=True,
        timeout=COPY_LIMIT_S,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _run(trial: Trial, order: Order, folder: Path) -> Result:
    report, output, recording = folder / ".run", folder / OUTPUT, folder / RECORDING
    options = Options(
        witness=order.witness,
        fall_back=order.fall_back,
        page_size=order.page_size,
        faults=tuple(strike.rule for strike in trial.strikes),
    )
    run = Run(
        over=str(order.directory),
        execute=lambda argv: watch(
            [os.fsdecode(word) for word in argv], order.limit_s, report, output, patient=True
        ),
        told=partial(ended.command, report),
    )
    argv = [os.fsencode(word) for word in order.command]
    begun = time.monotonic()
    failed: str | None = None
    try:
        with Forked() as server, _ended_at_last(order.limit_s + GRACE_S):
            copy = str(folder / COPY)
            failed = run_traced(copy, argv, recording, options, note, server, run).failed
    except _Late:
        reason = f"it was stuck, and did not end though killed after {order.limit_s:g} s"
        return _failed(trial, reason, Ending.HUNG)
    seconds = time.monotonic() - begun
    done = ended.read(report)
    if done is None:
        return _failed(trial, "what watches the command was killed", Ending.HUNG)
    return _judged(trial, order, folder, done, seconds, failed)


def _judged(
    trial: Trial, order: Order, folder: Path, done: Ended, seconds: float, failed: str | None
) -> Result:
    recording = folder / RECORDING
    seen, found = Watch(trial), None
    about = kinds.contracts(trial.strikes)
    names = (*order.held, *(name for name in about if name in order.contracts))
    with JournalReader(recording) as journal:
        teed = _Teed(Trace(journal), seen)
        if names:
            found = check(teed, [each for name in names for each in order.contracts[name]])
        else:
            for _ in teed.items():
                pass
    strikes = seen.seen()
    status = None if done.how is How.LATE else done.status  # the signal was ours
    answer = checker.Answer(checked=Checked.NOT_ASKED)
    ending = _ENDINGS[done.how]
    if order.check is not None and ending is not Ending.NOT_STARTED:
        told = {
            "TRACEFS_STATUS": "" if status is None else str(status),
            "TRACEFS_OUTPUT": str(folder / OUTPUT),
            "TRACEFS_FAULT": " ".join(strike.rule.text for strike in trial.strikes),
        }
        answer = checker.ask(order.check, folder / COPY, folder, order.limit_s, told)
    return Result(
        key=trial.key,
        ending=ending,
        status=status,
        struck=strikes.struck,
        contracts=None if found is None else found.verdict,
        judged_by=names,
        finding=None if found is None else _first(found),
        checked=answer.checked,
        said=answer.said,
        reason=_why(done, order) or strikes.reason or failed,
        printed=ended.last_line(folder / OUTPUT),
        seconds=seconds,
        after=after(targets(recording), strikes.last if trial.strikes else -1)
        if order.pairs
        else (),
    )


class _Teed:
    """A trace whose calls somebody else sees, too."""

    def __init__(self, trace: Trace, seen: Watch) -> None:
        self._trace = trace
        self._seen = seen

    @property
    def header(self) -> Header:
        """As the trace's."""
        return self._trace.header

    def items(self) -> Iterator[TraceItem]:
        """Yield what the trace does."""
        for item in self._trace.items():
            if isinstance(item, Call) and item.injected:
                self._seen.feed(item)
            yield item

    def summary(self) -> TraceSummary:
        """As the trace's."""
        return self._trace.summary()


def _first(found: CheckResult) -> str | None:
    for contract in found.contracts:
        for one in words.few(errors(contract)):
            return f"{contract.id}: {words.heading(one)}: {one.message}"
    return None if found.verdict is Verdict.KEPT else found.trace.incomplete_because


def _why(done: Ended, order: Order) -> str | None:
    match done.how:
        case How.LATE:
            return f"it did not end within {order.limit_s:g} s"
        case How.LEFT:
            return f"it ended, but left processes that did not end within {order.limit_s:g} s"
        case How.MOVED:
            return "it took the directory's mount away: what it did then was not recorded"
        case How.UNSTARTED:
            return done.message
        case How.ENDED:
            return None


@contextlib.contextmanager
def _ended_at_last(seconds: float) -> Iterator[None]:
    """Give up after *seconds*: who is in a request that nobody answers can't be killed.

    With this process's end its children are killed, the server among them; with the server's the
    kernel answers all requests (fuse_abort_conn in fs/fuse/dev.c).
    """

    def late(*_: object) -> None:
        raise _Late

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _failed(trial: Trial, reason: str, ending: Ending = Ending.TOOL_FAILED) -> Result:
    return Result(key=trial.key, ending=ending, struck=Struck.UNTOLD, reason=reason)


def _kept(result: Result, folder: Path) -> Result:
    return replace(result, recording=to_text(os.fsencode(folder)))
