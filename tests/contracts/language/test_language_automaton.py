"""Sequences as automata, against Python's regular expressions."""

import re

from condition_support import snippet
from hypothesis import given
from hypothesis import strategies as st

from tracefs.contracts.language.automaton import Automaton, automaton
from tracefs.contracts.language.model import AnyOf, InTurn, Node, Repeated
from tracefs.contracts.language.patterns import read_pattern
from tracefs.contracts.language.sequences import read_sequence

LETTERS = {"a": "pwrite", "b": "fsync", "c": "close"}

_times = st.sampled_from([(0, 1), (0, None), (1, None), (2, 2), (1, 3), (2, None), (0, 2), (3, 4)])


def accepts(machine: Automaton, word: str) -> bool:
    state: set[int] | None = None
    for letter in word:
        name = read_pattern(snippet(LETTERS[letter])).calls[0].names
        after = [machine.first] if state is None else [machine.follow[each] for each in state]
        state = {each for each in set().union(*after) if machine.steps[each].calls[0].names == name}
    return machine.empty if state is None else bool(state & machine.last)


@st.composite
def node_and_expression(draw: st.DrawFn, depth: int = 3) -> tuple[Node, str]:
    kind = draw(st.sampled_from(["step", "turn", "any", "times"] if depth else ["step"]))
    if kind == "step":
        letter = draw(st.sampled_from(sorted(LETTERS)))
        return read_sequence((snippet(LETTERS[letter]),)), letter
    inner = node_and_expression(depth - 1)
    if kind == "times":
        node, text = draw(inner)
        least, most = draw(_times)
        return Repeated(node, least, most), f"(?:{text}){{{least},{'' if most is None else most}}}"
    parts = [draw(inner), draw(inner)]
    nodes, texts = tuple(node for node, _ in parts), [text for _, text in parts]
    if kind == "turn":
        return InTurn(nodes), "".join(texts)
    return AnyOf(nodes), f"(?:{'|'.join(texts)})"


@given(node_and_expression(), st.text("abc", max_size=7))
def test_it_accepts_what_the_regular_expression_matches(pair: tuple[Node, str], word: str) -> None:
    node, expression = pair
    assert accepts(automaton(node), word) is bool(re.fullmatch(expression, word))


def test_it_is_as_large_as_its_text_with_repetitions_written_out() -> None:
    for text in (
        "lseek pwrite{0,999} fsync{0,1000}",
        "lseek (pwrite?){0,999} fsync{0,1000}",
        "lseek ((pwrite? fsync?){0,30}){0,30}",
    ):
        machine = automaton(read_sequence((snippet(text),)))
        assert len(machine.steps) <= 2000
        assert sum(map(len, machine.follow)) < 5 * len(machine.steps)
