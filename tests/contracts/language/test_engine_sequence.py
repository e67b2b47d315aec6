"""``when``/``sequence`` over scripts of calls."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_support import assert_kept, contract, found, judged
from page_write_calls import Script, header

from tracefs.contracts.base import Settings

REPLACE = """
when = "rename($tmp, *.json)"
sequence = ["pwrite($tmp)+", "fdatasync|fsync($tmp)", "rename($tmp, *.json)", "fsyncdir(.)"]
"""


class Save(Script):
    """An editor's steps."""

    def steps(self, letters: str, tmp: str = "c.tmp", target: str = "c.json") -> "Save":
        opened = self.open(tmp)
        for letter in letters:
            match letter:
                case "w":
                    self.write(opened)
                case "s":
                    self.sync(opened)
                case "f":
                    self.sync(opened, errno=5, result=None)
                case "a":
                    self.sync(opened, after_failed=len(self.items) - 1)
                case "r":
                    self.call("renameat2", "rename", path=tmp, target=target)
                case "d":
                    self.syncdir(".")
                case "?":
                    self.sync(opened, name="unknown")
        return self


@pytest.mark.parametrize("letters", ["wsrd", "wwwsrd", "wswsrd", "swsrd", "wsrdwsrd"])
def test_kept(letters: str) -> None:
    assert_kept(judged(contract(REPLACE), Save().steps(letters).items))


@pytest.mark.parametrize(
    ("letters", "call", "said"),
    [
        ("wrsd", 2, "Expected pwrite(c.tmp) or fdatasync|fsync(c.tmp) before renameat2"),
        ("wswrd", 4, "Expected pwrite(c.tmp) or fdatasync|fsync(c.tmp) before renameat2"),
        ("wfrd", 3, "Expected pwrite(c.tmp) or fdatasync|fsync(c.tmp) before renameat2"),
        ("wfard", 4, "Expected pwrite(c.tmp) or fdatasync|fsync(c.tmp) before renameat2"),
        ("srd", 2, "before renameat2"),
        ("rd", 1, "nothing of it came before"),
        ("wsr", 3, "Expected fsyncdir(.) after renameat2 of 'c.tmp' to 'c.json'; the trace ends"),
        ("wsrwd", 3, "Expected fsyncdir(.) after"),
    ],
)
def test_broken(letters: str, call: int, said: str) -> None:
    result = judged(contract(REPLACE), Save().steps(letters).items)
    assert found(result) == [("sequence", "broken", call)]
    assert said in result.findings[0].message


def test_saves_beside_each_other_are_told_apart() -> None:
    script = Save()
    one, two = script.open("1.tmp"), script.open("2.tmp")
    script.write(one)
    script.write(two)
    script.sync(one)
    script.call("rename", "rename", path="1.tmp", target="1.json")
    script.write(two)
    script.syncdir(".")
    script.sync(two)
    script.call("rename", "rename", path="2.tmp", target="2.json")
    assert found(judged(contract(REPLACE), script.items)) == [("sequence", "broken", 9)]
    script.syncdir(".")
    assert_kept(judged(contract(REPLACE), script.items))


def test_files_that_are_never_renamed_are_not_judged() -> None:
    result = judged(contract(REPLACE), Save().steps("wwws").items)
    assert found(result) == [("some", "unknown", None)]


def test_a_sync_that_began_before_the_write_was_done_is_no_step() -> None:
    script = Save()
    opened = script.open("c.tmp")
    written = script.write(opened)
    script.sync(opened, start_ns=written.start_ns)
    script.call("rename", "rename", path="c.tmp", target="c.json")
    script.syncdir(".")
    assert found(judged(contract(REPLACE), script.items)) == [("sequence", "broken", 3)]


def test_what_may_be_a_step_leaves_it_unknown() -> None:
    result = judged(contract(REPLACE), Save().steps("w?rd").items)
    assert found(result) == [("sequence", "unknown", 3)]


def test_a_trace_cut_short_leaves_the_rest_unknown() -> None:
    result = judged(contract(REPLACE), Save().steps("wsr").items, complete=False)
    assert found(result) == [("sequence", "unknown", 3)]


def test_a_directory_of_a_variable() -> None:
    text = """
    when = "rename($tmp, $new)"
    sequence = ["fsync($tmp)", "rename($tmp, $new)", "fsyncdir(dir($new))"]
    """
    script = Script()
    script.sync(script.open("sub/x.tmp"), name="fsync")
    script.call("rename", "rename", path="sub/x.tmp", target="there/x")
    script.syncdir("sub")
    assert found(judged(contract(text), script.items)) == [("sequence", "broken", 2)]
    script.syncdir("there")
    assert_kept(judged(contract(text), script.items))


def test_what_is_whole_is_forgotten() -> None:
    judge = contract(REPLACE).start(header(witness="seccomp"), Settings())
    (rule,) = judge._rules  # type: ignore[attr-defined]
    for number in range(20):
        for item in Save().steps("wsrd", f"{number}.tmp", f"{number}.json").items:
            judge.feed(item)
        assert list(rule._courses[0, None].all()) == []


LETTERS = {"w": "pwrite(f)", "s": "fsync(f)", "t": "ftruncate(f)"}


def play(word: str) -> Script:
    script = Script()
    opened = script.open("f")
    for letter in word:
        match letter:
            case "w":
                script.write(opened)
            case "s":
                script.sync(opened, name="fsync")
            case "t":
                script.call("ftruncate", "truncate", path="f", ino=opened.ino, length=0)
    script.call("unlink", "unlink", path="f")
    return script


@pytest.mark.parametrize(
    ("sequence", "expression"),
    [
        ('"pwrite(f)+ fsync(f)"', "w+s"),
        ('"(pwrite(f) fsync(f))+"', "(ws)+"),
        ('"pwrite(f){2,3}", "fsync(f)?"', "w{2,3}s?"),
        ('"ftruncate(f) (pwrite(f)|fsync(f))* fsync(f)"', "t[ws]*s"),
        ('"(pwrite(f)+ ftruncate(f)?)+ fsync(f){2}"', "(w+t?)+s{2}"),
        ('"pwrite(f)* fsync(f)"', "w*s"),
    ],
)
@given(word=st.text("wst", max_size=9))
def test_a_sequence_is_a_regular_expression(sequence: str, expression: str, word: str) -> None:
    """The judge of what is kept is Python's re, over one letter for each call."""
    steps = [*LETTERS.values(), "unlink(f)"]
    text = f'when = "unlink(f)"\nsequence = [{sequence}, "unlink(f)"]'
    result = judged(contract(text), play(word).items)
    # Calls that are no step of the sequence are passed by.
    seen = "".join(letter for letter in word if LETTERS[letter].partition("(")[0] in sequence)
    kept = re.search(f"({expression})$", seen) is not None
    assert (found(result) == []) is kept, (steps, found(result))
