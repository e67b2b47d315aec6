"""The verdict formats that other programs read, each held to a reader of its own kind."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from format_results import (
    ADVICE,
    BROKEN,
    HELP,
    NOTHING,
    TORN,
    UNKNOWN,
    contract,
    finding,
    patient,
    result,
    results,
)
from hypothesis import given
from junitparser import JUnitXml
from syrupy.assertion import SnapshotAssertion
from tap.parser import Parser

from tracefs.cli.format_names import FORMATS
from tracefs.findings import CheckResult, Severity, Verdict
from tracefs.pathtext import to_text
from tracefs.report.cases import cases
from tracefs.report.github import MOST, github
from tracefs.report.gradescope import gradescope
from tracefs.report.junit import junit
from tracefs.report.sarif import sarif
from tracefs.report.style import Style
from tracefs.report.tap import tap
from tracefs.report.verdict import VerdictText
from tracefs.report.writers import WRITERS

SCHEMA = jsonschema.Draft7Validator(
    json.loads(Path(__file__).with_name("sarif_subset.json").read_text("utf-8"))
)
RULES = {"synced": 2.0, "aligned": 1.5}
GRADED = result(
    contract(BROKEN, UNKNOWN, ADVICE, help=HELP, points=4.0, rule_points=RULES),
    contract(id="no-mmap-writes", points=1.0),
)
KEPT = result(contract(ADVICE))


def test_every_format_has_a_writer() -> None:
    assert set(FORMATS) == {"text", "github", *WRITERS}


def test_text_says_help_and_points(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(VerdictText(style=Style()).render(GRADED)) == snapshot


# ---------------------------------------------------------------- JUnit


def test_junit(snapshot: SnapshotAssertion) -> None:
    assert junit(GRADED) == snapshot


def test_junit_counts_what_is_unknown_as_an_error_and_advice_as_nothing() -> None:
    (suite,) = JUnitXml.fromstring(
        junit(result(contract(UNKNOWN, ADVICE), contract(id="b"))).encode()
    )
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (2, 0, 1, 0)


@patient
@given(results)
def test_junit_is_read_and_no_case_passes_that_is_not_kept(of: CheckResult) -> None:
    text = junit(of)
    for element in ET.fromstring(text).iter():
        assert element.tag in {
            "testsuites", "testsuite", "testcase", "properties", "property", "failure", "error",
            "system-out",
        }  # fmt: skip
    (suite,) = JUnitXml.fromstring(text.encode())
    expected = list(cases(of))
    assert [case.name for case in suite] == [case.name for case in expected]
    for read, case in zip(suite, expected, strict=True):
        assert read.is_passed == (case.verdict is Verdict.KEPT)
    assert suite.tests == len(expected)
    assert suite.failures + suite.errors == sum(
        case.verdict is not Verdict.KEPT for case in expected
    )


# ---------------------------------------------------------------- TAP


def read_tap(text: str) -> tuple[int, list[Any]]:
    """Return the plan and the results that tap.py reads; every line must be known to it."""
    lines = list(Parser().parse_text(text))
    assert lines[0].category == "version"
    assert {line.category for line in lines} <= {"version", "plan", "test", "diagnostic"}
    (plan,) = [line for line in lines if line.category == "plan"]
    return plan.expected_tests, [line for line in lines if line.category == "test"]


def test_tap(snapshot: SnapshotAssertion) -> None:
    assert tap(GRADED) == snapshot


@patient
@given(results)
def test_tap_is_read_and_nothing_is_skipped(of: CheckResult) -> None:
    plan, tests = read_tap(tap(of))
    expected = list(cases(of))
    assert plan == len(tests) == len(expected)
    for place, (read, case) in enumerate(zip(tests, expected, strict=True), 1):
        assert read.number == place
        assert read.ok == (case.verdict is Verdict.KEPT)
        assert not read.skip
        assert not read.todo
        if case.verdict is not Verdict.KEPT:
            assert read.yaml_block["verdict"] == str(case.verdict)
            assert len(read.yaml_block.get("findings", ())) == len(case.findings)


# ---------------------------------------------------------------- GitHub


COMMAND = re.compile(r"::(error|warning|notice)(?: ([^:]*))?::(.*)")


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """Return kind, properties and message, as the runner's ActionCommand.TryParseV2 reads them."""
    found = COMMAND.fullmatch(line)
    assert found, line
    properties = dict(pair.split("=", 1) for pair in (found[2] or "").split(","))
    return (
        found[1],
        {key: _unescaped(text) for key, text in properties.items()},
        _unescaped(found[3]),
    )


def _unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_github(snapshot: SnapshotAssertion) -> None:
    report = github(GRADED)
    assert "\n".join((*report.annotations, "", *report.summary)) == snapshot


def test_github_names_files_as_the_checked_out_tree_has_them() -> None:
    at = finding(source="/home/ci/repo/src/a, b.c:12 in put")
    (line,) = github(result(contract(at)), "/home/ci/repo").annotations
    _, properties, _ = read_command(line)
    assert (properties["file"], properties["line"]) == ("src/a, b.c", "12")


@pytest.mark.parametrize("source", [None, "libfoo.so+0x12 in put", "?"])
def test_github_names_no_file_without_a_line(source: str | None) -> None:
    (line,) = github(result(contract(finding(source=source)))).annotations
    assert set(read_command(line)[1]) == {"title"}


