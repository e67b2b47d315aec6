"""What a row contains: known from its number, so that what is read back can be judged."""

import hashlib
from collections.abc import Mapping
from typing import Final

SLOTS: Final = 40
"""Each commit also replaces one of so many rows, so that pages are freed and used again."""
_SIZES: Final = (20, 100, 700, 3000, 100, 9000, 40, 300)


def contents(number: int) -> bytes:
    """Return what row *number* contains: from 20 bytes to more than two pages."""
    size = _SIZES[number % len(_SIZES)] + number % 13
    return hashlib.shake_128(b"%d" % number).digest(size)


def slot(number: int) -> int:
    """Return which slot the commit of row *number* replaces."""
    return number % SLOTS


def wrong(rows: Mapping[int, bytes], slots: Mapping[int, bytes]) -> list[str]:
    """Say which rows are damaged, and which slots are not of the last commit that they belong to.

    A slot shows that a commit was made as a whole or not at all.
    """
    found = [f"row {number} is damaged" for number in rows if rows[number] != contents(number)]
    last: dict[int, int] = {}
    for number in sorted(rows):
        last[slot(number)] = number
    found += [f"slot {at} without a row" for at in sorted(slots.keys() - last.keys())]
    for at, number in last.items():
        if slots.get(at) != contents(number):
            found.append(f"slot {at} is not of row {number}, the last one that replaced it")
    return found
