"""Expressions as functions of a call: three values, of which None is "not known".

`and` and `or` are Kleene's. Whatever else is asked of what is not known is not known, nor is what a
call does not have, as the offset of a sync.
"""

import errno
import operator
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from tracefs.contracts.language.fields import OF_FILE
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
from tracefs.contracts.language.vocabulary import UNKNOWN
from tracefs.trace.call import Call
from tracefs.trace.guesses import is_guessed

Value: TypeAlias = int | str | bool | frozenset[str]


class View(Protocol):
    """What is asked beside the call: settings, and facts about its file just before it.

    None: not known.
    """

    @property
    def page_size(self) -> int:
        """Bytes in a page; at least 1."""

    @property
    def changed(self) -> bool | None:
        """Data or size of its file changed since its last sync."""

    @property
    def resized(self) -> bool | None:
        """Its file's size changed since its last sync."""

    @property
    def restyled(self) -> bool | None:
        """Attributes of its file changed since its last full sync."""

    @property
    def resumes(self) -> bool | None:
        """It writes what the last short write of its open left out."""

    @property
    def repeats(self) -> bool | None:
        """It writes the same as that one again."""

    @property
    def after_short(self) -> bool | None:
        """The last write of its open was short, and is not made up for yet."""

    @property
    def late_append(self) -> bool | None:
        """O_APPEND was set after the open."""

    @property
    def overwrites(self) -> bool | None:
        """It writes over, or cuts off, what was in its file before."""

    @property
    def lost(self) -> bool | None:
        """A sync of its file failed, and what that left unsaved was not written anew."""

    @property
    def damaged(self) -> bool | None:
        """What its file had was cut off or written over since its last sync."""

    @property
    def restores(self) -> bool | None:
        """It may write back what was there: never known, but where it can't."""

    @property
    def syncs(self) -> bool | None:
        """It is to sync what it writes."""

    @property
    def left_over(self) -> bool | None:
        """Its thread's last write through its open was short or failed, and is not made up for."""

    @property
    def continues(self) -> bool | None:
        """It writes of what a short or failed write left out, or the same again."""

    @property
    def completes(self) -> bool | None:
        """It does, and leaves nothing out."""

    @property
    def again(self) -> bool | None:
        """Its thread made the same call with the same arguments before, which failed."""

    @property
    def direct(self) -> bool | None:
        """Its open has O_DIRECT."""


Evaluate: TypeAlias = Callable[[Call, View], Value | None]
Condition: TypeAlias = Callable[[Call, View], bool | None]

