"""A text out of a contract file that knows where each of its characters stands there."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracefs.errors import TextFileError
from tracefs.placed.place import Place


@dataclass(frozen=True)
class Snippet:
    """A string value, with the place of each character and of its end."""

    origin: str
    text: str
    places: Sequence[Place]

    def place(self, index: int) -> Place:
        """Return where the character at *index* stands, or where the text ends."""
        return self.places[min(index, len(self.places) - 1)]

    def error(self, index: int, what: str) -> TextFileError:
        """Return an error that points at the character at *index*."""
        return error_at(self.origin, self.place(index), what)


def error_at(origin: str, place: Place, what: str) -> TextFileError:
    """Return an error that points at *place*."""
    return TextFileError(origin, place.line, place.column, what)
