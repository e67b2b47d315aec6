"""Calls as CSV (RFC 4180): the fields of ``show --json`` that are no lists, one call a record."""

import csv
import io
from collections.abc import Callable
from typing import Any, Final

from tracefs.report.call_json import CallRecord, fields
from tracefs.report.export import Export
from tracefs.trace.call import Call

_LISTS: Final = frozenset({"stack", "injected", "pages"})
COLUMNS: Final = (
    *(name for name in CallRecord.__struct_fields__ if name not in _LISTS), "rules",
)  # fmt: skip
"""``rules`` has the rules of injected faults, ``flags`` the flags, with ``|`` between."""


class Csv(Export):
    """A table whose empty fields are not known, or don't apply."""

    def __init__(self, page_size: int, locate: Callable[[Call], str | None]) -> None:
        self._page_size, self._locate = page_size, locate
        self._text = io.StringIO(newline="")
        self._table = csv.writer(self._text)

    def begin(self) -> bytes:
        """See `Export`."""
        return self._row(COLUMNS)

    def call(self, call: Call) -> bytes:
        """See `Export`."""
        known: dict[str, Any] = fields(call, self._page_size, self._locate(call))
        known["flags"] = "|".join(call.flags)
        known["rules"] = "|".join(one.rule for one in call.injected)
        return self._row(tuple(known[name] for name in COLUMNS))

    def _row(self, row: tuple[object, ...]) -> bytes:
        self._text.seek(0)
        self._text.truncate()
        self._table.writerow(row)
        return self._text.getvalue().encode("utf-8", "backslashreplace")
