"""``KEY=VALUE`` and ``KEY>=VALUE`` in acknowledgements."""

import re
from typing import Final

from msgspec import Struct

from tracefs.crash.checkers.ready import CheckerError

_FACT: Final = re.compile(r"([^<>=]+)(>?=)(.*)", re.DOTALL)


class Fact(Struct, frozen=True):
    """What an acknowledgement says of one key."""

    key: str
    least: bool
    """A number no smaller than *value*, for what grows: a later value may be there already."""
    value: str

    def holds(self, found: str | None) -> bool:
        """Return whether *found*, what there is as text, is what was acknowledged."""
        if found is None:
            return False
        if not self.least:
            return found == self.value
        try:
            return float(found) >= float(self.value)
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{self.key}{'>=' if self.least else '='}{self.value}"


def fact(text: str, ack: str) -> Fact:
    """Return the fact that *text*, a part of *ack*, states.

    Raises:
        CheckerError: it has no ``=``, no key, or after ``>=`` no number.
    """
    matched = _FACT.fullmatch(text)
    if matched is None:
        raise not_understood(ack, "KEY=VALUE or KEY>=VALUE")
    one = Fact(matched[1], matched[2] == ">=", matched[3])
    if one.least and not one.holds(one.value):
        raise not_understood(ack, "a number after >=")
    return one


def not_understood(ack: str, wanted: str) -> CheckerError:
    """Return the error that *ack* doesn't have the form *wanted*."""
    return CheckerError(f"acknowledgement not understood: {ack!r}; wanted: {wanted}")
