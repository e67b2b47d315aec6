"""Programs that suites need, and which package of Debian brings each."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """One program, found on PATH or not."""

    name: str
    debian: str
    """Package of Debian that has it."""

    @property
    def path(self) -> str | None:
        """Where it is; None: nowhere."""
        return shutil.which(self.name)


DBENCH = Program("dbench", debian="dbench")
