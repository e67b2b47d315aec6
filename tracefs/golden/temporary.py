"""Names that a program made up on the spot, by what the recording shows of them.

The form of a name alone proves nothing: ``pages.000001`` is no temporary file. A part of a name is
taken for made up where the file was made in this recording, and

- the part is the number of a process or thread of the recording, or
- the name says that it is temporary (``tmp``, ``temp``, ``.#``, ``~``), was gone in the end, and
  the part is a number, or six or more letters and digits that mkstemp(3) might have drawn, or
- it was made by a call that refuses an existing name, as mkstemp(3) does, and the part looks drawn.
"""

import re
from typing import Final

from tracefs.pathtext import printable
from tracefs.trace.call import Call

_MAKING: Final = frozenset({"mkdir", "mknod", "symlink", "link"})
"""Families of calls that never take an existing name."""
_LEAVING: Final = frozenset({"unlink", "rmdir", "rename"})
_SAYS_SO: Final = re.compile(r"tmp|temp|\.#|~|^#|\.part|\.new", re.IGNORECASE)
_PART: Final = re.compile(r"[A-Za-z0-9_]+")
_NUMBER: Final = re.compile(r"[0-9]+")
_COUNTED: Final = re.compile(r"[A-Za-z_]*[A-Za-z_](?=[1-9])")
"""A word that a number stands behind, as of Go's ``os.CreateTemp("", "pages*")``."""
_WORD: Final = re.compile(r"[a-z]+|[A-Z]+|(?:[A-Z][a-z]+)+")
_SURE_PID: Final = 4
"""Digits from which on a process's number in a name is hardly chance."""
_PREFIX: Final = re.compile(r"(?:etilqs_|tmp_?|temp_?)?", re.IGNORECASE)
"""What stands right before a drawn part: SQLite's, and Python's ``tmp``."""
_DRAWN: Final = 6
"""Letters and digits that mkstemp(3) draws; others draw more."""
_USUAL: Final = frozenset({_DRAWN, 8})
"""How many mkstemp(3) and Python's tempfile draw."""


class Temporaries:
    """Learns from all calls of a recording; afterwards gives each name that was made up.

    Memory grows with the number of names that were made.
    """

    def __init__(self) -> None:
        self._numbers: set[str] = set()
        self._made: dict[str, bool] = {}
        """By path: whether it was made by a call that refuses an existing name."""
        self._gone: set[str] = set()

    def feed(self, call: Call) -> None:
        """Take what the next call shows."""
        for number in (call.pid, call.tid):
            if number is not None:
                self._numbers.add(str(number))
        path = call.path
        if path is None or not call.done:
            return
        if call.family == "open" and call.created:
            self._make(path, exclusive="O_EXCL" in call.flags)
        elif call.family in _MAKING:
            self._make(path, exclusive=True)
        elif call.family in _LEAVING:
            self._gone.add(path)

    def _make(self, path: str, *, exclusive: bool) -> None:
        self._made[path] = exclusive or self._made.get(path, False)

    def template(self, path: str) -> tuple[str, str] | None:
        """Return what stands in the last component before and behind the part that was made up.

        Both as they stand in an entry; None: the path was not made up.
        """
        exclusive = self._made.get(path)
        if exclusive is None:
            return None
        name = path.rpartition("/")[2]
        found = self._part(name, exclusive=exclusive, gone=path in self._gone)
        if found is None:
            return None
        start, stop = found
        return escaped(name[:start]), escaped(name[stop:])

    def _part(self, name: str, *, exclusive: bool, gone: bool) -> tuple[int, int] | None:
        says_so = _SAYS_SO.search(name) is not None
        for match in _NUMBER.finditer(name):
            if match[0] in self._numbers and (len(match[0]) >= _SURE_PID or says_so):
                return match.span()
        if not (exclusive or (says_so and gone)):
            return None
        digits = (2 if says_so else 5) if gone else 9
        # Drawn parts stand at the end more often than not: pages.db.x7Gh2k.
        for match in reversed(list(_PART.finditer(name))):
            prefix = _PREFIX.match(match[0])
            start = match.start() + (0 if prefix is None else prefix.end())
            whole = start > match.start() or (match.end() == len(name) and start > 0)
            at = _drawn(name[start : match.end()], digits, word=whole and gone)
            if at is not None:
                return start + at, match.end()
        return None


def escaped(text: str) -> str:
    """Return path text as it stands in an entry, free of quotes and braces."""
    return printable(text, also='"{}')


def glob(text: str) -> str:
    """Return a glob for path text as one for entries, in which ``{1}`` is a number."""
    return printable(text, also='"')


def _drawn(text: str, digits: int, *, word: bool) -> int | None:
    """Return from where on *text* looks drawn by chance; None: it doesn't.

    *digits* are needed of a number. By *word* what looks like one is good enough, if it is as long
    as what is usually drawn: one in a hundred names of mkstemp(3) has letters of one case alone.
    """
    counted = _COUNTED.match(text)
    start = 0 if counted is None else counted.end()
    number = text[start:]
    if number.isdigit() and (counted is None or len(text) not in _USUAL):
        return start if len(number) >= digits and not number.startswith("0") else None
    if len(text) < _DRAWN:
        return None
    if _WORD.fullmatch(text) or "_" in text:
        return 0 if len(text) in _USUAL and (word or "_" in text[1:-1]) else None
    return 0
