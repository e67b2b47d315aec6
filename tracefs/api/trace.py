"""A recording as a test asks about it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

from msgspec.structs import replace

from tracefs.api.call import Call
from tracefs.api.names import Chosen, choose
from tracefs.api.reading import Reading
from tracefs.api.seen import value
from tracefs.check import check
from tracefs.contracts.base import Contract
from tracefs.errors import RecordingError, UsageError
from tracefs.events import Header
from tracefs.findings import CheckResult
from tracefs.journal.reader import JournalReader
from tracefs.report import frame
from tracefs.report.selection import Selection
from tracefs.report.strace import COLUMNS, CallLines
from tracefs.trace import Call as Recorded
from tracefs.trace.unseen import unseen


class IncompleteError(RecordingError):
    """The recording may lack calls, so that a list of them would look whole and might not be."""


class Trace:
    """The calls of one recording, on the files below *root*.

    Each question reads the recording anew, from its beginning; `calls` keeps in memory what it
    returns, `check` keeps nothing. `tracefs.trace.Trace` is the same in one pass, call by call.

    >>> trace = Trace("tests/data/page-write-v3.jsonl")
    >>> trace.calls("*.db", only=("write", "sync"))
    [pwrite("pages.db", 4096, at=4096), fdatasync("pages.db")]
    >>> trace.complete, len(trace)
    (True, 4)
    >>> trace.check("page-write").verdict
    <Verdict.KEPT: 'kept'>

    Args:
        recording: Its folder, or its journal.
        root: Directory that paths are relative to, relative to the traced one (path text); calls
            elsewhere are left out, and counted in `outside`.

    Raises:
        RecordingError: There is no such recording. Every other method raises it, too, when what
            is there can't be read.
    """

    def __init__(self, recording: str | os.PathLike[str], root: str = "") -> None:
        self._recording = Path(recording)
        self._root = "" if root in {"", "."} else root.rstrip("/")
        self._section: str | None = None
        with JournalReader(self._recording) as reader:
            self._header = reader.header

    @property
    def recording(self) -> Path:
        """What is read."""
        return self._recording

    @property
    def header(self) -> Header:
        """What was recorded, how, and where."""
        return self._header

    @property
    def page_size(self) -> int:
        """Bytes in a page."""
        if self.header.page_size < 1:
            raise RecordingError(f"the header has a page size of {self.header.page_size}")
        return self.header.page_size

    @property
    def complete(self) -> bool:
        """Whether nothing is missing in it."""
        return self._counted().summary().complete

    @property
    def incomplete_because(self) -> str | None:
        """Why something may be missing; None: it is complete."""
        return self._counted().summary().incomplete_because

    @property
    def outside(self) -> int:
        """Number of calls on files elsewhere than below the root."""
        return self._counted().outside

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks in it, in their order; each begins a section of this name."""
        return tuple(self._counted().marks)

    def calls(
        self,
        path: str | None = None,
        only: str | Iterable[str] | None = None,
        *,
        pid: int | None = None,
        allow_incomplete: bool = False,
    ) -> list[Call]:
        """Return the calls that pass every condition, in the order in which they were complete.

        Args:
            path: Glob for the whole path or its last component, either of a rename's. A call whose
                file is not known passes: it may have been on this one.
            only: Families (``write``, ``sync``, ``open`` …) or names of calls (``pwrite``,
                ``fdatasync``); what is both is the family. A call that nobody could name passes
                where it may be one of these: it is ``unknown(...)``, and equals nothing else.
            pid: Of this process.
            allow_incomplete: Return what there is of a recording that lacks something.

        Raises:
            IncompleteError: The recording is not complete, or has no calls like *only*, whether
                they were made or not.
            UsageError: There is no such family or call.
        """
        chosen = None if only is None else choose(only)
        if chosen is not None and not allow_incomplete:
            self._require(chosen)
        with self._read(chosen, path, pid) as reading:
            found = [value(call, self.page_size, reading.locate) for call in reading.calls()]
            summary = reading.summary()
        if not (summary.complete or allow_incomplete):
            raise IncompleteError(
                f"the recording lacks something, so its calls are not all: "
                f"{summary.incomplete_because}",
                repair="allow_incomplete=True returns what there is",
            )
        return found

    def _require(self, chosen: Chosen) -> None:
        missing = unseen(chosen.names, chosen.families, self.header.notified)
        if missing:
            raise IncompleteError(
                f"whether {', '.join(missing)} was called is not known: the recording's witness "
                f"({self.header.witness}) isn't notified of it",
                repair="record by the witness seccomp, as run() does; "
                "allow_incomplete=True returns what there is",
            )

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls())

    def __len__(self) -> int:
        return len(self.calls())

    def __bool__(self) -> bool:
        return True  # a trace without calls is one

    def __repr__(self) -> str:
        section = "" if self._section is None else f".section({self._section!r})"
        root = f", root={self._root!r}" if self._root else ""
        return f"Trace({os.fspath(self.recording)!r}{root}){section}"

    def section(self, name: str) -> "Trace":
        """Return the part between the mark *name* and the next one, or the end.

        Raises:
            UsageError: There is no such mark.
        """
        part = copy(self)
        part._section = name  # noqa: SLF001  # its own class's
        marks = self._counted().marks
        if name not in marks:
            known = ", ".join(map(repr, marks)) or "none"
            raise UsageError(f"There is no mark {name!r} in the recording; it has {known}.")
        return part

    def check(
        self,
        *contracts: str | os.PathLike[str] | Contract,
        page_size: int | None = None,
        without: Iterable[str] = (),
        paths: Iterable[str] = (),
    ) -> CheckResult:
        """Judge it by *contracts*: names of built-in ones, contract files, or objects.

        Args:
            contracts: At least one.
            page_size: Bytes in a page; None: as recorded.
            without: Rules to leave out.
            paths: Globs that choose the files to judge; none: all.

        Raises:
            UsageError: There is no such contract or rule.
        """
        chosen = [
            each if not isinstance(each, os.PathLike) else os.fspath(each) for each in contracts
        ]
        with self._read() as reading:
            return check(
                reading,
                chosen,
                page_size=page_size,
                without=tuple(without),
                paths=tuple(paths),
            )

    def text(self) -> str:
        """Return what ``tracefs show`` prints of it."""
        with self._read() as reading:
            lines = CallLines(
                start_ns=self.header.start_ns, page_size=self.page_size, locate=reading.locate
            )
            calls = [lines.line(call) for call in reading.calls()]
            foot = frame.foot(reading.summary())
        source = "/".join(filter(None, (self.header.source, self._root)))
        head = frame.head(replace(self.header, source=source))
        return "\n".join([*head, COLUMNS, *calls, foot])

    def recorded(self, indices: frozenset[int]) -> list[tuple[Recorded, str | None]]:
        """Return the calls with these indices as recorded, and where each was made."""
        if not indices:
            return []
        with self._read() as reading:
            return [
                (call, reading.locate(call)) for call in reading.calls() if call.index in indices
            ]

    @contextmanager
    def _read(
        self, only: Chosen | None = None, path: str | None = None, pid: int | None = None
    ) -> Iterator[Reading]:
        with JournalReader(self.recording) as reader:
            yield self._reading(reader, only, Selection(path=path, pid=pid))

    def _reading(self, reader: JournalReader, only: Chosen | None, selection: Selection) -> Reading:
        return Reading(reader, self._root, only, selection, section=self._section)

    def _counted(self) -> Reading:
        with self._read() as reading:
            for _ in reading.items():
                pass
        return reading
