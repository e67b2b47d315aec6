"""What is recorded of one directory of a test, and what becomes of it."""

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tracefs.api import Trace
from tracefs.api.faults import Faults, Injectable
from tracefs.api.folder import AnyPath
from tracefs.api.judged import verdict_text
from tracefs.api.run import Ran, run
from tracefs.api.sofar import RecordedTrace
from tracefs.capture.messages import Settled, Standing
from tracefs.errors import MountError, TracefsError, UsageError
from tracefs.events import Header
from tracefs.findings import Verdict
from tracefs.pytest_plugin.directory import TracedDir
from tracefs.pytest_plugin.injected import ForRuns, Injected
from tracefs.pytest_plugin.mount import Place, SessionMount, remove
from tracefs.pytest_plugin.wishes import Wishes

if TYPE_CHECKING:
    from tracefs.pytest_plugin.crashed import Crash

LONGEST: Final = 200
"""Lines of a trace in a report."""


class Recorded(ABC):
    """One directory, while it is recorded and afterwards."""

    def __init__(self, directory: Path, wishes: Wishes, faults: Faults) -> None:
        self._wishes = wishes
        self._judged = False
        self._excused = False
        self._told = False
        self._injected = Injected(faults)
        self.directory = TracedDir.of(directory, self)
        self.failed = False
        """Something went wrong while it was recorded."""

    @property
    @abstractmethod
    def trace(self) -> Trace:
        """What was done so far."""

    @property
    @abstractmethod
    def traces(self) -> Sequence[Trace]:
        """All that there is: what is judged, and kept of a failed test."""

    @abstractmethod
    def mark(self, name: str) -> None:
        """Begin a section."""

    @abstractmethod
    def run(
        self, argv: Sequence[AnyPath], *, capture_output: bool, timeout: float | None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the directory."""

    @abstractmethod
    def end(self, *, keep: bool) -> None:
        """End the recording; remove it unless it is to be kept."""

    def judge(self) -> None:
        """Fail the test unless the contracts are kept that it asks for; once."""
        if self._judged or not self._wishes.judged:
            return
        self._judged = True
        for trace in self.traces:
            if self._wishes.contracts:
                self._judge(trace)
        if self._wishes.crash is not None:
            self._judge_crashes(self._wishes.crash)

    def excuse(self) -> None:
        """Judge no more: the test failed already, or was skipped."""
        self._judged = self._excused = True

    @property
    def faults(self) -> Faults:
        """Faults that are made in it."""
        return self._injected.faults

    def pause(self) -> None:
        """Make no faults until the next test injects some, and let go what is stuck."""
        self._injected.pause()

    def restore(self) -> tuple[Standing, ...]:
        """Make no faults any more, and let go what is stuck; return rules that were in vain.

        Of a test that has failed or was skipped none is said to be.
        """
        unstruck = self._injected.end()
        return () if self.failed or self._excused else unstruck

    def empty(self) -> None:
        """Remove what was left in the directory."""
        remove(Path(self.directory))

    def sections(self, *, kept: bool) -> Iterator[tuple[str, str]]:
        """Yield what the report of a failed test says of it, heading and text; once."""
        if self._told:
            return
        self._told = True
        for trace in self.traces:
            if trace.recording.exists():
                where = f"tracefs show {trace.recording}" if kept else "not kept (tracefs_keep)"
                head = "\n".join([f"recording: {where}", *self._injected.lines()])
                yield "tracefs", f"{head}\n{_said(trace.text)}"

    @abstractmethod
    def _judge_crashes(self, crash: "Crash") -> None:
        """Fail the test unless what it wrote survives crashes."""

    def _judge(self, trace: Trace) -> None:
        wishes = self._wishes
        result = trace.check(
            *wishes.contracts,
            page_size=wishes.page_size,
            without=wishes.without,
            paths=wishes.paths,
        )
        if result.verdict is not Verdict.KEPT:
            pytest.fail(verdict_text(trace, result), pytrace=False)


class Mounted(Recorded):
    """All that is done in a directory below the session's mount, by whichever process."""

    def __init__(self, mount: SessionMount, place: Place, wishes: Wishes) -> None:
        super().__init__(place.directory, wishes, Faults(self._faulty, place.root))
        self._mount = mount
        self._place = place
        self._restored = False
        self._trace = RecordedTrace(place.recording, self._settle, place.root, is_new=True)
        if wishes.inject:
            self.faults.inject(*wishes.inject)

    @property
    def trace(self) -> Trace:
        """What was done so far."""
        return self._trace

    @property
    def traces(self) -> Sequence[Trace]:
        """The same."""
        return (self._trace,)

    def mark(self, name: str) -> None:
        """Begin a section."""
        self._mount.mark(name)

    def run(
        self, argv: Sequence[AnyPath], *, capture_output: bool, timeout: float | None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the directory."""
        done = subprocess.run(
            argv,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=capture_output,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=timeout,
            check=False,
        )
        if done.returncode < 0:
            done.returncode = 128 - done.returncode  # as a shell tells it, and tracefs run
        return done

    def end(self, *, keep: bool) -> None:
        """End the recording; remove it unless it is to be kept."""
        if keep:
            self._mount.end(self._trace.recording)
        else:
            self._mount.discard(self._trace.recording)

    def restore(self) -> tuple[Standing, ...]:
        """Make no faults any more; return rules that were in vain."""
        try:
            return super().restore()
        finally:
            self._restored = True

    def _judge_crashes(self, crash: "Crash") -> None:
        from tracefs.pytest_plugin.crashed import judge  # noqa: PLC0415  # most tests don't ask

        __tracebackhide__ = True
        self._mount.end(self._trace.recording)
        judge(crash, self._trace.recording, self._place.root)

    def _faulty(self) -> Injectable:
        if self._restored:
            raise UsageError(f"{self.directory}: its test has ended, so no fault is made there")
        return self._mount

    def _settle(self) -> Settled | None:
        return self._mount.settle(self._trace.recording)


class ByCommand(Recorded):
    """What commands do in a directory, each with a witness that it alone can have."""

    def __init__(self, place: Place, wishes: Wishes, cannot: Callable[[MountError], None]) -> None:
        self._for_runs = ForRuns()
        super().__init__(place.directory, wishes, Faults(lambda: self._for_runs))
        self._place = place
        self._cannot = cannot
        self._ran: list[Ran] = []
        self._traces: list[Trace] = []
        """Of those that ended, and of those that were killed when their time was up."""
        self._unread: str | None = None
        """Why the recording of one that was killed can't be read."""
        if wishes.inject:
            self.faults.inject(*wishes.inject)

    @property
    def trace(self) -> Trace:
        """What the last command did, whenever it is asked."""
        return _TraceOfLast(self._last)

    @property
    def traces(self) -> Sequence[Trace]:
        """What each command did."""
        return self._traces

    def mark(self, name: str) -> None:
        """Refuse to: a command's recording has its own beginning and end."""
        raise UsageError(
            f"no mark {name!r} with witness={self._wishes.witness!r}: each traced_dir.run is "
            "recorded by itself"
        )

    def run(
        self, argv: Sequence[AnyPath], *, capture_output: bool, timeout: float | None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the directory, traced."""
        recording = self._place.recording
        keep = recording.with_name(f"{recording.stem}-run{len(self._traces)}.trace")
        try:
            ran = run(
                argv,
                self.directory,
                witness=self._wishes.witness,
                keep=keep,
                payload=self._wishes.payload or self._wishes.crash is not None,
                inject=self._for_runs.holding,
                capture_output=capture_output,
                timeout=timeout,
            )
        except MountError as error:
            self._cannot(error)
            raise
        except subprocess.TimeoutExpired:
            try:
                self._traces.append(Trace(keep))
            except TracefsError as error:
                self._unread = str(error)
            raise
        self._for_runs.take(ran.met, ran.struck)
        self._ran.append(ran)
        self._traces.append(ran.trace)
        return subprocess.CompletedProcess(list(argv), ran.returncode, ran.stdout, ran.stderr)

    def judge(self) -> None:
        """Fail the test unless each command kept the contracts."""
        if not (self._traces or self._judged) and self._wishes.judged:
            self._judged = True
            pytest.fail(f"unknown: {self._nothing()}", pytrace=False)
        if self._unread is not None and not self._judged and self._wishes.judged:
            self._judged = True
            pytest.fail(f"unknown: a command was killed: {self._unread}", pytrace=False)
        super().judge()

    def _judge_crashes(self, crash: "Crash") -> None:
        from tracefs.pytest_plugin.crashed import judge  # noqa: PLC0415  # most tests don't ask

        __tracebackhide__ = True
        for trace in self._traces:
            judge(crash, trace.recording, "")

    def end(self, *, keep: bool) -> None:
        """Remove what was recorded, unless it is to be kept."""
        if not keep:
            for trace in self.traces:
                remove(trace.recording)

    def _last(self) -> Trace:
        if not self._ran:
            raise UsageError(self._nothing())
        return self._ran[-1].trace

    def _nothing(self) -> str:
        return (
            f"nothing was recorded: with witness={self._wishes.witness!r} only what "
            "traced_dir.run starts is"
        )


class _TraceOfLast(Trace):
    """The trace of the last command, which may be still to come."""

    def __init__(self, last: Callable[[], Trace]) -> None:
        self._last = last
        self._root = ""
        self._section = None

    @property
    def recording(self) -> Path:
        """What is read."""
        return self._last().recording

    @property
    def header(self) -> Header:
        """What was recorded, how, and where."""
        return self._last().header


def _said(text: Callable[[], str]) -> str:
    try:
        lines = text().splitlines()
    except TracefsError as error:
        return f"it can't be read: {error}"
    if len(lines) > LONGEST:
        lines = [f"... {len(lines) - LONGEST} lines before", *lines[-LONGEST:]]
    return "\n".join(lines)
