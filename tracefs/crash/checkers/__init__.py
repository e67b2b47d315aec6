"""Checkers that come with tracefs: each says of a directory whether what a program keeps is there.

`find` gives one by its name. Each has a module of its own, which says what files it looks at and
what the text of an acknowledgement means to it. All follow the same rules:

- a directory without the files is good as long as nothing was acknowledged;
- files that are there and can't be opened are bad;
- files that are absent after an acknowledgement are bad;
- an acknowledgement that isn't understood, or a program that isn't installed, is an error of the
  question (`CheckerError`), and says nothing of the state.
"""

from typing import Final

from tracefs.crash.checkers import git, json_files, lmdb, page_file, sqlite
from tracefs.crash.checkers.ready import Ready

_ALL: Final = {
    one.name: one
    for one in (page_file.READY, sqlite.READY, lmdb.READY, git.READY, json_files.READY)
}


def find(name: str) -> Ready | None:
    """Return the checker of that name; None: there is none."""
    return _ALL.get(name)


def names() -> tuple[str, ...]:
    """Return the names of all, in the order of the manual."""
    return tuple(_ALL)
