"""Calls as JSON Lines: what ``tracefs show --json`` prints."""

from collections.abc import Callable

from tracefs.report.call_json import call_line
from tracefs.report.export import Export
from tracefs.trace.call import Call


class JsonLines(Export):
    """One object a line."""

    def __init__(self, page_size: int, locate: Callable[[Call], str | None]) -> None:
        self._page_size, self._locate = page_size, locate

    def call(self, call: Call) -> bytes:
        """See `Export`."""
        return f"{call_line(call, self._page_size, self._locate(call))}\n".encode()
