"""Where keys and values begin in a TOML text; what they are, tomllib says.

The scanner judges nothing: what is not TOML is tomllib's to refuse.
"""

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from tracefs.errors import TextFileError
from tracefs.placed.place import Place
from tracefs.placed.snippet import error_at

MAX_NESTING: Final = 16
"""Tables and arrays in each other, and parts of a dotted key: tomllib takes the square of them."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BLANK: Final = re.compile(r"[ \t]*")
_BETWEEN: Final = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_SCALAR: Final = re.compile(r"\d{4}-\d\d-\d\d [0-9:.Z+-]+|[^\s,\]}#]+")
_FOLDED: Final = re.compile(r"\\[ \t]*\n[ \t\n]*")
_ESCAPED: Final = {"u": 6, "U": 10}


@dataclass
class Mark:
    """Where a value begins, what it is and what is in it."""

    at: int
    key: int
    table: "dict[str, Mark] | None" = None
    array: "list[Mark] | None" = None


class OddError(Exception):
    """The scanner can't go on: what follows is no TOML, or refused by tomllib for another cause."""


class Lines:
    """Offsets in a text as lines and columns."""

    def __init__(self, text: str, origin: str) -> None:
        self.text = text
        self.origin = origin
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(self, offset: int) -> Place:
        """Return the place of the character at *offset*."""
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)

    def error(self, offset: int, what: str) -> TextFileError:
        """Return an error that points at *offset*."""
        return error_at(self.origin, self.place(offset), what)


class Scanner:
    """Walks over a text once."""

    def __init__(self, text: str, lines: Lines) -> None:
        self._text = text
        self._lines = lines
        self._at = 0

    def root(self) -> Mark:
        """Return the marks of the whole text."""
        root = current = Mark(0, 0, table={})
        while True:
            self._skip(_BETWEEN)
            if self._at >= len(self._text):
                return root
            if self._text[self._at] == "[":
                current = self._header(root)
            else:
                self._pair(current, 1)

    def _header(self, root: Mark) -> Mark:
        begin = self._at
        several = self._text.startswith("[[", begin)
        self._at += 2 if several else 1
        *path, (name, key) = self._key()
        self._expect("]]" if several else "]")
        table = root
        for part, at in path:
            table = _within(table, part, at)
        if not several:
            return _within(table, name, key)
        assert table.table is not None
        array = table.table.setdefault(name, Mark(begin, key, array=[])).array
        if array is None:
            raise OddError
        array.append(Mark(begin, key, table={}))
        return array[-1]

    def _pair(self, table: Mark, depth: int) -> None:
        *path, (name, key) = self._key()
        self._expect("=")
        for part, at in path:
            table = _within(table, part, at)
        assert table.table is not None
        if name in table.table:
            raise OddError
        table.table[name] = self._value(key, depth)

    def _key(self) -> list[tuple[str, int]]:
        """Return the parts of a dotted key, each with its offset."""
        parts: list[tuple[str, int]] = []
        while True:
            self._skip(_BLANK)
            at = self._at
            if self._text[at : at + 1] in {'"', "'"}:
                end, starts = string_marks(self._text, at)
                part = _spelled(self._text, at, end) if starts else ""
                self._at = end
            else:
                found = _BARE.match(self._text, at)
                if found is None:
                    raise OddError
                part = found[0]
                self._at = found.end()
            parts.append((part, at))
            if len(parts) > MAX_NESTING:
                raise self._lines.error(at, f"expected a key of at most {MAX_NESTING} parts")
            self._skip(_BLANK)
            if self._text[self._at : self._at + 1] != ".":
                return parts
            self._at += 1

    def _value(self, key: int, depth: int) -> Mark:
        self._skip(_BLANK)
        if depth > MAX_NESTING:
            raise self._lines.error(self._at, f"expected no more than {MAX_NESTING} values nested")
        mark = Mark(self._at, key)
        first = self._text[self._at : self._at + 1]
        if first in {'"', "'"}:
            self._at, _ = string_marks(self._text, self._at)
        elif first == "[":
            mark.array = self._array(key, depth)
        elif first == "{":
            mark.table = {}
            self._inline(mark, depth)
        else:
            found = _SCALAR.match(self._text, self._at)
            if found is None:
                raise OddError
            self._at = found.end()
        return mark

    def _array(self, key: int, depth: int) -> list[Mark]:
        items: list[Mark] = []
        self._at += 1
        while True:
            self._skip(_BETWEEN)
            if self._taken("]"):
                return items
            items.append(self._value(key, depth + 1))
            self._skip(_BETWEEN)
            if not self._taken(","):
                self._expect("]")
                return items

    def _inline(self, mark: Mark, depth: int) -> None:
        self._at += 1
        while True:
            self._skip(_BETWEEN)
            if self._taken("}"):
                return
            self._pair(mark, depth + 1)
            self._skip(_BETWEEN)
            if not self._taken(","):
                self._expect("}")
                return

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _taken(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _expect(self, mark: str) -> None:
        self._skip(_BLANK)
        if not self._taken(mark):
            raise OddError


def _within(table: Mark, name: str, at: int) -> Mark:
    """Return the table *name* in *table*, of an array of tables the last."""
    assert table.table is not None
    found = table.table.setdefault(name, Mark(at, at, table={}))
    if found.array:
        found = found.array[-1]
    if found.table is None:
        raise OddError
    return found


def _spelled(text: str, at: int, end: int) -> str:
    """Return the key that is quoted between *at* and *end*."""
    try:
        [name] = tomllib.loads(f"{text[at:end]} = 0")
    except (ValueError, RecursionError):
        raise OddError from None
    return name


def string_marks(text: str, at: int) -> tuple[int, list[int]]:
    """Return where the string that begins at *at* ends, and the offset of each of its characters.

    The last offset is that of its closing quotes.
    """
    quote = text[at]
    multi = text.startswith(quote * 3, at)
    close = quote * 3 if multi else quote
    at += len(close)
    if multi and text.startswith("\n", at):
        at += 1
    starts: list[int] = []
    while at < len(text):
        if text.startswith(close, at):
            if multi:  # one or two quotes may stand before the closing ones
                more = re.compile(f"{quote}{{0,2}}").match(text, at + 3)
                extra = 0 if more is None else len(more[0])
                starts.extend(range(at, at + extra))
                at += extra
            starts.append(at)
            return at + len(close), starts
        if text[at] == "\n" and not multi:
            raise OddError
        if text[at] == "\\" and quote == '"':
            folded = _FOLDED.match(text, at) if multi else None
            if folded is not None:
                at = folded.end()
                continue
            starts.append(at)
            at += _ESCAPED.get(text[at + 1 : at + 2], 2)
        else:
            starts.append(at)
            at += 1
    raise OddError
