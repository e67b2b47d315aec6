"""One directory of a test while it is recorded, and what becomes of its recording."""

from collections.abc import Callable, Iterator

import pytest

from tracefs.api import Trace
from tracefs.api.folder import Folder
from tracefs.api.judged import verdict_text
from tracefs.api.sofar import RecordedTrace
from tracefs.capture.messages import Settled
from tracefs.errors import TracefsError
from tracefs.findings import Verdict
from tracefs.pytest_plugin.directory import TracedDir
from tracefs.pytest_plugin.mount import Place, SessionMount, remove
from tracefs.pytest_plugin.wishes import Wishes

LONGEST = 200
"""Lines of a trace in a report."""


class Recorded:
    """A recording of one directory."""

    def __init__(self, mount: SessionMount, place: Place, wishes: Wishes) -> None:
        self._mount = mount
        self._place = place
        self._wishes = wishes
        self._ended = False
        folder = Folder(place.directory, place.recording)
        self._trace = RecordedTrace(folder, self._settle, place.root, is_new=True)
        self._judged = False
        self._told = False
        self.directory = TracedDir.of(place.directory, self)
        self.failed = False
        """Something went wrong while it was recorded."""

    @property
    def trace(self) -> Trace:
        """What was done so far."""
        return self._trace

    def mark(self, name: str) -> None:
        """Begin a section."""
        self._mount.mark(name)

    def judge(self) -> None:
        """Fail the test unless the contracts are kept that it asks for; once."""
        if self._judged or not self._wishes.contracts:
            return
        self._judged = True
        wishes = self._wishes
        result = self._trace.check(
            *wishes.contracts,
            page_size=wishes.page_size,
            without=wishes.without,
            paths=wishes.paths,
        )
        if result.verdict is not Verdict.KEPT:
            pytest.fail(verdict_text(self._trace, result), pytrace=False)

    def end(self) -> None:
        """End the recording."""
        try:
            self._mount.end()
        finally:
            self._ended = True

    def _settle(self) -> Settled | None:
        return None if self._ended else self._mount.settle()

    def forget(self) -> None:
        """Remove the recording."""
        remove(self._place.recording)

    def empty(self) -> None:
        """Remove what was left in the directory."""
        remove(self._place.directory)

    def sections(self, *, kept: bool) -> Iterator[tuple[str, str]]:
        """Yield what the report of a failed test says of it, heading and text; once."""
        if self._told or not self._place.recording.exists():
            return
        self._told = True
        where = (
            f"recording: tracefs show {self._place.recording}"
            if kept
            else "recording: not kept (tracefs_keep)"
        )
        yield "tracefs", f"{where}\n{_said(self._trace.text)}"


def _said(text: Callable[[], str]) -> str:
    try:
        lines = text().splitlines()
    except TracefsError as error:
        return f"it can't be read: {error}"
    if len(lines) > LONGEST:
        lines = [f"... {len(lines) - LONGEST} lines before", *lines[-LONGEST:]]
    return "\n".join(lines)
