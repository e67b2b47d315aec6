"""The text of a file that somebody wrote."""

import os
from typing import Final

from tracefs.errors import TextFileError, UsageError

MAX_CHARACTERS: Final = 1 << 18
"""More is read of no file than shows that it has more."""


def read(path: str | os.PathLike[str], origin: str, what: str, repair: str | None = None) -> str:
    """Return the text of the file *path*, cut where it has more characters than it may have.

    Args:
        path: The file.
        origin: What messages call it.
        what: It is: a contract file …
        repair: What to do where it can't be read.

    Raises:
        TextFileError: It is no UTF-8.
        UsageError: It can't be read.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(4 * MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:  # a path with NUL is a ValueError
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"The {what} {origin} can't be read: {why}.", repair=repair) from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        raise TextFileError(
            origin, before.count(b"\n") + 1, column, "expected UTF-8, saw bytes that are none"
        ) from None
