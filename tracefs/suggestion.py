"""What somebody may have meant who wrote a name that there is not."""

from collections.abc import Iterable
from typing import Final

_COMPARED: Final = 64
"""Longer words resemble nothing; comparing them would take long."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* that *word* resembles most, whatever its case; None: none does.

    >>> closest("FDATASYNK", ["fsync", "fdatasync"]), closest("x", ["fsync"])
    ('fdatasync', None)
    """
    if len(word) > _COMPARED:
        return None
    from difflib import get_close_matches  # noqa: PLC0415  # for typing errors alone

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(by_lower), n=1)
    return by_lower[close[0]] if close else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` for the one of *known* that *word* resembles, or nothing.

    >>> suggestion("EI0", ["EIO"]), suggestion("x", ["EIO"])
    ('; did you mean EIO?', '')
    """
    close = closest(word, known)
    return f"; did you mean {close}?" if close else ""
