"""TOML values with the line and column of each: values are tomllib's, places are found beside it.

tomllib gives no places; `toml_scan` finds them in the same text.
"""

import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tracefs.errors import TextFileError
from tracefs.placed.files import MAX_CHARACTERS
from tracefs.placed.place import Place
from tracefs.placed.snippet import Snippet, error_at
from tracefs.placed.toml_scan import Lines, Mark, OddError, Scanner, string_marks

_TOML_ERROR: Final = re.compile(
    r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL
)


@dataclass(frozen=True)
class Located:
    """A value of a TOML file and its place."""

    origin: str
    value: Any
    place: Place
    key: Place
    """Place of its key; of an array's item that of the array."""
    table: "dict[str, Located]" = field(default_factory=dict)
    items: "tuple[Located, ...]" = ()
    places: tuple[Place, ...] = ()
    """Of a string: the place of each character and of its end."""

    @property
    def snippet(self) -> Snippet:
        """The string value as a text with places."""
        return Snippet(self.origin, self.value, self.places)

    def error(self, what: str) -> TextFileError:
        """Return an error that points at the value."""
        return error_at(self.origin, self.place, what)


def parse(text: str, origin: str) -> Located:
    """Return the table that *text* is, with places.

    Raises:
        TextFileError: It is no TOML, or exceeds a limit.
    """
    text = text.replace("\r\n", "\n")  # as tomllib does
    lines = Lines(text, origin)
    if len(text) > MAX_CHARACTERS:
        raise lines.error(
            MAX_CHARACTERS, f"expected at most {MAX_CHARACTERS} characters, saw {len(text)}"
        )
    root: Mark | None = None
    with suppress(OddError):
        root = Scanner(text, lines).root()
    try:
        value = tomllib.loads(text)
    except ValueError as error:  # of an integer with too many digits it is no TOMLDecodeError
        raise _of_tomllib(error, lines) from None
    if root is None:
        raise lines.error(0, "expected plain TOML, saw a form whose lines can't be told")
    return _located(value, root, lines)


def _of_tomllib(error: ValueError, lines: Lines) -> TextFileError:
    found = _TOML_ERROR.fullmatch(str(error))
    if found is None:
        return error_at(lines.origin, Place(1, 1), f"this is no TOML: {error}")
    what = f"this is no TOML: {found[1][:1].lower()}{found[1][1:]}"
    if found[2] is None:
        return lines.error(len(lines.text), what)
    return error_at(lines.origin, Place(int(found[2]), int(found[3])), what)


def _located(value: Any, mark: Mark, lines: Lines) -> Located:
    place, key = lines.place(mark.at), lines.place(mark.key)
    if isinstance(value, dict):
        marks = mark.table or {}
        table = {name: _located(each, marks[name], lines) for name, each in value.items()}
        return Located(lines.origin, value, place, key, table=table)
    if isinstance(value, list):
        items = zip(value, mark.array or (), strict=True)
        return Located(
            lines.origin,
            value,
            place,
            key,
            items=tuple(_located(each, found, lines) for each, found in items),
        )
    if isinstance(value, str):
        _, starts = string_marks(lines.text, mark.at)
        places = tuple(map(lines.place, starts))
        return Located(lines.origin, value, place, key, places=places)
    return Located(lines.origin, value, place, key)
