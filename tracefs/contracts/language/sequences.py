"""Sequences of calls, as ``pwrite($a)+ (fsync($a) close)?``, from text.

So ``close (fsync lseek)+`` is a call and a group, and ``close(a.db)`` is a call on a file.
"""

import re
from typing import Final, NamedTuple

from tracefs.contracts.language.model import AnyOf, InTurn, Node, Pattern, Repeated, Step
from tracefs.contracts.language.patterns import REPETITIONS, Named, PatternParser
from tracefs.errors import TextFileError
from tracefs.placed.snippet import Snippet

MAX_COUNT: Final = 1000
MAX_NESTING: Final = 20
MAX_STEPS: Final = 2000
"""Steps of a sequence when its repetitions are written out."""

_TIMES: Final = re.compile(r"\{\s*([0-9]{1,9})\s*(?:(,)\s*([0-9]{1,9})?\s*)?\}")
_SIGNS: Final[dict[str, tuple[int, int | None]]] = {"+": (1, None), "*": (0, None), "?": (0, 1)}


def read_sequence(snippets: tuple[Snippet, ...]) -> Node:
    """Return the sequence of all *snippets*, one after the other; at least one.

    Raises:
        TextFileError: It is none; with its place and what was expected.
    """
    sizes = [_SequenceParser(snippet).whole_sequence() for snippet in snippets]
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


class _SequenceParser(PatternParser):
    """Reads one text."""

    def __init__(self, snippet: Snippet) -> None:
        super().__init__(snippet, end=False)
        self._nesting = 0

    def whole_sequence(self) -> _Sized:
        """Return the whole text as a sequence."""
        sized = self._in_turn()
        if self.at < len(self.text):
            raise self.expected("a call, a group or the end of the sequence")
        return sized

    def _in_turn(self) -> _Sized:
        begin = self.at
        parts: list[_Sized] = []
        while True:
            self.skip()
            if self.at >= len(self.text) or self.text[self.at] == ")":
                break
            parts.append(self._repeated())
        if not parts:
            raise self.expected("a call or a group, as in (pwrite fsync)+")
        steps = sum(part.steps for part in parts)
        if steps > MAX_STEPS:
            raise _too_long(self.snippet, begin)
        nodes = tuple(node for part in parts for node in _flat(part.node))
        node = nodes[0] if len(nodes) == 1 else InTurn(nodes)
        return _Sized(node, steps, all(part.optional for part in parts))

    def _repeated(self) -> _Sized:
        """Read an alternative of calls and groups, and how often it comes."""
        begin = self.at
        part = self._any_of()
        times = self._times()
        if times is None:
            return part
        least, most = times
        steps = part.steps * max(1, least if most is None else most)
        if steps > MAX_STEPS:
            raise _too_long(self.snippet, begin)
        at = self.at
        if self.bar():
            raise self.snippet.error(
                at, "expected brackets: | binds closer than a repetition, write (A+)|B or (A|B)+"
            )
        return _Sized(Repeated(part.node, least, most), steps, part.optional or least == 0)

    def _times(self) -> tuple[int, int | None] | None:
        at = self.at
        sign = self.text[at : at + 1]
        if sign in _SIGNS:
            self.at += 1
            self._reject_second()
            return _SIGNS[sign]
        if sign != "{":
            return None
        found = _TIMES.match(self.text, at)
        if found is None:
            raise self.error("expected a repetition, as in {3}, {1,3} or {2,}")
        least = int(found[1])
        most = None if found[2] and not found[3] else int(found[3] or found[1])
        if most is not None and most < max(1, least):
            times = f"{least} times, as its first number says" if least else "once"
            raise self.error(f"expected a repetition of at least {times}, saw {found[0]}")
        if max(least, most or 0) > MAX_COUNT:
            raise self.error(f"expected at most {MAX_COUNT} repetitions, saw {found[0]}")
        self.at = found.end()
        self._reject_second()
        return least, most

    def _reject_second(self) -> None:
        if self.text[self.at : self.at + 1] in REPETITIONS:
            raise self.error("expected one repetition, saw a second; put brackets around both")

    def _any_of(self) -> _Sized:
        """Read calls and groups with ``|`` between them."""
        begin = self.at
        parts: list[_Sized] = []
        named: list[Named] = []
        calls_begin = begin
        while True:
            if self.text[self.at : self.at + 1] == "(":
                parts.extend(self._step(named, calls_begin))
                named = []
                parts.append(self._group())
            else:
                calls_begin = calls_begin if named else self.at
                named.append(self.call())
            if not self.bar():
                break
        parts.extend(self._step(named, calls_begin))
        steps = sum(part.steps for part in parts)
        node = parts[0].node if len(parts) == 1 else AnyOf(tuple(part.node for part in parts))
        return _Sized(node, steps, any(part.optional for part in parts))

    def _step(self, named: list[Named], begin: int) -> list[_Sized]:
        return [_Sized(Step(self.joined(named, begin)), 1, optional=False)] if named else []

    def _group(self) -> _Sized:
        begin = self.at
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self.error(f"expected at most {MAX_NESTING} groups in each other")
        self.at += 1
        inside = self._in_turn()
        if not self.next(")"):
            raise self.snippet.error(begin, "expected a closing ) for this group")
        self.at += 1
        self._nesting -= 1
        return inside


def _too_long(snippet: Snippet, at: int) -> TextFileError:
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
