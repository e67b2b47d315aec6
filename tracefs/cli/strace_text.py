"""A file of strace's in the place of a recording."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracefs.journal.imported import directory_of
from tracefs.journal.reader import Source
from tracefs.pathtext import to_text

if TYPE_CHECKING:
    from tracefs.strace.text import StraceText


@contextmanager
def text_file(source: Source) -> Iterator["StraceText | None"]:
    """Give *source* where it is a file that strace wrote, else None."""
    if source == "-" or not source.is_file():
        yield None
        return
    from tracefs.strace.text import open_text  # noqa: PLC0415  # most sources are recordings

    with source.open("rb") as file:
        yield open_text(file, to_text(os.fsencode(source)), directory_of(source))
