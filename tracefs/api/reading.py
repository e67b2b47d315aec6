"""One pass over a recording: the calls below a directory that are asked for."""

from collections.abc import Iterator

from tracefs.api.names import Chosen
from tracefs.api.seen import below
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.report.selection import Selection
from tracefs.source import Resolver, call_site
from tracefs.trace import Call, Journal, Marked, Trace, TraceItem
from tracefs.trace.handles import NOT_OPENED


class Reading:
    """Is to `tracefs.check` what `tracefs.trace.Trace` is; read once.

    Args:
        journal: not read yet.
        root: directory that paths are relative to; path text, empty for the traced one.
        only: what `calls` yields; None: all.
        selection: what else it asks of them.
        section: the mark whose section alone is read; None: all.
        is_new: *root* was made for this recording, so that what was opened before lies elsewhere.
    """

    def __init__(
        self,
        journal: Journal,
        root: str,
        only: Chosen | None,
        selection: Selection,
        *,
        section: str | None = None,
        is_new: bool = False,
    ) -> None:
        self._trace = Trace(journal)
        self._root = root
        self._only = only
        self._selection = selection
        self._section = section
        self._is_new = is_new
        self._resolver: Resolver | None = None
        self._header = journal.header
        self.marks: list[str] = []
        self.outside = 0
        """Calls on files that are not below the root."""
        self._inside = 0
        self._unknown = 0

    @property
    def header(self) -> Header:
        """The journal's first line."""
        return self._header

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases of files below the root, once."""
        within = self._section is None
        for item in self._trace.marked():
            if isinstance(item, Marked):
                self.marks.append(item.text)
                within = self._section in {None, item.text}
            elif within:
                yield from self._below(item)

    def calls(self) -> Iterator[Call]:
        """Yield the calls that are asked for."""
        for item in self.items():
            if isinstance(item, Call) and self._is_asked_for(item):
                yield item

    def summary(self) -> TraceSummary:
        """Return how much there was below the root; only after the last item."""
        whole = self._trace.summary()
        return TraceSummary(
            complete=whole.complete,
            calls=self._inside,
            unknown_calls=self._unknown,
            incomplete_because=whole.incomplete_because,
        )

    def locate(self, call: Call) -> str | None:
        """Return ``file:line in function`` of *call*; None: not known."""
        if not call.stack:
            return None
        if self._resolver is None:
            self._resolver = Resolver(self._header.started)
        site = call_site(self._resolver.resolve(call.stack))
        return None if site is None else str(site)

    def _below(self, item: TraceItem) -> Iterator[TraceItem]:
        if not isinstance(item, Call):
            yield item
            return
        call = None if self._is_of_before(item) else below(item, self._root)
        if call is None:
            self.outside += 1
            return
        self._inside += 1
        self._unknown += call.call == "unknown"
        yield call

    def _is_of_before(self, call: Call) -> bool:
        return self._is_new and call.path is None and NOT_OPENED in (call.reason or "")

    def _is_asked_for(self, call: Call) -> bool:
        if self._only is not None and not self._only.covers(call):
            return False
        if call.path is None and call.family != "syncfs":
            # It may have been on the file that is asked for.
            return self._selection.pid in {None, call.tid if call.pid is None else call.pid}
        return self._selection.matches(call)
