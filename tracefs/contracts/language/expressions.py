"""Conditions as in ``length == 4096 and offset % 4096 == 0``: from text to `model.Expression`.

Recursive descent, bounded in length and depth. Each value's kind is checked as it is read, so that
whatever is accepted can be evaluated.
"""

import re
from typing import Final, NamedTuple

from tracefs.contracts.language.constants import checked
from tracefs.contracts.language.fields import KINDS
from tracefs.contracts.language.model import (
    Arithmetic,
    Comparison,
    Contains,
    Expression,
    Field,
    FlagSet,
    Kind,
    Logic,
    Not,
    Number,
    Text,
)
from tracefs.contracts.language.tokens import Token, Tokens
from tracefs.contracts.language.vocabulary import FLAGS
from tracefs.errors import TextFileError
from tracefs.pathtext import quoted
from tracefs.placed.snippet import Snippet
from tracefs.suggestion import suggestion

MAX_DEPTH: Final = 50
"""Operations in each other; so is ``a + b + c``, from the left."""
MAX_NUMBER: Final = (1 << 64) - 1

_DIGITS: Final = re.compile(r"0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*|[0-9]+(_[0-9]+)*")
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_WORDS: Final = frozenset({"and", "or", "not", "in"})
_FLAG: Final = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+")


class Typed(NamedTuple):
    """An expression with its kind, where it begins, and how deep it is."""

    expression: Expression
    kind: Kind
    at: int
    depth: int = 1


def read_expression(snippet: Snippet, begin: int = 0, end: int | None = None) -> Expression:
    """Return the condition between *begin* and *end* in *snippet*.

    Raises:
        TextFileError: It is none; with its place and what was expected.
    """
    return _Parser(snippet, begin, len(snippet.text) if end is None else end).condition()