def test_github_has_at_most_ten_annotations_and_puts_errors_first() -> None:
    advice = [finding("idle-sync", severity=Severity.ADVICE, call=call) for call in range(9)]
    of = result(contract(*advice, UNKNOWN, *(finding(call=call) for call in range(4))))
    report = github(of)
    kinds = [read_command(line)[0] for line in report.annotations]
    assert kinds == ["error"] * 4 + ["warning"] + ["notice"] * 5
    rows = [line for line in report.summary if line.startswith("| advice")]
    assert len(rows) == len(advice) - 5
    assert "The other 4 findings:" in report.summary


def test_github_speaks_of_a_doubt_that_has_no_finding() -> None:
    (line,) = github(result(contract(), trace=TORN)).annotations
    assert read_command(line)[0] == "warning"


@patient
@given(results)
def test_github_lines_are_the_commands_meant_and_no_others(of: CheckResult) -> None:
    report = github(of)
    said = sum(len(each.findings) for each in of.contracts)
    doubts = sum(
        1 for case in cases(of)
        if case.rule is None and case.verdict is not Verdict.KEPT and not case.findings
    )  # fmt: skip
    assert len(report.annotations) == min(MOST, said + doubts)
    for line in report.annotations:
        assert line.isprintable()
        read_command(line)
    if any(case.verdict is not Verdict.KEPT for case in cases(of) if case.rule is None):
        assert read_command(report.annotations[0])[0] in {"error", "warning"}
    for line in report.summary:
        assert line.isprintable() or not line
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
    rows = [line for line in report.summary if re.match(r"\| (error|unknown|advice) ", line)]
    assert len(rows) == max(0, said + doubts - MOST)
    assert all(row.count("|") == 6 for row in rows)
    assert all(row.count("`") % 2 == 0 for row in rows)


# ---------------------------------------------------------------- SARIF


def test_sarif(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(json.loads(sarif(GRADED)), indent=2) == snapshot


def read_sarif(of: CheckResult, root: str | None = None) -> dict[str, Any]:
    log = json.loads(sarif(of, root))
    SCHEMA.validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_sarif_says_of_a_kept_contract_nothing_but_advice() -> None:
    assert [(each["level"], each["ruleId"]) for each in read_sarif(KEPT)["results"]] == [
        ("note", "page-write/idle-sync")
    ]


def test_sarif_shows_what_is_unknown_to_readers_that_know_no_kinds() -> None:
    (found,) = read_sarif(result(contract(NOTHING)))["results"]
    assert (found["kind"], found["level"]) == ("fail", "warning")
    assert found["properties"]["verdict"] == "unknown"
    assert found["message"]["text"].startswith("Not decided: ")


def test_sarif_points_at_source_lines_below_the_checked_out_tree() -> None:
    inside, outside = finding(source="/repo/src/ä b.c:12"), finding(source="/usr/x.c:3 in f")
    (one, other) = read_sarif(result(contract(inside, outside)), "/repo")["results"]
    assert one["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/%C3%A4%20b.c", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12},
    }
    assert other["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "file:///usr/x.c"
    }


def test_sarif_uri_keeps_the_bytes_of_a_name() -> None:
    name = b"\xff:a%b.db"
    (found,) = read_sarif(result(contract(finding(source=None, path=to_text(name)))))["results"]
    location = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert unquote_to_bytes(location["uri"]) == name


def test_sarif_execution_fails_where_the_recording_does() -> None:
    (invocation,) = read_sarif(result(contract(), trace=TORN))["invocations"]
    assert not invocation["executionSuccessful"]


@patient
@given(results)
def test_sarif_has_each_finding_and_each_doubt(of: CheckResult) -> None:
    run = read_sarif(of)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
    levels = [each["level"] for each in run["results"]]
    for case in cases(of):
        if case.verdict is not Verdict.KEPT and case.rule is None:
            assert "error" in levels or "warning" in levels
    counted = sum(len(each.findings) for each in of.contracts)
    assert len(levels) >= counted


# ---------------------------------------------------------------- Gradescope


def test_gradescope(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(json.loads(gradescope(GRADED)), indent=2) == snapshot


def test_gradescope_counts_contracts_where_nothing_carries_points() -> None:
    read = json.loads(gradescope(result(contract(), contract(UNKNOWN, id="other"))))
    assert read["score"] == 1.0
    assert [(each["score"], each["max_score"]) for each in read["tests"]] == [
        (1.0, 1.0),
        (0.0, 1.0),
    ]


@patient
@given(results)
def test_gradescope_gives_no_points_for_what_is_not_kept(of: CheckResult) -> None:
    read = json.loads(gradescope(of))
    assert set(read) == {"score", "output", "output_format", "tests"}
    expected = list(cases(of))
    assert [each["name"] for each in read["tests"]] == [case.name for case in expected]
    for each, case in zip(read["tests"], expected, strict=True):
        assert set(each) <= {
            "name", "status", "output", "score", "max_score", "name_format", "output_format",
        }  # fmt: skip
        assert each["status"] == ("passed" if case.verdict is Verdict.KEPT else "failed")
        assert each.get("score", 0) in {0, each.get("max_score", 0)}
        if each["status"] == "failed":
            assert each.get("score", 0) == 0
            assert each["output"]
    assert read["score"] == sum(each.get("score", 0) for each in read["tests"])
