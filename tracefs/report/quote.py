r"""Names as they may be printed: no name can steer a terminal or forge a line.

What is printed stays path text: a character that is not printable (control characters, terminal
escapes, line separators, marks that turn the writing direction) becomes the ``\xNN`` of its UTF-8
bytes, so `tracefs.pathtext.to_bytes` still gives the name back. strace spells names this way
with ``-x``.
"""

from tracefs.pathtext import printable

__all__ = ["bracketed", "printable", "quoted"]


def quoted(text: str) -> str:
    """Return path text *text* as an argument in double quotes."""
    return f'"{printable(text, also=chr(34))}"'


def bracketed(text: str) -> str:
    """Return path text *text* as strace -y puts it beside a descriptor."""
    return f"<{printable(text, also='<>')}>"
