"""The source line of a finding, taken apart for formats that point at files."""

import re
from typing import Final

from msgspec import Struct

from tracefs.findings import Finding

_PLACE: Final = re.compile(r"(?P<file>.+?):(?P<line>[0-9]+)(?: in .*)?", re.DOTALL)
"""As `tracefs.source.Location` spells it; what is ``libfoo.so+0x12`` names no line."""


class SourcePlace(Struct, frozen=True, kw_only=True):
    """A file, as path text, and a line in it, counted from 1."""

    file: str
    line: int


def source_place(finding: Finding, root: str | None = None) -> SourcePlace | None:
    """Return where *finding* was made, below *root* (path text) relative to it; None: not known."""
    found = None if finding.source is None else _PLACE.fullmatch(finding.source)
    if found is None:
        return None
    file, line = found["file"], int(found["line"])
    if root:
        file = file.removeprefix(root.rstrip("/") + "/")
    return SourcePlace(file=file, line=max(line, 1))
