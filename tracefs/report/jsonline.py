r"""One object as one line of JSON that is safe to print.

Beside what JSON itself escapes, characters that are not printable (C1 terminal escapes, line
separators, marks that turn the writing direction) are written ``\uNNNN``.
"""

import msgspec

_ENCODER = msgspec.json.Encoder()


def line(value: object) -> str:
    """Return *value* as JSON on one line, without a newline."""
    text = _ENCODER.encode(value).decode()
    if text.isprintable():
        return text
    # Unprintable characters can stand only inside strings: what surrounds them is printable ASCII.
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
