"""Places in a text."""

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where something stands in a file; both count from 1, *column* in characters."""

    line: int
    column: int
