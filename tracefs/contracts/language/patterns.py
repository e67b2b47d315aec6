"""Patterns of calls, ``fdatasync|fsync($db)[errno == ""]``, and sequences of them, from text.

A space may stand between all parts but a name and its brackets: so ``close (fsync lseek)+`` is a
call and a group, and ``close(a.db)`` is a call on a file.
"""

import re
from typing import Final, NamedTuple

from tracefs.contracts.language.expressions import read_expression
from tracefs.contracts.language.model import (
    AnyOf,
    CallPattern,
    Comparison,
    Expression,
    Field,
    InTurn,
    Logic,
    Node,
    PathPattern,
    Pattern,
    Repeated,
    Step,
    Text,
)
from tracefs.contracts.language.paths import read_paths
from tracefs.contracts.language.snippet import Snippet, quoted, suggestion
from tracefs.contracts.language.vocabulary import (
    ALIASES,
    CALLS,
    END,
    FAMILIES,
    FAMILY_OF_ALIAS,
    HINTS,
    SYNC_DIRECTORY,
)
from tracefs.errors import ContractFileError

MAX_LENGTH: Final = 16384
MAX_COUNT: Final = 1000
MAX_NESTING: Final = 20
MAX_STEPS: Final = 2000
"""Steps of a sequence when its repetitions are written out."""

_SPACE: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"@?[A-Za-z_][A-Za-z0-9_]*")
_TIMES: Final = re.compile(r"\{\s*([0-9]{1,9})\s*(?:(,)\s*([0-9]{1,9})?\s*)?\}")
_SIGNS: Final[dict[str, tuple[int, int | None]]] = {"+": (1, None), "*": (0, None), "?": (0, 1)}
_KNOWN: Final = sorted(
    {*CALLS, *ALIASES, SYNC_DIRECTORY, *(f"@{family}" for family in FAMILIES)} - {"unknown"}
)


class _Named(NamedTuple):
    """One alternative before it has taken the arguments of the next."""

    name: str
    at: int
    end: int
    paths: tuple[PathPattern, ...] | None = None
    where: Expression | None = None


def read_pattern(snippet: Snippet, *, end: bool = False) -> Pattern:
    """Return the pattern that *snippet* is; with *end* ``end`` may be among its calls.

    Raises:
        ContractFileError: It is none; with its place and what was expected.
    """
    return _Parser(snippet, end=end).whole_pattern()


def read_sequence(snippets: tuple[Snippet, ...]) -> Node:
    """Return the sequence of all *snippets*, one after the other; at least one.

    Raises:
        ContractFileError: It is none; with its place and what was expected.
    """
    sizes = [_Parser(snippet, end=False).whole_sequence() for snippet in snippets]
    steps = 0
    for snippet, sized in zip(snippets, sizes, strict=True):
        steps += sized.steps
        if steps > MAX_STEPS:
            raise _too_long(snippet, 0)
    if all(sized.optional for sized in sizes):
        raise snippets[0].error(0, "expected a sequence of at least one call: this one may be none")
    nodes = tuple(node for sized in sizes for node in _flat(sized.node))
    return nodes[0] if len(nodes) == 1 else InTurn(nodes)


def _flat(node: Node) -> tuple[Node, ...]:
    return node.nodes if isinstance(node, InTurn) else (node,)


class _Sized(NamedTuple):
    """A part of a sequence."""

    node: Node
    steps: int
    optional: bool
    """It may be no call at all."""


