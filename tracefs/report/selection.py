"""Which calls to show."""

from typing import Final

from msgspec import Struct

from tracefs.pathtext import fits
from tracefs.trace.call import Call
from tracefs.trace.families import TWO_NAMES

_ALIASES: Final = {"pwrite": "pwrite64"}
"""Names that people know from the C library."""


class Selection(Struct, frozen=True, kw_only=True):
    """A call is chosen when it passes every condition; None or empty: no condition."""

    path: str | None = None
    """Glob (fnmatch) for path text; matches the whole path or its last component."""
    calls: frozenset[str] = frozenset()
    tid: int | None = None
    pid: int | None = None
    since_ns: int | None = None
    """Earliest start on the recording's clock, itself included."""
    until_ns: int | None = None
    """Latest start, itself included."""

    def matches(self, call: Call) -> bool:
        """Return whether *call* is chosen; what is not known of it passes no condition."""
        return (
            (not self.calls or call.call in self.calls)
            and self.tid in {None, call.tid}
            and self.pid in {None, _process(call)}
            and (self.since_ns is None or call.start_ns >= self.since_ns)
            and (self.until_ns is None or call.start_ns <= self.until_ns)
            and (self.path is None or _names(call, self.path))
        )


def call_names(text: str) -> frozenset[str]:
    """Return the names in the comma-separated *text*; ``pwrite`` stands for ``pwrite64``."""
    names = (name.strip() for name in text.split(","))
    return frozenset(_ALIASES.get(name, name) for name in names if name)


def _process(call: Call) -> int | None:
    """Return the process; a thread that can't be looked up is taken for a process's first one."""
    return call.tid if call.pid is None else call.pid


def _names(call: Call, pattern: str) -> bool:
    other = call.target if call.family in TWO_NAMES else None
    return any(fits(name, pattern) for name in (call.path, other) if name is not None)
