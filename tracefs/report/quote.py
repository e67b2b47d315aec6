r"""Names as they may be printed: no name can steer a terminal or forge a line.

What is printed stays path text: a character that is not printable (control characters, terminal
escapes, line separators, marks that turn the writing direction) becomes the ``\xNN`` of its UTF-8
bytes, so `tracefs.pathtext.to_bytes` still gives the name back. strace spells names this way
with ``-x``.
"""


def printable(text: str, also: str = "") -> str:
    r"""Return path text *text* with unprintable characters, and those in *also*, escaped.

    >>> printable("a\nb")
    'a\\x0ab'
    """
    if text.isprintable() and not any(mark in text for mark in also):
        return text
    return "".join(_escape(c) if not c.isprintable() or c in also else c for c in text)


def quoted(text: str) -> str:
    """Return path text *text* as an argument in double quotes."""
    return f'"{printable(text, also=chr(34))}"'


def bracketed(text: str) -> str:
    """Return path text *text* as strace -y puts it beside a descriptor."""
    return f"<{printable(text, also='<>')}>"


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
