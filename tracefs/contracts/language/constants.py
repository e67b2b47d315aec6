"""Texts that are compared with a field whose values are known: a wrong one would never match."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tracefs.callnames import ALIASES
from tracefs.contracts.language.model import Field, Kind, Number, Text
from tracefs.contracts.language.vocabulary import CALLS, SYNCING_FLAGS, UNKNOWN
from tracefs.errornames import ERRNOS, errno_name
from tracefs.pathtext import quoted
from tracefs.placed.snippet import Snippet
from tracefs.suggestion import suggestion
from tracefs.trace.families import FAMILIES

if TYPE_CHECKING:
    from tracefs.contracts.language.expressions import Typed

_VALUES: Final[dict[str, tuple[str, Sequence[str]]]] = {
    "call": ("a system call", sorted(CALLS)),
    "errno": ("an error name", sorted(ERRNOS)),
    "family": ("a family of calls", sorted(FAMILIES)),
    "synced_by": ("a flag that syncs", sorted(SYNCING_FLAGS)),
}


def checked(snippet: Snippet, typed: "Typed", beside: "Typed") -> "Typed":
    """Return *typed*, an operand of a comparison with *beside*, in the spelling that traces have.

    Raises:
        TextFileError: It is a text that the field *beside* never has.
    """
    if not isinstance(beside.expression, Field):
        return typed
    name = beside.expression.name
    value = typed.expression
    if name == "errno" and isinstance(value, Number):
        raise snippet.error(
            typed.at, f'expected an error by its name, as in "EIO", saw {value.value}'
        )
    if typed.kind is not Kind.TEXT or not isinstance(value, Text) or name not in _VALUES:
        return typed
    if name == "errno" and value.value:
        # Two names of one number are one error.
        value = Text(errno_name(value.value) or value.value)
    what, known = _VALUES[name]
    if name == "call" and value.value == UNKNOWN:
        raise snippet.error(
            typed.at, "expected a system call: a call without a name equals none, not even this"
        )
    if value.value in known or (not value.value and name in {"errno", "synced_by"}):
        return typed._replace(expression=value)
    if name == "call" and value.value in ALIASES:
        instead = " or ".join(sorted(ALIASES[value.value]))
        raise snippet.error(
            typed.at,
            f"expected a system call, saw {quoted(value.value)}; did you mean {instead}?",
        )
    raise snippet.error(
        typed.at, f"expected {what}, saw {quoted(value.value)}{suggestion(value.value, known)}"
    )
