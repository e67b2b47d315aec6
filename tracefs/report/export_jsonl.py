"""Calls as JSON Lines: what ``tracefs show --json`` prints."""

from collections.abc import Callable

from tracefs.findings import TraceSummary
from tracefs.report.call_json import call_line
from tracefs.trace.call import Call


class JsonLines:
    """One object a line."""

    left_out = 0

    def __init__(self, page_size: int, locate: Callable[[Call], str | None]) -> None:
        self._page_size, self._locate = page_size, locate

    def begin(self) -> bytes:
        """See `tracefs.report.export.Export`."""
        return b""

    def call(self, call: Call) -> bytes:
        """See `tracefs.report.export.Export`."""
        return f"{call_line(call, self._page_size, self._locate(call))}\n".encode()

    def end(self, summary: TraceSummary) -> bytes:
        """See `tracefs.report.export.Export`."""
        del summary
        return b""
