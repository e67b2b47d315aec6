"""One pass over a recording: the calls below a directory that are asked for."""

from collections.abc import Iterator

from tracefs.api.names import Chosen
from tracefs.api.seen import below
from tracefs.events import Header
from tracefs.findings import TraceSummary
from tracefs.report.selection import Selection
from tracefs.source import Resolver, call_site
from tracefs.trace import Call, Journal, Trace, TraceItem


class Reading:
    """Is to `tracefs.check` what `tracefs.trace.Trace` is; read once."""

    def __init__(
        self, journal: Journal, root: str, only: Chosen | None, selection: Selection
    ) -> None:
        self._trace = Trace(journal)
        self._root = root
        self._only = only
        self._selection = selection
        self._resolver: Resolver | None = None
        self._header = journal.header
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
        for item in self._trace.items():
            if not isinstance(item, Call):
                yield item
                continue
            call = below(item, self._root)
            if call is None:
                self.outside += 1
                continue
            self._inside += 1
            self._unknown += call.call == "unknown"
            yield call

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

    def _is_asked_for(self, call: Call) -> bool:
        if self._only is not None and not self._only.covers(call.call, call.family):
            return False
        if call.path is None and call.family != "syncfs":
            # It may have been on the file that is asked for.
            return self._selection.pid in {None, call.tid if call.pid is None else call.pid}
        return self._selection.matches(call)
