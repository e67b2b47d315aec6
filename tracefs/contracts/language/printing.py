"""Expressions as text again; reading it gives the same expression."""

from typing import Final

from tracefs.contracts.language.model import (
    Arithmetic,
    Comparison,
    Contains,
    Expression,
    Field,
    FlagSet,
    Logic,
    Not,
    Number,
    Text,
)

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _VALUE = range(7)
_LEVELS: Final = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM}


def printed(expression: Expression) -> str:
    """Return *expression* as a contract file has it.

    >>> from tracefs.contracts.language.model import Comparison, Field, Number
    >>> printed(Comparison("==", Field("length"), Number(4096)))
    'length == 4096'
    """
    return _at(expression, _OR)


def _at(expression: Expression, level: int) -> str:
    """Return *expression* where only what binds as strongly as *level* goes without brackets."""
    own, text = _written(expression)
    return text if own >= level else f"({text})"


def _written(expression: Expression) -> tuple[int, str]:  # noqa: PLR0911 - one for each kind
    match expression:
        case Number(value):
            return _VALUE, str(value)
        case Text(value):
            return _VALUE, f"'{value}'" if "'" not in value else f'"{value}"'
        case FlagSet(values):
            return _VALUE, "{" + ", ".join(sorted(values)) + "}"
        case Field(name):
            return _VALUE, name
        case Not(operand):
            return _NOT, f"not {_at(operand, _NOT)}"
        case Comparison(operator, left, right):
            return _COMPARISON, f"{_at(left, _SUM)} {operator} {_at(right, _SUM)}"
        case Contains(flag, within, negated):
            return _COMPARISON, f"{flag} {'not in' if negated else 'in'} {_at(within, _SUM)}"
        case Logic(operator, left, right) | Arithmetic(operator, left, right):
            level = _LEVELS.get(operator, _PRODUCT)
            return level, f"{_at(left, level)} {operator} {_at(right, level + 1)}"
