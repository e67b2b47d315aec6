r"""Names as they may be printed: no name can steer a terminal or forge a line.

What is printed stays path text: a character that is not printable (control characters, terminal
escapes, line separators, marks that turn the writing direction) becomes the ``\xNN`` of its UTF-8
bytes, so `tracefs.pathtext.to_bytes` still gives the name back. strace spells names this way
with ``-x``.
"""

import shlex
from collections.abc import Iterable
from typing import Final

from tracefs.pathtext import printable

__all__ = ["bracketed", "printable", "quoted", "shell_line"]

_SHORT: Final = {"\n": r"\n", "\t": r"\t", "\\": r"\\", "'": r"\'"}
"""What $'…' has a short spelling for, or means otherwise (bash(1), QUOTING)."""


def quoted(text: str) -> str:
    """Return path text *text* as an argument in double quotes."""
    return f'"{printable(text, also=chr(34))}"'


def bracketed(text: str) -> str:
    """Return path text *text* as strace -y puts it beside a descriptor."""
    return f"<{printable(text, also='<>')}>"


def shell_line(words: Iterable[str]) -> str:
    r"""Return *words* as one printable line, from which a shell makes the same words.

    One with an unprintable character is spelled ``$'…'``, which bash, zsh and ksh know.

    >>> shell_line(["python3", "-c", "a\nb"])
    "python3 -c $'a\\nb'"
    """
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_SHORT.get(each, printable(each)) for each in word) + "'"
