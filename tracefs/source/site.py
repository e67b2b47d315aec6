"""The place in a stack that its author wrote, in no C library, language runtime or interpreter."""

import re
from typing import Final

from tracefs.source.location import Location

_NOT_THEIRS: Final = re.compile(
    r"^(?:/rustc/|/usr/(?:include|lib)/|\./|\.\./|/build/|<)|/lib/python3\.\d+/|/rustlib/"
    r"|/go/src/(?:runtime|syscall|os|internal|io|bufio|sync)/|/golang\.org/x/sys"
    r"|/(?:library|\.cargo)/(?:std|core|alloc|registry)/"
)
_SYSTEM: Final = re.compile(r"^(?:/usr)?/lib(?:32|64)?/|/libpython3|/python3[.\d]*$")


def call_site(places: tuple[Location, ...]) -> Location | None:
    """Return the innermost place in somebody's own source, else outside the system's libraries.

    None: there is no such place.
    """
    for place in places:
        # Of an interpreter the function that it runs is told, not its own.
        own = place.module is not None and _SYSTEM.search(place.module)
        if place.line and place.file and not own and not _NOT_THEIRS.search(place.file):
            return place
    for place in places:
        if place.module is not None and not _SYSTEM.search(place.module):
            return place
    return None