class _Parser:
    """Reads one expression."""

    def __init__(self, snippet: Snippet, begin: int, end: int) -> None:
        self._snippet = snippet
        self._tokens = Tokens(snippet, begin, end)
        self._nesting = 0

    def condition(self) -> Expression:
        """Return the whole text as one condition."""
        if self._tokens.now.kind == "end":
            raise self._tokens.expected("a condition, as in length == 4096")
        read = self._or()
        if self._tokens.now.kind != "end":
            raise self._tokens.expected("and, or, a comparison or the end")
        if read.kind is not Kind.TRUTH:
            raise self._snippet.error(
                read.at, f"expected a condition, saw {read.kind.value}; compare it with something"
            )
        return read.expression

    # Operators, from the weakest.

    def _or(self) -> Typed:
        left = self._and()
        while self._tokens.word("or"):
            left = self._logic("or", left, self._and())
        return left

    def _and(self) -> Typed:
        left = self._not()
        while self._tokens.word("and"):
            left = self._logic("and", left, self._not())
        return left

    def _not(self) -> Typed:
        at = self._tokens.now.at
        if not self._tokens.word("not"):
            return self._comparison()
        with _Nested(self, at):
            operand = self._truth(self._not(), "not")
        return self._built(Not(operand.expression), Kind.TRUTH, at, operand)

    def _comparison(self) -> Typed:
        at = self._tokens.now.at
        flag = self._flag()
        if flag is not None:
            return self._contains(flag, at)
        left = self._sum()
        operator = self._tokens.now
        if operator.text == "in" or (operator.text == "not" and operator.kind == "name"):
            raise self._snippet.error(
                left.at, "expected the name of a flag before in, as in O_APPEND in flags"
            )
        if not self._tokens.mark(_COMPARISONS):
            return left
        right = self._sum()
        if self._tokens.now.text in _COMPARISONS:
            raise self._snippet.error(
                self._tokens.now.at,
                "expected and: comparisons can't be chained, write a < b and b < c",
            )
        return self._compared(left, operator, right)

    def _compared(self, left: Typed, operator: Token, right: Typed) -> Typed:
        left, right = checked(self._snippet, left, right), checked(self._snippet, right, left)
        if left.kind is not right.kind:
            raise self._snippet.error(
                right.at, f"expected {left.kind.value} to compare with, saw {right.kind.value}"
            )
        if left.kind in {Kind.TEXT, Kind.TRUTH} and operator.text not in {"==", "!="}:
            raise self._snippet.error(
                operator.at,
                f"expected == or != between two of {left.kind.value}, saw {operator.text}",
            )
        comparison = Comparison(operator.text, left.expression, right.expression)
        return self._built(comparison, Kind.TRUTH, left.at, left, right)

    def _contains(self, flag: str, at: int) -> Typed:
        negated = self._tokens.word("not")
        if not self._tokens.word("in"):
            raise self._tokens.expected("in or not in behind the flag, as in O_APPEND in flags")
        within = self._sum()
        if within.kind is not Kind.FLAGS:
            raise self._snippet.error(within.at, f"expected flags, saw {within.kind.value}")
        return self._built(Contains(flag, within.expression, negated), Kind.TRUTH, at, within)

    def _sum(self) -> Typed:
        left = self._product()
        while operator := self._tokens.mark({"+", "-"}):
            left = self._calculated(operator, left, self._product())
        return left

    def _product(self) -> Typed:
        left = self._signed()
        while operator := self._tokens.mark({"*", "//", "%"}):
            left = self._calculated(operator, left, self._signed())
        return left

    def _signed(self) -> Typed:
        at = self._tokens.now.at
        if not self._tokens.mark({"-"}):
            return self._value()
        with _Nested(self, at):
            operand = self._number(self._signed(), "-")
        if isinstance(operand.expression, Number):
            return Typed(Number(-operand.expression.value), Kind.NUMBER, at)
        negation = Arithmetic("-", Number(0), operand.expression)
        return self._built(negation, Kind.NUMBER, at, operand)

    # Values

    def _value(self) -> Typed:
        token = self._tokens.now
        if token.kind == "number":
            return self._integer()
        if token.kind == "text":
            self._tokens.advance()
            return Typed(Text(token.text[1:-1]), Kind.TEXT, token.at)
        if token.kind == "name" and token.text not in _WORDS:
            return self._field()
        if self._tokens.mark({"("}):
            with _Nested(self, token.at):
                inside = self._or()
            if not self._tokens.mark({")"}):
                raise self._tokens.expected(")")
            return inside._replace(at=token.at)
        if self._tokens.mark({"{"}):
            return self._flags(token.at)
        raise self._tokens.expected("a field, a number or a text in quotes")

    def _integer(self) -> Typed:
        token = self._tokens.now
        if not _DIGITS.fullmatch(token.text):
            raise self._tokens.expected("a number, as in 4096, 0x1000 or 4_096")
        digits = token.text.replace("_", "")
        hexadecimal = digits[:2] in {"0x", "0X"}
        # Python refuses to read thousands of digits; none of them are needed.
        value = int(digits, 16) if hexadecimal else int(digits) if len(digits) < 100 else -1
        if not 0 <= value <= MAX_NUMBER:
            raise self._snippet.error(token.at, "expected a number below 2 to the power of 64")
        self._tokens.advance()
        return Typed(Number(value), Kind.NUMBER, token.at)

    def _field(self) -> Typed:
        token = self._tokens.now
        kind = KINDS.get(token.text)
        if kind is None:
            raise self._snippet.error(token.at, _unknown_field(token.text))
        self._tokens.advance()
        return Typed(Field(token.text), kind, token.at)

    def _flag(self) -> str | None:
        """Return the flag's name if one stands here."""
        token = self._tokens.now
        if token.kind != "name" or not _FLAG.fullmatch(token.text):
            return None
        self._known_flag(token)
        self._tokens.advance()
        return token.text

    def _flags(self, at: int) -> Typed:
        names: set[str] = set()
        while not self._tokens.mark({"}"}):
            if self._tokens.now.kind != "name":
                raise self._tokens.expected("the name of a flag or }")
            self._known_flag(self._tokens.now)
            names.add(self._tokens.now.text)
            self._tokens.advance()
            if self._tokens.now.text != "}" and not self._tokens.mark({","}):
                raise self._tokens.expected(", or }")
        return Typed(FlagSet(frozenset(names)), Kind.FLAGS, at)

    def _known_flag(self, token: Token) -> None:
        if token.text not in FLAGS:
            raise self._snippet.error(
                token.at,
                f"expected a flag, saw {quoted(token.text)}{suggestion(token.text, sorted(FLAGS))}",
            )

    # Kinds and depth

    def _logic(self, operator: str, left: Typed, right: Typed) -> Typed:
        self._truth(left, operator)
        self._truth(right, operator)
        logic = Logic(operator, left.expression, right.expression)
        return self._built(logic, Kind.TRUTH, left.at, left, right)

    def _calculated(self, operator: str, left: Typed, right: Typed) -> Typed:
        self._number(left, operator)
        self._number(right, operator)
        arithmetic = Arithmetic(operator, left.expression, right.expression)
        return self._built(arithmetic, Kind.NUMBER, left.at, left, right)

    def _truth(self, typed: Typed, operator: str) -> Typed:
        return self._of_kind(typed, Kind.TRUTH, f"a condition beside {operator}")

    def _number(self, typed: Typed, operator: str) -> Typed:
        return self._of_kind(typed, Kind.NUMBER, f"a number beside {operator}")

    def _of_kind(self, typed: Typed, kind: Kind, what: str) -> Typed:
        if typed.kind is not kind:
            raise self._snippet.error(typed.at, f"expected {what}, saw {typed.kind.value}")
        return typed

    def _built(self, expression: Expression, kind: Kind, at: int, *parts: Typed) -> Typed:
        depth = 1 + max(part.depth for part in parts)
        if depth > MAX_DEPTH:
            raise self._too_deep(at)
        return Typed(expression, kind, at, depth)

    def enter(self, at: int) -> None:
        """Go one level deeper."""
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise self._too_deep(at)

    def leave(self) -> None:
        """Come back."""
        self._nesting -= 1

    def _too_deep(self, at: int) -> TextFileError:
        return self._snippet.error(at, f"expected at most {MAX_DEPTH} operations in each other")


class _Nested:
    """A level of brackets, ``not`` or ``-``."""

    def __init__(self, parser: _Parser, at: int) -> None:
        self._parser = parser
        self._at = at

    def __enter__(self) -> None:
        self._parser.enter(self._at)

    def __exit__(self, *_: object) -> None:
        self._parser.leave()


def _unknown_field(name: str) -> str:
    if name.lower() in {"true", "false"}:
        return f"expected a field, saw {quoted(name)}; write created, or not created"
    if _FLAG.fullmatch(name):
        return f"expected a field, saw the flag {quoted(name)}; write {name} in flags"
    return f"expected a field, saw {quoted(name)}{suggestion(name, sorted(KINDS))}"
