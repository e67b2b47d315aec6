"""Names of the levels, for whoever needs no more (see `tracefs.witness.levels`)."""

from typing import Final

NONE: Final = "none"
PROC: Final = "proc"
SECCOMP: Final = "seccomp"
FULL: Final = "full"
LEVELS: Final = (NONE, PROC, SECCOMP, FULL)
