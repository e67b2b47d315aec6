"""``when``: ``FIRST[..LAST][+[STEP]]``, as strace(1) has it."""

import re
from typing import Final

from tracefs.faults.amounts import count
from tracefs.faults.model import When
from tracefs.faults.refused import RefusedError
from tracefs.pathtext import quoted

_WHEN: Final = re.compile(r"([^.+]*)(?:\.\.([^.+]*))?(\+([^.+]*))?")


def read(text: str) -> When:
    """Return which calls *text* means, in one way for all texts that mean the same.

    >>> read("3").last, read("3+").last, read("3..8+2").last, read("1+").first
    (3, None, 7, 1)

    Raises:
        RefusedError: It is no such text, or means no call.
    """
    found = _WHEN.fullmatch(text)
    if found is None:
        raise RefusedError(
            f"expected FIRST[..LAST][+[STEP]], as in 3, 3+ or 3..8+2, saw {quoted(text)}"
        )
    first = _number("the first call's number", found[1])
    step = _number("a step", found[4]) if found[4] else 1
    if found[2] is not None:
        last: int | None = _number("the last call's number", found[2])
    else:
        last = None if found[3] else first
    if last is not None:
        if last < first:
            raise RefusedError(
                f"expected a last call from {first} on, saw {last}; did you mean {last}..{first}?"
            )
        last -= (last - first) % step
        if last == first:
            step = 1
    return When(first=first, last=last, step=step)


def spelled(when: When) -> str:
    """Return the one spelling of *when*, without what it counts by."""
    text = str(when.first)
    if when.last is None:
        text += "+"
    elif when.last != when.first:
        text += f"..{when.last}"
        text += "+" if when.step != 1 else ""
    return text if when.step == 1 else f"{text}{when.step}"


def _number(what: str, text: str) -> int:
    try:
        return count(text, least=1)
    except RefusedError:
        raise RefusedError(f"expected {what}, from 1 on, saw {quoted(text)}") from None