_ARITHMETIC: Final[dict[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_DIVISIONS: Final = frozenset({"//", "%"})
_COMPARISONS: Final[dict[str, Callable[..., bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PLAIN: Final = frozenset(
    {"path", "target", "offset", "length", "position", "size", "fragments"} | {"fd", "pid", "tid"}
)
"""Fields that are the call's own attributes."""


def compiled(expression: Expression) -> Condition:
    """Return *expression*, a condition, as a function; what it asks of is not kept."""
    # The reader has checked that it is a condition.
    return _compile(expression)  # type: ignore[return-value]


def uses(expression: Expression) -> frozenset[str]:
    """Return the names of the fields that *expression* asks for."""
    match expression:
        case Field(name):
            return frozenset({name})
        case Not(operand):
            return uses(operand)
        case Contains(_, within, _):
            return uses(within)
        case Logic(_, left, right) | Arithmetic(_, left, right) | Comparison(_, left, right):
            return uses(left) | uses(right)
    return frozenset()


def _compile(expression: Expression) -> Evaluate:  # noqa: PLR0911 - one for each kind
    match expression:
        case Number(value) | Text(value) | FlagSet(values=value):
            return lambda _call, _view: value
        case Field(name):
            return _field(name)
        case Not(operand):
            return _not(_compile(operand))
        case Logic("and", left, right):
            return _and(_compile(left), _compile(right))
        case Logic(_, left, right):
            return _or(_compile(left), _compile(right))
        case Contains(flag, within, negated):
            return _contains(flag, within, negated=negated)
        case Arithmetic(sign, left, right):
            return _calculation(sign, left, right)
        case Comparison(sign, left, right):
            return _binary(_COMPARISONS[sign], left, right)


# Logic


def _not(operand: Evaluate) -> Evaluate:
    def negated(call: Call, view: View) -> bool | None:
        value = operand(call, view)
        return None if value is None else not value

    return negated


def _and(left: Evaluate, right: Evaluate) -> Evaluate:
    def both(call: Call, view: View) -> bool | None:
        first = left(call, view)
        if first is False:
            return False
        second = right(call, view)
        if second is False:
            return False
        return None if first is None or second is None else True

    return both


def _or(left: Evaluate, right: Evaluate) -> Evaluate:
    def either(call: Call, view: View) -> bool | None:
        first = left(call, view)
        if first is True:
            return True
        second = right(call, view)
        if second is True:
            return True
        return None if first is None or second is None else False

    return either


# Comparisons and arithmetic; of the common shapes each has its own function, which saves a call.


def _calculation(sign: str, left: Expression, right: Expression) -> Evaluate:
    calculate = _ARITHMETIC[sign]
    if sign not in _DIVISIONS or (isinstance(right, Number) and right.value):
        return _binary(calculate, left, right)
    dividend, divisor = _compile(left), _compile(right)

    def divided(call: Call, view: View) -> Value | None:
        first = dividend(call, view)
        second = divisor(call, view)
        if first is None or not second:
            return None
        return calculate(first, second)  # type: ignore[arg-type]  # numbers, as was read

    return divided


def _binary(combine: Callable[..., Value], left: Expression, right: Expression) -> Evaluate:
    if isinstance(right, Number | Text | FlagSet):
        constant = right.values if isinstance(right, FlagSet) else right.value
        if isinstance(left, Field) and left.name in _PLAIN:
            name = left.name

            def of_field(call: Call, _view: View) -> Value | None:
                value = getattr(call, name)
                return None if value is None else combine(value, constant)

            return of_field
        operand = _compile(left)

        def with_constant(call: Call, view: View) -> Value | None:
            value = operand(call, view)
            return None if value is None else combine(value, constant)

        return with_constant
    first, second = _compile(left), _compile(right)

    def combined(call: Call, view: View) -> Value | None:
        one = first(call, view)
        other = second(call, view)
        return None if one is None or other is None else combine(one, other)

    return combined


def _contains(flag: str, within: Expression, *, negated: bool) -> Evaluate:
    flags = _flags if within == Field("flags") else _compile(within)

    def contains(call: Call, view: View) -> bool | None:
        found = flags(call, view)
        return None if found is None else (flag in found) is not negated  # type: ignore[operator]

    return contains


# Fields


def _field(name: str) -> Evaluate:
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    if name in OF_FILE or name == "page_size":
        return lambda _call, view: getattr(view, name)
    assert name in _PLAIN
    return lambda call, _view: getattr(call, name)


def _name(call: Call, _view: View) -> str | None:
    return None if call.call == UNKNOWN or is_guessed(call) else call.call


def _flags(call: Call, _view: View) -> tuple[str, ...] | None:
    # Those of an open stand in its request; all others are arguments of a call that is known.
    return None if call.call == UNKNOWN and call.family not in _FLAGS_ASKED else call.flags


_FLAGS_ASKED: Final = frozenset({"open", "rename", "allocate"})
"""Families whose requests carry the flags, whoever made them."""


def _flag_set(call: Call, view: View) -> frozenset[str] | None:
    flags = _flags(call, view)
    # What has no name is the kernel's own, and shows as a number.
    return None if flags is None else frozenset(flag for flag in flags if flag[0] != "0")


def _errno(call: Call, _view: View) -> str:
    return errno.errorcode.get(call.errno, str(call.errno)) if call.errno else ""


def _page(call: Call, view: View) -> int | None:
    return None if call.offset is None else call.offset // view.page_size


def _result(call: Call) -> int | None:
    return 0 if call.at_end else call.result


def _short(call: Call, _view: View) -> bool | None:
    if call.errno:
        return True
    result = _result(call)
    return None if result is None or call.length is None else result < call.length


def _unfinished(call: Call, _view: View) -> bool:
    if call.length is None or call.offset is None:
        return False
    result = _result(call)
    return bool(call.errno) or (result is not None and result < call.length)


_SYNCS: Final = ("sync", "syncdir")

_SPECIAL: Final[dict[str, Callable[[Call, View], Value | None]]] = {
    "call": _name,
    "family": lambda call, _view: call.family,
    "errno": _errno,
    # Whatever it returned, it wrote nothing.
    "result": lambda call, _view: _result(call),
    "note": lambda call, _view: call.note or "",
    "synced_by": lambda call, _view: call.synced_by or "",
    "flags": _flag_set,
    "created": lambda call, _view: call.created if call.family == "open" else None,
    "datasync": lambda call, _view: call.datasync if call.family in _SYNCS else None,
    "page": _page,
    "short": _short,
    "unfinished": _unfinished,
    "emulated": lambda call, _view: call.note is not None and "posix_fallocate" in call.note,
    "closed_again": lambda _call, _view: None,
    "replaces": lambda call, _view: call.replaced if call.family == "rename" else None,
    "injected": lambda call, _view: bool(call.injected and call.faults),
    # Its request says so (FUSE_WRITE_CACHE): no store is ever unnamed.
    "stored": lambda call, _view: call.family == "write" and call.call == "mmap",
}
