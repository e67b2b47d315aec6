"""A sequence as an automaton: its steps are the states, as V. M. Glushkov built them (1961).

State *n* means that the step numbered *n* has just been seen. There are no empty moves, so that a
run over a trace is a set of states and each call costs its followers alone.
"""

from dataclasses import dataclass, field

from tracefs.contracts.language.model import AnyOf, InTurn, Node, Pattern, Repeated, Step


@dataclass(frozen=True)
class Automaton:
    """The steps of a sequence, and which may come first, last and after which."""

    steps: tuple[Pattern, ...]
    first: frozenset[int]
    last: frozenset[int]
    follow: tuple[frozenset[int], ...]
    empty: bool
    """The sequence may be without any call."""


@dataclass
class _Part:
    first: frozenset[int]
    last: frozenset[int]
    empty: bool


@dataclass
class _Builder:
    steps: list[Pattern] = field(default_factory=list)
    follow: list[set[int]] = field(default_factory=list)

    def build(self, node: Node) -> _Part:
        match node:
            case Step(pattern=pattern):
                self.steps.append(pattern)
                self.follow.append(set())
                only = frozenset({len(self.steps) - 1})
                return _Part(only, only, empty=False)
            case InTurn(nodes=nodes):
                part = _Part(frozenset(), frozenset(), empty=True)
                for each in nodes:
                    part = self._then(part, self.build(each))
                return part
            case AnyOf(nodes=nodes):
                parts = [self.build(each) for each in nodes]
                return _Part(
                    frozenset().union(*(part.first for part in parts)),
                    frozenset().union(*(part.last for part in parts)),
                    empty=any(part.empty for part in parts),
                )
            case Repeated(node=inner, least=least, most=most):
                return self._repeat(inner, least, most)

    def _then(self, one: _Part, other: _Part) -> _Part:
        self._lead(one, other)
        return _Part(
            one.first | other.first if one.empty else one.first,
            other.last | one.last if other.empty else other.last,
            empty=one.empty and other.empty,
        )

    def _repeat(self, node: Node, least: int, most: int | None) -> _Part:
        first = copy = self.build(node)
        # What may be nothing may be left out each time; so copies need not be passed over.
        least = 0 if first.empty else least
        last = first.last if least <= 1 else frozenset()
        for number in range(2, 1 + (max(least, 1) if most is None else most)):
            before, copy = copy, self.build(node)
            self._lead(before, copy)
            last = last | copy.last if number >= least else last
        if most is None:
            self._lead(copy, copy)
        return _Part(first.first, last, empty=least == 0)

    def _lead(self, one: _Part, other: _Part) -> None:
        for end in one.last:
            self.follow[end] |= other.first


def automaton(node: Node) -> Automaton:
    """Return the automaton of a sequence; as large as *node* with repetitions written out."""
    builder = _Builder()
    part = builder.build(node)
    return Automaton(
        steps=tuple(builder.steps),
        first=part.first,
        last=part.last,
        follow=tuple(map(frozenset, builder.follow)),
        empty=part.empty,
    )
