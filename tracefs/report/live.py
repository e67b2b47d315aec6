"""What a recording shows while it is being made: totals, rates, files, syncs, findings."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tracefs.findings import Finding
from tracefs.report.durability import Durability
from tracefs.report.finding import heading
from tracefs.report.frame import plural
from tracefs.report.histogram import Histogram
from tracefs.report.quote import printable
from tracefs.trace.call import Call

_RECENT: Final = 512
"""Syncs that their latest times are taken of."""
_MOST_FILES: Final = 1 << 16
"""Files that are followed."""
_FOUND: Final = 5
_SYNCS: Final = frozenset({"sync", "syncdir"})


class FileNow(Struct, kw_only=True):
    """One file so far."""

    path: str
    calls: int = 0
    bytes: int = 0
    """Written."""
    syncs: int = 0
    waiting: int = 0
    """Bytes that no sync has covered."""


class Now(Struct, frozen=True, kw_only=True):
    """One moment."""

    calls: int
    unknown: int
    calls_a_second: float
    """Between the last call of the last moment, at first the first call, and that of this one."""
    failed: int
    syncs: int
    p50_ns: int
    p99_ns: int
    max_ns: int
    """Of the latest syncs that succeeded."""
    measured: int
    """How many these are; 0: none has succeeded."""
    waiting: int
    lower_bound: bool
    """More bytes may wait: there are more of them than are followed, or places are unknown."""
    files: tuple[FileNow, ...]
    """Those with most bytes that wait, then those with most calls."""
    files_in_all: int
    files_more: bool
    """There are more than that: not every file could be followed."""
    findings: tuple[Finding, ...]
    """The last ones."""
    found: int
    """How many there are."""
    ended: bool
    """The recording has ended."""
    incomplete_because: str | None
    """Once it has ended: what it lacks."""
    behind: bool
    """More is in it than was read so far."""


class Live:
    """Takes calls as they come, and tells how things are."""

    def __init__(self) -> None:
        self._durability = Durability()
        self._files: dict[int, FileNow] = {}
        self._files_more = False
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._calls = self._unknown = self._failed = self._syncs = 0
        self._told = 0
        self._last_ns = self._told_ns = 0

    def take(self, call: Call) -> None:
        """Take in a call, in the order of the trace."""
        self._calls += 1
        if self._calls == 1:
            self._told, self._told_ns = 1, call.start_ns
        self._last_ns = max(self._last_ns, call.start_ns)
        self._unknown += call.call == "unknown"
        self._failed += call.errno != 0
        effect = self._durability.take(call)
        if call.family in _SYNCS:
            self._syncs += 1
            if call.done:
                self._recent.append(call.end_ns - call.start_ns)
        ino = call.ino
        if ino is None:
            return
        file = self._files.get(ino)
        if file is None or effect.kind == "made":
            if file is None and len(self._files) >= _MOST_FILES:
                self._files_more = True
                return
            file = self._files[ino] = FileNow(path=call.path or "?")
        file.path = call.path or file.path
        file.calls += 1
        file.syncs += call.family in _SYNCS
        if call.family == "write" and call.done:
            file.bytes += call.result or 0

    def now(
        self,
        top: int,
        findings: tuple[Finding, ...] = (),
        *,
        ended: bool = False,
        incomplete_because: str | None = None,
        behind: bool = False,
    ) -> Now:
        """Return how things are, with *top* files."""
        times = Histogram()
        for took in self._recent:
            times.add(took)
        passed_ns = self._last_ns - self._told_ns if self._told_ns else 0
        rate = (self._calls - self._told) * 1e9 / passed_ns if passed_ns > 0 else 0.0
        self._told, self._told_ns = self._calls, self._last_ns
        durability = self._durability
        for ino, file in self._files.items():
            file.waiting = durability.unsynced.waiting(ino)
        files = sorted(self._files.values(), key=lambda one: (-one.waiting, -one.calls, one.path))
        return Now(
            calls=self._calls,
            unknown=self._unknown,
            calls_a_second=rate,
            failed=self._failed,
            syncs=self._syncs,
            p50_ns=times.percentile(50),
            p99_ns=times.percentile(99),
            max_ns=times.maximum,
            measured=times.count,
            waiting=durability.unsynced.total(),
            lower_bound=durability.lower_bound,
            files=tuple(files[:top]),
            files_in_all=len(files),
            files_more=self._files_more,
            findings=findings[-_FOUND:],
            found=len(findings),
            ended=ended,
            incomplete_because=incomplete_because,
            behind=behind,
        )


def summary(now: Now) -> Iterator[str]:
    """Yield the lines above the files."""
    making = "being made, more of it to be read" if now.behind else "being made"
    state = "ended" if now.ended else making
    unknown = f", {now.unknown} unknown" if now.unknown else ""
    yield (
        f"{plural(now.calls, 'call')} ({now.calls_a_second:,.0f} a second{unknown}), "
        f"{now.failed} failed; recording {state}"
    )
    if now.incomplete_because is not None:
        yield f"the recording is incomplete: {printable(now.incomplete_because)}"
    if now.measured:
        yield (
            f"{plural(now.syncs, 'sync')}, the latest: half within {_us(now.p50_ns)}, 99 % within "
            f"{_us(now.p99_ns)}, the slowest {_us(now.max_ns)}"
        )
    else:
        yield f"{plural(now.syncs, 'sync')}, none that succeeded"
    yield f"not synced: {'at least ' if now.lower_bound else ''}{plural(now.waiting, 'byte')}"


def row(file: FileNow) -> tuple[str, str, str, str, str]:
    """Return the columns of a file: bytes not synced, calls, bytes written, syncs, its name."""
    return (
        f"{file.waiting:,}", f"{file.calls:,}", f"{file.bytes:,}", f"{file.syncs:,}",
        printable(file.path),
    )  # fmt: skip


COLUMNS: Final = ("not synced", "calls", "written", "syncs", "file")


def lines(now: Now) -> Iterator[str]:
    """Yield all of it as plain lines."""
    yield from summary(now)
    yield "  ".join([*(f"{name:>12}" for name in COLUMNS[:-1]), COLUMNS[-1]])
    for file in now.files:
        *numbers, path = row(file)
        yield "  ".join([*(f"{number:>12}" for number in numbers), path])
    hidden = now.files_in_all + now.files_more - len(now.files)
    if hidden:
        yield f"and {'at least ' if now.files_more else ''}{plural(hidden, 'more file')}"
    yield from found(now)


def found(now: Now) -> Iterator[str]:
    """Yield the last findings, a line each."""
    if now.found > len(now.findings):
        yield f"{plural(now.found, 'finding')}, the last:"
    yield from map(heading, now.findings)


def _us(nanoseconds: int) -> str:
    return f"{nanoseconds / 1000:,.0f} us"
