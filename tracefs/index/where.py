"""A selection of calls as a condition in SQL that none of them fails.

The condition is wider than the selection where SQL has no word for it: whoever reads the rows holds
each call to the selection itself. So there is one place that decides.
"""

import re
from typing import Final, NamedTuple

from tracefs.report.selection import Selection
from tracefs.trace.families import TWO_NAMES

_SPECIAL: Final = re.compile(r"[*?]")
_LIMIT: Final = 2**63


class Condition(NamedTuple):
    """SQL for WHERE, with its parameters."""

    sql: str
    parameters: list[object]


def condition(chosen: Selection, *, reads: bool, exact: bool) -> Condition:
    """Return what all rows satisfy that hold one of the *chosen* calls.

    Args:
        chosen: the selection.
        reads: with page fetches, too.
        exact: the table has rows whose columns don't hold all of the call; all these are chosen.
    """
    parts: list[str] = []
    parameters: list[object] = []

    def add(sql: str, *values: object) -> None:
        parts.append(sql)
        parameters.extend(values)

    if chosen.calls:
        add(f'"call" IN ({", ".join("?" * len(chosen.calls))})', *sorted(chosen.calls))
    for sql, number in (
        ("tid = ?", chosen.tid),
        ("coalesce(pid, tid) = ?", chosen.pid),
        ("start_ns >= ?", chosen.since_ns),
        ("start_ns <= ?", chosen.until_ns),
    ):
        if number is not None and -_LIMIT < number < _LIMIT:
            add(sql, number)
    text = "" if chosen.path is None else _literal(chosen.path)
    if text:
        families = ", ".join(f"'{family}'" for family in sorted(TWO_NAMES))
        add(f"(contains(path, ?) OR (family IN ({families}) AND contains(target, ?)))", text, text)
    found = " AND ".join(parts) or "true"
    if exact:
        found = f"({found}) OR exact IS NOT NULL"
    if not reads:
        found = f'"index" IS NOT NULL AND ({found})'
    return Condition(found, parameters)


def _literal(glob: str) -> str:
    """Return the longest text that is in each name that *glob* (fnmatch) matches."""
    before, *_ = glob.split("[", 1)  # what is in brackets, and where they end, is left to fnmatch
    return max(_SPECIAL.split(before), key=len)
