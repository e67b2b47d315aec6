"""Submissions side by side, made by hand: what the table says, and what each earns."""

import csv
import json
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from format_results import (
    ADVICE,
    BROKEN,
    HELP,
    NOTHING,
    TORN,
    contract,
    paths,
    patient,
    result,
    texts,
)
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tracefs.findings import CheckResult, Verdict
from tracefs.grades import Attempt, Ending
from tracefs.report.grade_formats import grades_csv, grades_gradescope, grades_json, grades_junit
from tracefs.report.grades import grades, table

RULES = {"synced": 2.0, "aligned": 1.0}
GRADED: dict[str, Any] = {"points": 4.0, "rule_points": RULES, "help": HELP}


def ended(name: str, judged: CheckResult, status: int = 0, reason: str | None = None) -> Attempt:
    return Attempt(
        submission=name, ending=Ending.ENDED, status=status, reason=reason, result=judged,
        recording=f"/r/{name}/recording.trace",
    )  # fmt: skip


ATTEMPTS = [
    ended("ada", result(contract(ADVICE, **GRADED))),
    ended("ben", result(contract(BROKEN, ADVICE, **GRADED))),
    ended("cyn", result(contract(NOTHING, **GRADED))),
    ended("dan", result(contract(**GRADED)), 3, "It ended with exit status 3."),
    ended("eva", result(contract(BROKEN, **GRADED)), 139, "It was ended by SIGSEGV."),
    Attempt(
        submission="fay", ending=Ending.TIME_LIMIT, reason="It did not end within 10 s.",
        result=result(contract(BROKEN, **GRADED)),
    ),
    Attempt(submission="gus", ending=Ending.NOT_BUILT, status=2, reason="The build failed."),
    Attempt(submission="=hal", ending=Ending.TOOL_FAILED, reason="its process ended with signal 9"),
    ended("ida", result(contract(**GRADED), trace=TORN)),
]  # fmt: skip


def test_table(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(table(grades(ATTEMPTS))) == snapshot


def test_a_table_without_points_has_no_column_for_them() -> None:
    heading, *_ = table(grades([ended("ada", result(contract()))]))
    assert heading == "submission  ran  verdict  first finding"


def test_only_who_ran_to_the_end_earns() -> None:
    rows = grades(ATTEMPTS)
    points = {row.submission: row.points for row in rows}
    assert {name: each.earned for name, each in points.items() if each} == {
        "ada": 7.0, "ben": 1.0, "cyn": 0.0, "dan": 0.0, "eva": 0.0, "fay": 0.0, "gus": 0.0,
        "=hal": 0.0, "ida": 0.0,
    }  # fmt: skip
    assert {each.possible for each in points.values() if each} == {7.0}


def test_what_was_killed_is_not_broken() -> None:
    """The sync that is missing might have come."""
    verdicts = {row.submission: row.verdict for row in grades(ATTEMPTS)}
    assert verdicts == {
        "ada": "kept", "ben": "broken", "cyn": "unknown", "dan": "unknown", "eva": "broken",
        "fay": "unknown", "gus": "unknown", "=hal": "unknown", "ida": "unknown",
    }  # fmt: skip


def test_csv(snapshot: SnapshotAssertion) -> None:
    assert grades_csv(ATTEMPTS) == snapshot


def test_json_says_what_the_table_says() -> None:
    found = json.loads(grades_json(ATTEMPTS))["submissions"]
    rows = grades(ATTEMPTS)
    assert [(each["submission"], each["ran"], each["verdict"]) for each in found] == [
        (row.submission, row.ran, str(row.verdict)) for row in rows
    ]
    assert [each["earned"] for each in found] == [row.points and row.points.earned for row in rows]
    assert found[1]["result"]["contracts"][0]["id"] == "page-write"


def test_gradescope_adds_up_to_the_points_of_the_table() -> None:
    found = json.loads(grades_gradescope(ATTEMPTS))
    assert {name: each["score"] for name, each in found.items()} == {
        row.submission: row.points.earned for row in grades(ATTEMPTS) if row.points
    }
    for each in found.values():
        assert sum(test.get("max_score", 0.0) for test in each["tests"]) == 7.0
        assert sum(test.get("score", 0.0) for test in each["tests"]) == each["score"]


def test_junit_passes_none_that_is_not_kept() -> None:
    suites = {suite.get("name"): suite for suite in ET.fromstring(grades_junit(ATTEMPTS))}
    clean = {
        name
        for name, suite in suites.items()
        if suite.get("failures") == suite.get("errors") == "0"
    }
    assert clean == {"ada"}
    assert set(suites) == {attempt.submission for attempt in ATTEMPTS}


ANY = st.builds(
    Attempt,
    submission=paths,
    ending=st.sampled_from(Ending),
    status=st.none() | st.integers(0, 255),
    reason=st.none() | texts,
    result=st.sampled_from([attempt.result for attempt in ATTEMPTS]),
    recording=st.none() | paths,
)


@patient
@given(st.lists(ANY, max_size=3, unique_by=lambda each: each.submission))
def test_nothing_that_a_name_holds_leaves_its_cell(attempts: list[Attempt]) -> None:
    rows = grades(attempts)
    lines = list(table(rows))
    assert len(lines) == len(attempts) + 3
    assert all(line.isprintable() for line in lines)
    read = list(csv.reader(grades_csv(attempts).splitlines()))
    assert [len(row) for row in read] == [7] * (len(attempts) + 1)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in read for cell in row)
    assert len(ET.fromstring(grades_junit(attempts))) == len(attempts)
    for row, attempt in zip(rows, attempts, strict=True):
        if row.verdict is Verdict.KEPT:
            assert attempt.ending is Ending.ENDED
            assert attempt.status == 0
        elif row.points is not None and attempt.status != 0:
            assert row.points.earned == 0


@pytest.mark.parametrize("ending", [each for each in Ending if each is not Ending.ENDED])
def test_only_what_ended_is_judged(ending: Ending) -> None:
    made = msgspec.structs.replace(ATTEMPTS[0], ending=ending)
    assert made.verdict is Verdict.UNKNOWN
