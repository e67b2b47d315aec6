"""Files of pages of 4096 bytes, as pagealloc writes them: each page with a magic, then its payload.

Looked at: files that an acknowledgement names, and those that have the magic where a page begins. A
page that was acknowledged has to be there, with its header, and with its payload where TEXT is
given. Any other page may be a write that was under way: there, absent, zeros, or without some of
its sectors. Only a first sector with something else in it is wrong.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tracefs.crash.checkers import tree
from tracefs.crash.checkers.facts import not_understood
from tracefs.crash.checkers.ready import Ready

PAGE_SIZE: Final = 4096
HEADER: Final = (0x4453453150414745).to_bytes(8, "little") + bytes(8)
"""docs/reference/pagealloc.md: the magic, and eight zeros."""
_SECTOR: Final = 512
_ACK: Final = re.compile(r"(.+?) (\d{1,15})(?: (.*))?", re.DOTALL)
_FORM: Final = "PATH PAGE_NO [TEXT]"

_Pages = dict[int, str | None]
"""Pages that were acknowledged, by their numbers: the payload, where it was told."""


def ask(directory: Path, acks: Sequence[str]) -> str | None:
    """Return what is wrong with the files of pages below *directory*, None: nothing.

    Raises:
        CheckerError: an acknowledgement isn't understood.
    """
    acknowledged: dict[str, _Pages] = {}
    for ack in acks:
        matched = _ACK.fullmatch(ack)
        if matched is None:
            raise not_understood(ack, _FORM)
        acknowledged.setdefault(matched[1], {})[int(matched[2])] = matched[3]
    for name, pages in acknowledged.items():
        path = tree.inside(directory, name)
        if not path.is_file():
            return f"{name}: absent; page {min(pages)} of it was acknowledged"
        if (wrong := _wrong(path, name, pages)) is not None:
            return wrong
    for path in tree.files(directory):
        name = str(path.relative_to(directory))
        if name in acknowledged or not _has_pages(path):
            continue
        if (wrong := _wrong(path, name, {})) is not None:
            return wrong
    return None


def _has_pages(path: Path) -> bool:
    with path.open("rb") as file:
        while page := file.read(PAGE_SIZE):
            if page.startswith(HEADER[:8]):
                return True
    return False


def _wrong(path: Path, name: str, acknowledged: _Pages) -> str | None:
    """Return what is wrong with the file *path*."""
    size = path.stat().st_size
    for number in sorted(acknowledged):
        if size <= number * PAGE_SIZE:
            return f"{name}: page {number} was acknowledged, and the file has {size} bytes"
    with path.open("rb") as file:
        number = 0
        while page := file.read(PAGE_SIZE):
            if number in acknowledged:
                fault = _fault(page, acknowledged[number])
                if fault is not None:
                    return f"{name}: page {number} was acknowledged; {fault}"
            elif not _may_be_under_way(page):
                return f"{name}: page {number}: {_fault(page, None)}"
            number += 1
    return None


def _may_be_under_way(page: bytes) -> bool:
    first = page[:_SECTOR]
    return not any(first) or first.startswith(HEADER[: len(first)])


def _fault(page: bytes, text: str | None) -> str | None:
    """Return what is wrong with *page*, whose payload was told to be *text*."""
    if len(page) != PAGE_SIZE:
        return f"it has {len(page)} of {PAGE_SIZE} bytes"
    if not any(page):
        return "it is all zero: lost"
    if not page.startswith(HEADER[:8]):
        return f"its magic is wrong: 0x{int.from_bytes(page[:8], 'little'):016x}"
    if not page.startswith(HEADER):
        return "its bytes 8 to 15 are not zero"
    payload = page[len(HEADER) :]
    if text is not None and payload.rstrip(b"\0") != text.encode("utf-8", "surrogateescape"):
        return f"its payload is {payload.rstrip(bytes(1))[:40]!r}, not {text[:40]!r}"
    return None


READY: Final = Ready(
    name="page-file",
    help="pages of pagealloc: headers right, acknowledged pages there",
    acks=_FORM,
    ask=ask,
)
