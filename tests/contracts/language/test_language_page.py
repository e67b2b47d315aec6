"""The page of the language has every word of it, and its examples are right."""

import re
from pathlib import Path

import pytest
from docs_support import DOCS, blocks, transcript
from language_support import judged as judge_script
from page_write_calls import PAGE as PAGE_SIZE
from page_write_calls import Script

from tracefs.callnames import ALIASES
from tracefs.cli.main import main
from tracefs.contracts.language import (
    clauses,
    expressions,
    patterns,
    reading,
    sequences,
    tokens,
)
from tracefs.contracts.language.engine import LanguageContract
from tracefs.contracts.language.fields import KINDS
from tracefs.contracts.language.lint import lint
from tracefs.contracts.language.reading import read_contracts
from tracefs.findings import Verdict
from tracefs.placed import files
from tracefs.trace.families import FAMILIES

PAGE = DOCS / "reference" / "contract-language.md"
TEXT = PAGE.read_text("utf-8")


def rows(head: str) -> list[list[str]]:
    """Return the cells of the table that begins with *head*."""
    table = TEXT.split(f"| {head} |", 1)[1].split("\n\n", 1)[0].rstrip()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n")[2:]]


@pytest.mark.parametrize("text", blocks(PAGE, "toml"))
def test_examples_are_read_without_doubt(text: str) -> None:
    assert [lint(spec) for spec in read_contracts(text, "c.toml")] == [()] * text.count(
        "[[contract]]"
    )


def judged(text: str, script: Script) -> dict[str, Verdict]:
    return {
        spec.id: judge_script(LanguageContract(spec), script.items).verdict
        for spec in read_contracts(text, "c.toml")
    }


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [("wsrd", Verdict.KEPT), ("wrd", Verdict.BROKEN), ("wsr", Verdict.BROKEN)],
)
def test_the_first_example_judges_a_save(steps: str, verdict: Verdict) -> None:
    script = Script()
    opened = script.open("config.tmp")
    for step in steps:
        match step:
            case "w":
                script.write(opened)
            case "s":
                script.sync(opened)
            case "r":
                script.call("rename", "rename", path="config.tmp", target="config.json")
            case "d":
                script.syncdir(".")
    assert judged(blocks(PAGE, "toml")[0], script) == {"save": verdict}


def test_the_second_example_judges_a_database() -> None:
    script = Script()
    wal, data = script.open("a.db-wal"), script.open("a.db", created=True)
    script.write(wal)
    script.write(data, length=PAGE_SIZE)
    script.sync(data)
    script.syncdir(".")
    text = blocks(PAGE, "toml")[1]
    assert judged(text, script) == {
        "pages": Verdict.KEPT,
        "log-first": Verdict.BROKEN,
        "directories": Verdict.KEPT,
    }


def test_every_field_is_described() -> None:
    assert {cells[0].strip("`"): cells[1] for cells in rows("Field")} == {
        name: kind.value for name, kind in KINDS.items()
    }


def test_every_name_for_several_calls_is_described() -> None:
    found = {
        cells[0].strip("`"): frozenset(re.findall(r"`(\w+)`", cells[1])) for cells in rows("Name")
    }
    assert found == dict(ALIASES)


def test_every_family_is_named() -> None:
    paragraph = TEXT.split("**Families**", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"`@(\w+)`", paragraph)) == FAMILIES


def test_every_key_is_named() -> None:
    contract = {cells[0].strip("`") for cells in rows("Key of `[[contract]]`")}
    rule = {cells[0].strip("`") for cells in rows("Key of `[[contract.rule]]`")}
    assert contract - {"[clauses](#clauses)"} == set(reading._CONTRACT) - set(clauses.KEYS)
    assert rule - {"[clauses](#clauses)"} == set(reading._RULE) - set(clauses.KEYS)
    keys = {key for cells in rows("Keys") for key in re.findall(r"`(\w+)`", cells[0])}
    assert keys == set(clauses.KEYS)


def test_limits() -> None:
    cells = " ".join(row[1] for row in rows("What"))
    figures = {int(each.replace(",", "")) for each in re.findall(r"[\d,]*\d", cells)}
    limits = {
        files.MAX_CHARACTERS, reading.MAX_CONTRACTS, reading.MAX_STEPS, reading.MAX_RULES,
        patterns.MAX_LENGTH, sequences.MAX_STEPS, sequences.MAX_COUNT, sequences.MAX_NESTING,
        tokens.MAX_LENGTH, expressions.MAX_DEPTH,
    }  # fmt: skip
    assert figures - {2, 64} == limits


def test_the_error_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.toml").write_text('version = 1\n\n[[contract]]\nid = "a"\nnever = "pwrit"\n')
    [(command, output)] = transcript(blocks(PAGE, "console")[0])
    assert main(command.split()[1:]) == 2
    assert capsys.readouterr().out == output


def test_the_explanation_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("save.toml").write_text(blocks(PAGE, "toml")[0])
    shown = blocks(DOCS / "reference" / "cli.md", "text")
    [block] = [each for each in shown if each.startswith("$ tracefs contracts explain")]
    [(command, output)] = transcript(block)
    assert main(command.split()[1:]) == 0
    assert capsys.readouterr().out == output
