"""Values of a TOML table, checked for their type: strings, lists of them, numbers, choices."""

import math
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeVar

from tracefs.pathtext import quoted
from tracefs.placed.snippet import Snippet, error_at
from tracefs.placed.toml_places import Located
from tracefs.suggestion import suggestion

_TYPES: Final = (
    (bool, "true or false"),
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (list, "an array"),
    (dict, "a table"),
)
_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

_Choice = TypeVar("_Choice", bound=StrEnum)


def check_keys(table: Located, known: Sequence[str], what: str) -> None:
    """Refuse keys of *table* that are not *known*."""
    for name, value in table.table.items():
        if name not in known:
            raise error_at(
                table.origin,
                value.key,
                f"expected a key of {what}, saw {quoted(name)}{suggestion(name, known)}",
            )


def text(value: Located) -> Snippet:
    """Return a string that is not empty."""
    if not isinstance(value.value, str):
        raise _wrong(value, "a string")
    if not value.value.strip():
        raise value.error("expected a text, saw an empty string")
    return value.snippet


def line(value: Located) -> str:
    """Return a string of one line."""
    snippet = text(value)
    for index, character in enumerate(snippet.text):
        if not character.isprintable():
            raise snippet.error(index, f"expected one line of plain text, saw {quoted(character)}")
    return snippet.text


def texts(value: Located) -> tuple[Snippet, ...]:
    """Return a string, or an array of at least one."""
    if not isinstance(value.value, list):
        if not isinstance(value.value, str):
            raise _wrong(value, "a string or an array of strings")
        return (text(value),)
    if not value.items:
        raise value.error("expected at least one string, saw an empty array")
    return tuple(map(text, value.items))


def identifier(value: Located) -> str:
    """Return a name of small letters, digits and hyphens."""
    name = text(value).text
    if not _ID.fullmatch(name):
        raise value.error(
            "expected a name of at most 64 small letters, digits and inner hyphens, "
            f"saw {quoted(name)}"
        )
    return name


def choice(value: Located, choices: type[_Choice]) -> _Choice:
    """Return one of *choices*."""
    known = [str(each.value) for each in choices]
    name = text(value).text
    if name not in known:
        either = " or ".join(f'"{each}"' for each in known)
        raise value.error(f"expected {either}, saw {quoted(name)}{suggestion(name, known)}")
    return choices(name)


def count(value: Located) -> int:
    """Return an integer of at least 0."""
    number = value.value
    if isinstance(number, bool) or not isinstance(number, int):
        raise _wrong(value, "an integer")
    if not 0 <= number < 1 << 63:
        raise value.error("expected an integer from 0 to 2 to the power of 63")
    return number


def points(value: Located) -> float:
    """Return a number of points."""
    number = value.value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _wrong(value, "a number")
    if not 0 <= number <= 1e9 or not math.isfinite(number):
        raise value.error("expected a number of points from 0 to 1000000000")
    return float(number)


def tables(value: Located, name: str) -> tuple[Located, ...]:
    """Return the tables ``[[name]]``."""
    if not isinstance(value.value, list) or not all(isinstance(i, dict) for i in value.value):
        raise error_at(value.origin, value.key, f"expected [[{name}]], saw {_type(value)}")
    return value.items


def _wrong(value: Located, expected: str) -> Exception:
    return value.error(f"expected {expected}, saw {_type(value)}")


def _type(value: Located) -> str:
    return next((name for kind, name in _TYPES if isinstance(value.value, kind)), "a date or time")
