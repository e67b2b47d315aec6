"""The numbers among the command's arguments: ASCII digits and nothing else."""

import re

from pagealloc.errors import ArgumentError
from pagealloc.filling import THREADS_MAX
from pagealloc.generated import SEED_MAX
from pagealloc.page import LAST_PAGE_NO, PAGES_MAX


def page_number(text: str) -> int:
    """Return the page number that *text* spells.

    Raises:
        ArgumentError: It is not a number, negative, or over `LAST_PAGE_NO`.
    """
    return _counted(text, "page number", LAST_PAGE_NO)


def page_count(text: str) -> int:
    """Return the number of pages that *text* spells.

    Raises:
        ArgumentError: It is not a number, negative, or over `PAGES_MAX`.
    """
    return _counted(text, "page count", PAGES_MAX)


def thread_count(text: str) -> int:
    """Return the number of threads that *text* spells.

    Raises:
        ArgumentError: It is not a number from 1 to `THREADS_MAX`.
    """
    threads = _decimal(text, THREADS_MAX)
    if not threads:
        raise ArgumentError(f"threads must be 1 to {THREADS_MAX}: {text}")
    return threads


def seed(text: str) -> int:
    """Return the seed that *text* spells.

    Raises:
        ArgumentError: It is not a number from 0 to `SEED_MAX`.
    """
    number = _decimal(text, SEED_MAX)
    if number is None:
        raise ArgumentError(f"seed is not an unsigned 64-bit number: {text}")
    return number


def _counted(text: str, what: str, most: int) -> int:
    if re.fullmatch("-[0-9]+", text):
        raise ArgumentError(f"{what} is negative: {text}")
    if not re.fullmatch("[0-9]+", text):
        raise ArgumentError(f"{what} is not a decimal number: {text}")
    number = _decimal(text, most)
    if number is None:
        raise ArgumentError(f"{what} is over {most}: {text}")
    return number


def _decimal(text: str, most: int) -> int | None:
    """Return the number that *text* spells in digits, None unless it is one from 0 to *most*."""
    if not re.fullmatch("[0-9]+", text):
        return None
    digits = text.lstrip("0") or "0"
    # Compared by length first: int() refuses very long numbers with an error of its own.
    if len(digits) > len(str(most)) or int(digits) > most:
        return None
    return int(digits)
