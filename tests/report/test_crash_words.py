"""Sentences that tell what is not known from what is."""

from typing import Any

import pytest
from crash_reports import KEPT, REPAIR, failure
from msgspec import structs

from tracefs.crashes import Redundant
from tracefs.report.crash_coverage import redundant
from tracefs.report.crash_words import repair as words_of

FOUND = Redundant(call=9, shown="fsync(4) = 0", source=None, redundant=True, states=300, failed=0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"redundant": None}, "call 9 fsync(4) = 0: not known, not all states were explored"),
        ({"redundant": False, "failed": 4}, "needed, 4 of 300 states"),
        ({}, "nothing more fails without it in 300 states"),
        ({"together": False}, "but more does without the redundant ones before it, too"),
    ],
)
def test_a_sync_is_redundant_within_what_was_explored(fields: dict[str, Any], said: str) -> None:
    assert said in redundant(structs.replace(FOUND, **fields), KEPT)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "verified, 0 of 312 states fail with it"),
        ({"verified": False}, "not verified, of 312 states this one fails with it too"),
        (
            {"verified": False, "whole": False},
            "not verified, only 312 states could be explored with it",
        ),
    ],
)
def test_a_repair_is_verified_where_all_was_explored(fields: dict[str, Any], said: str) -> None:
    words = words_of(failure(repairs=(structs.replace(REPAIR, **fields),)))
    assert words is not None
    assert words.endswith(f": {said}")
