"""Each built-in contract has a page with its rules and its file, and is read without a doubt."""

import re
from pathlib import Path

import pytest

from tracefs.contracts import file_of, find, names, specs

DOCS = Path(__file__).parents[2] / "docs" / "reference"
BY_FILE = sorted({*names()} - {"page-write"})


def page(name: str) -> str:
    return (DOCS / f"contract-{name}.md").read_text("utf-8")


def test_these_come_with_tracefs() -> None:
    assert BY_FILE == [
        "append-only-log",
        "atomic-replace",
        "direct-io-aligned",
        "interrupted-retried",
        "no-mmap-writes",
        "no-space-handled",
        "no-unsynced-close",
        "short-write-handled",
        "sync-failure-handled",
        "wal-before-data",
    ]


@pytest.mark.parametrize("name", BY_FILE)
def test_the_page_has_the_file(name: str) -> None:
    path = file_of(name)
    assert path is not None
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    assert shown == Path(path).read_text("utf-8")


@pytest.mark.parametrize("name", BY_FILE)
def test_every_rule_has_its_section_and_its_row(name: str) -> None:
    rules = find(name).rules
    assert tuple(re.findall(r"^### (\S+)$", page(name), re.MULTILINE)) == rules
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(#\1\) \| .* \| (\w+) \|$", page(name), re.MULTILINE)
    severities = {rule.id: str(rule.severity) for spec in specs(name) for rule in spec.rules}
    assert rows == [(rule, severities[rule]) for rule in rules]


@pytest.mark.parametrize("name", names())
def test_the_file_has_one_contract_of_its_name_that_says_what_it_is_for(name: str) -> None:
    (spec,) = specs(name)
    assert spec.id == name
    assert spec.title.endswith(".")
