"""Colour, where a person looks: only on a terminal, and never with NO_COLOR (no-color.org)."""

import os
from typing import TextIO

from msgspec import Struct

_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}


class Style(Struct, frozen=True):
    """Whether to colour; `paint` is the identity when not."""

    colour: bool = False

    def paint(self, text: str, name: str) -> str:
        """Return *text* in the colour *name*: bold, dim, red, green or yellow."""
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self.colour else text


PLAIN = Style()


def style_for(stream: TextIO) -> Style:
    """Return the style that suits *stream*."""
    return Style(colour=stream.isatty() and not os.environ.get("NO_COLOR"))
