"""A call as one JSON object: the output of ``tracefs show --json``.

Field names and meanings are those of `tracefs.trace.call.Call`, units included; ``null`` stands for
what is not known, or does not apply.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from tracefs.events import Frame, Injected
from tracefs.report.jsonline import line
from tracefs.report.pages import pages_of
from tracefs.report.strace import error_name
from tracefs.trace.call import Call


class CallRecord(Struct, frozen=True, kw_only=True):
    """The fields in the order in which they are printed."""

    index: int | None
    """null: the fetching of pages, which is no call."""
    call: str
    family: str
    known_by: str | None
    path: str | None
    offset: int | None
    length: int | None
    result: int | None
    errno: str | None
    """Name such as ``ENOSPC``; null: success."""
    pid: int | None
    tid: int | None
    comm: str | None
    start_ns: int
    end_ns: int
    flags: tuple[str, ...]
    fragments: int
    pages: tuple[int, int] | None
    """First and last page of a write."""
    ino: int | None
    handle: int | None
    fd: int | None
    position: int | None
    synced_by: str | None
    target: str | None
    created: bool | None
    size: int | None
    datasync: bool
    note: str | None
    writable: bool | None
    source: str | None
    """``file:line in function`` of the call; null: not known."""
    stack: tuple[Frame, ...]
    unstacked: str | None
    """Why the stack is missing or cut short."""
    reason: str | None
    replaced: bool | None
    injected: tuple[Injected, ...]
    """Faults that were made on purpose, and the rules that made them."""
    after_failed: int | None
    """Index of the sync that failed just before this one, which proves nothing therefore."""


def call_line(call: Call, page_size: int, source: str | None = None) -> str:
    """Return *call*, made at *source*, as one line of JSON; *page_size* in bytes."""
    return line(CallRecord(**fields(call, page_size, source)))


def fields(call: Call, page_size: int, source: str | None) -> dict[str, Any]:
    """Return the fields of a `CallRecord`, by name."""
    errno = error_name(call.errno) if call.errno else None
    pages = _pages(call, page_size)
    index = None if call.index < 0 else call.index
    changed = {"index": index, "errno": errno, "pages": pages, "source": source}
    return asdict(call) | changed


def _pages(call: Call, page_size: int) -> tuple[int, int] | None:
    length = call.result if call.length is None else call.length
    if call.family != "write" or call.offset is None or length is None:
        return None
    pages = pages_of(call.offset, length, page_size)
    return pages.first, pages.last
