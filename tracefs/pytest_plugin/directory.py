"""The directory that a test gets."""

from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, Any, Self

from tracefs.errors import UsageError

if TYPE_CHECKING:
    from tracefs.api import Trace
    from tracefs.pytest_plugin.recorded import Recorded


class TracedDir(PosixPath):
    """An empty directory whose calls are recorded; a path like any other."""

    _recorded: "Recorded | None" = None

    @classmethod
    def of(cls, path: Path, recorded: "Recorded") -> Self:
        """Return the directory at *path*, which *recorded* has the calls of."""
        made = cls(path)
        made._recorded = recorded
        return made

    @property
    def trace(self) -> "Trace":
        """What was done in it so far; paths are relative to it."""
        return self._its().trace

    def mark(self, name: str) -> None:
        """Begin a section: ``trace.section(name)`` has the calls from here to the next mark."""
        self._its().mark(name)

    def _its(self) -> "Recorded":
        if self._recorded is None:
            raise UsageError(f"{self} is a path below traced_dir: ask traced_dir itself")
        return self._recorded

    def with_segments(self, *segments: Any) -> PosixPath:
        """Return a plain path: what is derived from it is not the traced directory."""
        return PosixPath(*segments)

    def __reduce__(self) -> tuple[type[PosixPath], tuple[str]]:
        return PosixPath, (str(self),)

    def __repr__(self) -> str:
        return f"PosixPath({str(self)!r})"
