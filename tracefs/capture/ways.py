"""Which of the quicker ways a server takes, and which it does without.

Each does what pyfuse3 and the handlers would do, in less time, and relies on how they work: so it
is taken with versions that it was tested with, and can be switched off.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tracefs.versions import is_tested

PLAIN: Final = "TRACEFS_PLAIN"
"""Environment variable: which ways not to take, ``loop`` or ``shortcut`` or both, with a comma."""


class Ways(Struct, frozen=True):
    """The quicker ways that are taken."""

    loop: bool
    """Requests are waited for by `tracefs.capture.loop`."""
    shortcut: bool
    """Plain requests on open files are answered in C (``_shortcut.c``)."""


def choose(environment: Mapping[str, str], pyfuse3: str, trio: str) -> Ways:
    """Return what to take with these versions."""
    tested = is_tested("pyfuse3", pyfuse3) and is_tested("trio", trio)
    without = {word.strip() for word in environment.get(PLAIN, "").split(",")}
    return Ways(
        loop=tested and "loop" not in without, shortcut=tested and "shortcut" not in without
    )
