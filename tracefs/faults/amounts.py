"""Counts, sizes and times in rules: from text, and back in one way."""

import re
from decimal import Decimal
from typing import Final

from tracefs.faults.refused import RefusedError
from tracefs.pathtext import quoted

MOST: Final = (1 << 63) - 1
"""The highest count and size: an off_t."""
_DAY_MS: Final = 86_400_000

_COUNT: Final = re.compile(r"[0-9]{1,19}")
_SIZE: Final = re.compile(r"([0-9]{1,19})([KMGkmg]?)")
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_DECIMAL: Final = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")
_TIME: Final = re.compile(rf"({_DECIMAL.pattern}(?:[eE][-+]?[0-9]{{1,2}})?)(ns|us|ms|s|)")
_MS: Final = {"": "1", "ms": "1", "s": "1000", "us": "0.001", "ns": "0.000001"}


def count(text: str, *, least: int = 0) -> int:
    """Return the whole number that *text* is.

    Raises:
        RefusedError: It is none, or less than *least*.
    """
    what = "a whole number" if not least else f"a whole number from {least}"
    if _COUNT.fullmatch(text) is None or not least <= (number := int(text)) <= MOST:
        raise RefusedError(f"expected {what}, saw {quoted(text)}")
    return number


def size(text: str, *, least: int = 0) -> int:
    """Return the number of bytes that *text* is: ``4096``, ``64K``, ``1M``.

    Raises:
        RefusedError: It is none, or less than *least*.
    """
    found = _SIZE.fullmatch(text)
    if found is not None:
        number = int(found[1]) * _UNITS[found[2].upper()]
        if least <= number <= MOST:
            return number
    what = "a number of bytes" if not least else f"a number of bytes from {least}"
    raise RefusedError(f"expected {what}, as in 4096, 64K or 1M, saw {quoted(text)}")


def spelled_size(number: int) -> str:
    """Return the one spelling of a number of bytes.

    >>> spelled_size(65536), spelled_size(0), spelled_size(1536)
    ('64K', '0', '1536')
    """
    for unit in "GMK":
        if number and number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]}{unit}"
    return str(number)


def milliseconds(text: str, *, zero: bool = False) -> float:
    """Return the time that *text* is, in whole nanoseconds as milliseconds, a plain number's unit.

    Raises:
        RefusedError: It is none, less than a nanosecond (or 0, with *zero*), or more than a day.
    """
    found = _TIME.fullmatch(text)
    if found is not None:
        exact = Decimal(found[1]) * Decimal(_MS[found[2]])
        # No clock here is finer.
        number = float(round(exact, 6)) if exact <= _DAY_MS else float(_DAY_MS + 1)
        if 0 < number <= _DAY_MS or (zero and not exact):
            return number
    what = "a time" if zero else "a time above 0"
    raise RefusedError(f"expected {what}, a day at most, as in 5 (ms) or 20us, saw {quoted(text)}")


def fraction(text: str, most: int) -> float:
    """Return the number from 0 to *most* that *text* is.

    Raises:
        RefusedError: It is none.
    """
    if _DECIMAL.fullmatch(text) is None or (number := float(text)) > most:
        raise RefusedError(f"expected a number from 0 to {most}, saw {quoted(text)}")
    return number


def spelled_number(number: float) -> str:
    """Return the one spelling of a number that isn't negative, without an exponent.

    >>> spelled_number(5.0), spelled_number(0.25), spelled_number(1e-06)
    ('5', '0.25', '0.000001')
    """
    text = format(Decimal(repr(number)), "f")
    return text.removesuffix(".0")
