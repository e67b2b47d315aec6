"""The reference page explains every rule, each kind of finding, and no rule that doesn't exist."""

import re
from pathlib import Path

from tracefs.check import CHECKER, COMPLETE_TRACE
from tracefs.contracts.log import LISTED
from tracefs.contracts.page_write import PageWrite
from tracefs.contracts.page_write.report import WRITTEN

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "contract-page-write.md"


def test_every_rule_has_its_section_in_order() -> None:
    assert (
        tuple(re.findall(r"^### (\S+)$", PAGE.read_text("utf-8"), re.MULTILINE)) == PageWrite.rules
    )


def test_every_rule_has_its_row() -> None:
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(#\1\)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert tuple(rows) == PageWrite.rules


def test_the_findings_without_a_rule_are_explained() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| unknown", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [WRITTEN, COMPLETE_TRACE, CHECKER]


def test_the_number_of_findings_listed_is_the_true_one() -> None:
    assert f"the first {LISTED} findings are listed" in PAGE.read_text("utf-8")
