"""The page on fault rules says what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_support import DOCS, blocks

from tracefs.errors import RuleError
from tracefs.faults import asked
from tracefs.faults.delay_text import read as read_delay
from tracefs.faults.lint import lint
from tracefs.faults.model import Mode, Per, Shape
from tracefs.faults.options import KEYS, OF_STRACE
from tracefs.faults.spelling import parse
from tracefs.faults.table import read
from tracefs.syscalls import call_names

PAGE = DOCS / "reference" / "inject.md"
HOW_TO = DOCS / "how-to" / "inject-faults.md"
TEXT = PAGE.read_text("utf-8")


def rows(head: str) -> Iterator[list[str]]:
    """Yield the cells of each table that begins with *head*, line by line."""
    for table in TEXT.split(f"| {head} |")[1:]:
        lines = table.split("\n\n", 1)[0].rstrip().split("\n")[2:]
        yield from ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_family_is_there_with_calls_that_come_as_it() -> None:
    families = {cells[0].strip("`"): ticked(cells[2]) for cells in rows("Family")}
    assert families.keys() == {*asked.FAMILIES, asked.ALL}
    for family, calls in families.items():
        for call in set(calls) & call_names() - {"bind", "dup2", "open"}:
            assert asked.of_call(call) & asked.family(family), (family, call)


def test_every_key_is_there() -> None:
    assert sorted(cells[0].strip("`") for cells in rows("Key")) == sorted(KEYS)


def test_every_choice_is_there() -> None:
    values = {cells[0].strip("`"): ticked(cells[1]) for cells in rows("Key")}
    assert values["mode"] == [mode.value for mode in Mode]
    assert values["per"] == [per.value for per in Per]
    spreads = [cells[0].strip("`") for cells in rows("Spelling")]
    assert [read_delay(text).shape for text in spreads] == list(Shape)[1:]


def test_what_it_says_is_refused_is() -> None:
    table = TEXT.split("## What is refused", 1)[1].split("Warned about", 1)[0]
    rules = [rule for line in table.split("\n") if line[:3] == "| `" for rule in
             ticked(line.split("|")[1])]  # fmt: skip
    assert len(rules) >= 12
    for rule in rules:
        with pytest.raises(RuleError):
            parse(rule)


def test_what_it_says_is_warned_about_is() -> None:
    table = TEXT.split("Warned about", 1)[1].split("When the command", 1)[0]
    unheard, _, unseen, _, *others = [
        ticked(line.split("|")[1]) for line in table.split("\n") if line.startswith("| ")
    ][2:]
    globs = others[0]
    for rule in (*(f"={name.removeprefix('=')}=EIO" for name in (*unheard, *unseen)), *globs):
        [warned, *_] = lint([parse(rule)], witnessed=True, machine="x86_64")
        assert warned.message


def test_what_strace_has_alone_is_there() -> None:
    [line] = [line for line in TEXT.split("\n") if line.startswith("| `signal`")]
    assert sorted(ticked(line)) == sorted(OF_STRACE)


@pytest.mark.parametrize("page", [PAGE, HOW_TO], ids=["reference", "how-to"])
def test_every_rule_that_is_shown_is_one(page: Path) -> None:
    text = page.read_text("utf-8")
    shown = re.findall(r"--inject '([^']+)'", text)
    assert shown
    for rule in shown:
        if rule != "fsynk=EIO":
            parse(rule)


@pytest.mark.parametrize("page", [PAGE, HOW_TO], ids=["reference", "how-to"])
def test_every_file_that_is_shown_is_read(page: Path) -> None:
    for text in blocks(page, "toml"):
        assert len(read(text, "shown")) == 2
