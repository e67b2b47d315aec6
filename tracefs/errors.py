"""The errors of tracefs, and whose fault each is.

::

    TracefsError
    ├── UsageError            the command line asks for what doesn't exist
    │   ├── TextFileError     a file that somebody wrote says what can't be understood
    │   └── RuleError         a rule of fault injection says what can't be understood or done
    ├── MountError            the mount can't be made or ended: the machine or the directory
    │   └── SetupError        something is not installed or not permitted
    └── RecordingError        the recording can't be read or written: the file

Each carries the exit code that the command line ends with and, where there is one, a repair.
"""

from typing import ClassVar


class TracefsError(Exception):
    """Something a person can act on: one clear line, and how to mend it."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, repair: str | None = None) -> None:
        super().__init__(message)
        self.repair = repair
        if repair is not None:
            self.add_note(f"repair: {repair}")  # so that a traceback tells it


class UsageError(TracefsError):
    """The command line asks for something that doesn't exist."""

    exit_code = 2


class TextFileError(UsageError):
    """A file of contracts or rules can't be understood: it begins with ``FILE:LINE:COLUMN:``."""

    def __init__(self, origin: str, line: int, column: int, what: str) -> None:
        super().__init__(f"{origin}:{line}:{column}: {what}")
        self.origin = origin
        self.line = line
        self.column = column
        self.what = what


class RuleError(UsageError):
    """A rule of fault injection can't be understood, or contradicts itself or another."""


class MountError(TracefsError):
    """The filesystem can't be mounted or unmounted."""


class SetupError(MountError):
    """The machine lacks something: a device, a helper, a permission, a part of tracefs."""


class RecordingError(TracefsError):
    """A recording can't be read or written."""
