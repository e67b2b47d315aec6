"""Commands as they may be printed and typed."""

import shlex
from collections.abc import Iterable
from typing import Final

from tracefs.pathtext import printable

_SHORT: Final = {"\n": r"\n", "\t": r"\t", "\\": r"\\", "'": r"\'"}
"""What $'…' has a short spelling for, or means otherwise (bash(1), QUOTING)."""


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
