"""The directory that a test gets."""

from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, Any, Self

from tracefs.errors import UsageError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from tracefs.api import Trace
    from tracefs.api.faults import Faults
    from tracefs.api.folder import AnyPath
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

    @property
    def faults(self) -> "Faults":
        """Faults that are made in it on purpose; none is left when the test has ended."""
        return self._its().faults

    def mark(self, name: str) -> None:
        """Begin a section: ``trace.section(name)`` has the calls from here to the next mark."""
        self._its().mark(name)

    def run(
        self,
        argv: "Sequence[AnyPath]",
        *,
        capture_output: bool = False,
        timeout: float | None = None,
        check: bool = True,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command with this as its working directory, without standard input; wait for it.

        With ``@pytest.mark.tracefs(witness="seccomp")`` or ``"full"`` it is recorded by itself, by
        that witness; ``trace`` has what the last command did, and nothing of the test's own
        process.

        Args:
            argv: The command and its arguments.
            capture_output: Keep what it writes to standard output and error, as text.
            timeout: Seconds after which it is killed.
            check: Raise subprocess.CalledProcessError unless it exits with 0.

        Returns:
            Its exit status (128 + N if signal N ended it), and what was captured.
        """
        __tracebackhide__ = True
        done = self._its().run(argv, capture_output=capture_output, timeout=timeout)
        if check:
            done.check_returncode()
        return done

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