class _Parser:
    """Reads one text."""

    def __init__(self, snippet: Snippet, *, end: bool) -> None:
        if len(snippet.text) > MAX_LENGTH:
            raise snippet.error(0, f"expected at most {MAX_LENGTH} characters")
        self._snippet = snippet
        self._text = snippet.text
        self._end = end
        self._at = 0
        self._nesting = 0

    # Patterns

    def whole_pattern(self) -> Pattern:
        """Return the whole text as one pattern."""
        self._skip()
        pattern = self._pattern()
        self._skip()
        if self._at < len(self._text):
            raise self._behind_pattern()
        return pattern

    def _behind_pattern(self) -> ContractFileError:
        sign = self._text[self._at]
        if sign in "([":
            return self._error(f"expected {sign} right behind a name, without a space")
        if sign in _SIGNS or sign == "{":
            return self._error(f"expected a pattern, saw {sign}: only a sequence has repetitions")
        return self._expected("| or the end of the pattern")

    def _pattern(self) -> Pattern:
        """Read alternatives; each is a call."""
        begin = self._at
        named = [self._call()]
        while self._bar():
            named.append(self._call())
        return self._joined(named, begin)

    def _joined(self, named: list[_Named], begin: int) -> Pattern:
        """Return the pattern of the alternatives *named*."""
        calls: list[CallPattern] = []
        has_end = False
        paths: tuple[PathPattern, ...] | None = None
        where: Expression | None = None
        for each in reversed(named):
            if each.paths is not None or each.where is not None:
                paths, where = each.paths, each.where
            if each.name == END:
                self._check_end(each)
                has_end = True
                paths = where = None
            else:
                calls.append(self._call_pattern(each, paths or (), where))
        text = self._text[begin : named[-1].end]
        place = self._snippet.place(begin)
        return Pattern(text=text, place=place, calls=tuple(reversed(calls)), end=has_end)

    def _check_end(self, named: _Named) -> None:
        if not self._end:
            raise self._snippet.error(
                named.at, "expected a call, saw end, which only until may have"
            )
        if named.paths is not None or named.where is not None:
            raise self._snippet.error(named.at, "expected end alone: it is no call on a file")

    def _call_pattern(
        self, named: _Named, paths: tuple[PathPattern, ...], where: Expression | None
    ) -> CallPattern:
        name = named.name
        names: frozenset[str] = frozenset()
        families: frozenset[str] = frozenset()
        if name == SYNC_DIRECTORY:
            families = frozenset({"syncdir"})
        elif name.startswith("@"):
            families = frozenset({name[1:]})
        else:
            names = ALIASES.get(name, frozenset({name}))
        if name in FAMILY_OF_ALIAS:
            family = Comparison("==", Field("family"), Text(FAMILY_OF_ALIAS[name]))
            where = family if where is None else Logic("and", family, where)
        return CallPattern(
            text=self._text[named.at : named.end],
            place=self._snippet.place(named.at),
            names=names,
            families=families,
            path=paths[0] if paths else None,
            target=paths[1] if len(paths) > 1 else None,
            where=where,
        )

    def _call(self) -> _Named:
        begin = self._at
        found = _NAME.match(self._text, begin)
        if found is None:
            raise self._expected("the name of a call, as in pwrite, or of a family, as in @write")
        name = found[0]
        if name != END:
            self._check_name(name)
        self._at = found.end()
        paths: tuple[PathPattern, ...] | None = None
        where: Expression | None = None
        if self._next("("):
            paths, self._at = read_paths(self._snippet, self._at)
        if self._next("["):
            where = self._condition()
        return _Named(name, begin, self._at, paths, where)

    def _condition(self) -> Expression:
        """Read ``[expression]``; no expression has brackets like these but in a text."""
        begin = self._at + 1
        found = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\]"'])*""").match(self._text, begin)
        end = begin if found is None else found.end()
        if not self._text.startswith("]", end):
            raise self._snippet.error(self._at, "expected a closing ] for this condition")
        self._at = end + 1
        return read_expression(self._snippet, begin, end)

    def _check_name(self, name: str) -> None:
        known = name[1:] in FAMILIES if name[0] == "@" else name in CALLS or name in ALIASES
        if known or name == SYNC_DIRECTORY:
            return
        instead = f"; did you mean {HINTS[name]}?" if name in HINTS else suggestion(name, _KNOWN)
        what = "a family of calls" if name[0] == "@" else "the name of a call"
        raise self._error(f"expected {what}, saw {quoted(name)}{instead}")

    # Sequences

    def whole_sequence(self) -> _Sized:
        """Return the whole text as a sequence."""
        sized = self._in_turn()
        if self._at < len(self._text):
            raise self._expected("a call, a group or the end of the sequence")
        return sized

    def _in_turn(self) -> _Sized:
        begin = self._at
        parts: list[_Sized] = []
        while True:
            self._skip()
            if self._at >= len(self._text) or self._text[self._at] == ")":
                break
            parts.append(self._repeated())
        if not parts:
            raise self._expected("a call or a group, as in (pwrite fsync)+")
        steps = sum(part.steps for part in parts)
        if steps > MAX_STEPS:
            raise _too_long(self._snippet, begin)
        nodes = tuple(node for part in parts for node in _flat(part.node))
        node = nodes[0] if len(nodes) == 1 else InTurn(nodes)
        return _Sized(node, steps, all(part.optional for part in parts))

    def _repeated(self) -> _Sized:
        """Read an alternative of calls and groups, and how often it comes."""
        begin = self._at
        part = self._any_of()
        times = self._times()
        if times is None:
            return part
        least, most = times
        steps = part.steps * max(1, least if most is None else most)
        if steps > MAX_STEPS:
            raise _too_long(self._snippet, begin)
        at = self._at
        if self._bar():
            raise self._snippet.error(
                at, "expected brackets: | binds closer than a repetition, write (A+)|B or (A|B)+"
            )
        return _Sized(Repeated(part.node, least, most), steps, part.optional or least == 0)

    def _times(self) -> tuple[int, int | None] | None:
        at = self._at
        sign = self._text[at : at + 1]
        if sign in _SIGNS:
            self._at += 1
            self._reject_second()
            return _SIGNS[sign]
        if sign != "{":
            return None
        found = _TIMES.match(self._text, at)
        if found is None:
            raise self._error("expected a repetition, as in {3}, {1,3} or {2,}")
        least = int(found[1])
        most = None if found[2] and not found[3] else int(found[3] or found[1])
        if most is not None and most < max(1, least):
            raise self._error(f"expected a repetition of at least 1 and {least}, saw {found[0]}")
        if max(least, most or 0) > MAX_COUNT:
            raise self._error(f"expected at most {MAX_COUNT} repetitions, saw {found[0]}")
        self._at = found.end()
        self._reject_second()
        return least, most

    def _reject_second(self) -> None:
        if self._text[self._at : self._at + 1] in {*_SIGNS, "{"}:
            raise self._error("expected one repetition, saw a second; put brackets around both")

    def _any_of(self) -> _Sized:
        """Read calls and groups with ``|`` between them."""
        begin = self._at
        parts: list[_Sized] = []
        named: list[_Named] = []
        calls_begin = begin
        while True:
            if self._text[self._at : self._at + 1] == "(":
                parts.extend(self._step(named, calls_begin))
                named = []
                parts.append(self._group())
            else:
                calls_begin = calls_begin if named else self._at
                named.append(self._call())
            if not self._bar():
                break
        parts.extend(self._step(named, calls_begin))
        steps = sum(part.steps for part in parts)
        node = parts[0].node if len(parts) == 1 else AnyOf(tuple(part.node for part in parts))
        return _Sized(node, steps, any(part.optional for part in parts))

    def _step(self, named: list[_Named], begin: int) -> list[_Sized]:
        return [_Sized(Step(self._joined(named, begin)), 1, optional=False)] if named else []

    def _group(self) -> _Sized:
        begin = self._at
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._error(f"expected at most {MAX_NESTING} groups in each other")
        self._at += 1
        inside = self._in_turn()
        if not self._next(")"):
            raise self._snippet.error(begin, "expected a closing ) for this group")
        self._at += 1
        self._nesting -= 1
        return inside

    # Characters

    def _bar(self) -> bool:
        """Pass a ``|`` with the spaces around it."""
        at = self._at
        self._skip()
        if not self._next("|"):
            self._at = at
            return False
        self._at += 1
        self._skip()
        return True

    def _next(self, mark: str) -> bool:
        return self._text.startswith(mark, self._at)

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _error(self, what: str) -> ContractFileError:
        return self._snippet.error(self._at, what)

    def _expected(self, what: str) -> ContractFileError:
        rest = self._text[self._at : self._at + 20].split()
        return self._error(f"expected {what}, saw {quoted(rest[0]) if rest else 'the end'}")


def _too_long(snippet: Snippet, at: int) -> ContractFileError:
    return snippet.error(
        at, f"expected a sequence of at most {MAX_STEPS} calls with its repetitions written out"
    )


def steps_of(node: Node) -> tuple[Pattern, ...]:
    """Return the patterns in *node*, in their order."""
    match node:
        case Step(pattern):
            return (pattern,)
        case Repeated(inside):
            return steps_of(inside)
        case InTurn(nodes) | AnyOf(nodes):
            return tuple(pattern for each in nodes for pattern in steps_of(each))
