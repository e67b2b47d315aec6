"""The answer of a check, as text and as JSON."""

import json

import pytest
from msgspec.structs import replace
from report_support import PAGE, START_NS, call, pwrite
from syrupy.assertion import SnapshotAssertion

from tracefs.contracts.log import LISTED
from tracefs.findings import (
    CheckResult,
    ContractResult,
    Finding,
    Severity,
    TraceSummary,
    Verdict,
)
from tracefs.report.finding import PER_RULE
from tracefs.report.strace import CallLines
from tracefs.report.style import Style
from tracefs.report.verdict import VerdictText, written_out
from tracefs.report.verdict_json import verdict_line

LINES = CallLines(start_ns=START_NS, page_size=PAGE)
WHOLE = TraceSummary(complete=True, calls=12, unknown_calls=0)

FULL_PAGE = Finding(
    rule="full-page",
    severity=Severity.ERROR,
    verdict=Verdict.BROKEN,
    call=4,
    path="pages.db",
    page=2,
    message="Expected one page of 4096 bytes; saw pwrite64 of 100 bytes at offset 8192 (page 2).",
    repair="Fill the page up with zeros and write all of it in one call.",
)
ADVICE = Finding(
    rule="fdatasync-suffices",
    severity=Severity.ADVICE,
    verdict=Verdict.BROKEN,
    call=5,
    path="pages.db",
    page=None,
    message="Expected fdatasync.",
    repair="Call fdatasync.",
    source="demo.py:12",
)
UNSEEN = Finding(
    rule="no-seek",
    severity=Severity.ERROR,
    verdict=Verdict.UNKNOWN,
    call=None,
    path=None,
    page=None,
    message="Nobody watched the file position.",
    repair="Record with a witness.",
)


def result(
    *findings: Finding, verdict: Verdict, trace: TraceSummary = WHOLE, without: tuple[str, ...] = ()
) -> CheckResult:
    contract = ContractResult(
        id="page-write",
        verdict=verdict,
        findings=findings,
        evidence={"no-seek": "the file position at each write and sync"},
        without=without,
    )
    return CheckResult(verdict=verdict, contracts=(contract,), trace=trace)


def text(answer: CheckResult, style: Style | None = None) -> str:
    seen = {4: pwrite(8192, 100, index=4), 5: call("fsync", "sync", index=5, fd=3, result=0)}
    render = VerdictText(seen=seen, lines=LINES, style=style or Style()).render
    return "\n".join(render(answer))


def test_kept(snapshot: SnapshotAssertion) -> None:
    assert text(result(verdict=Verdict.KEPT)) == snapshot


def test_broken(snapshot: SnapshotAssertion) -> None:
    assert text(result(FULL_PAGE, ADVICE, verdict=Verdict.BROKEN)) == snapshot


def test_unknown(snapshot: SnapshotAssertion) -> None:
    torn = TraceSummary(complete=False, calls=3, unknown_calls=1, incomplete_because="no footer")
    answer = result(UNSEEN, verdict=Verdict.UNKNOWN, trace=torn, without=("aligned", "synced"))
    assert text(answer) == snapshot


@pytest.mark.parametrize("verdict", Verdict)
def test_the_author_s_help_is_for_who_did_not_keep_it(verdict: Verdict) -> None:
    answer = result(verdict=verdict)
    contract = replace(answer.contracts[0], help="Read\nchapter 3.")
    said = "help: Read\nhelp: chapter 3." in text(replace(answer, contracts=(contract,)))
    assert said is (verdict is not Verdict.KEPT)


def test_many_of_one_rule(snapshot: SnapshotAssertion) -> None:
    answer = result(*[ADVICE] * (PER_RULE + 2), verdict=Verdict.KEPT)
    assert text(answer) == snapshot
    assert len(list(written_out(answer.contracts[0]))) == PER_RULE


def test_a_cut_list_is_said_to_be_one() -> None:
    answer = text(result(*[FULL_PAGE] * (LISTED + 1), verdict=Verdict.BROKEN))
    assert f"(at least {LISTED + 1} errors)" in answer
    assert f"... and at least {LISTED + 1 - PER_RULE} more" in answer


def test_a_call_that_could_not_be_looked_up_is_left_out() -> None:
    lines = list(VerdictText().render(result(FULL_PAGE, verdict=Verdict.BROKEN)))
    assert not any("pwrite64(" in line for line in lines)


def test_hostile_names_and_messages_stay_on_their_line() -> None:
    hostile = "x\n\x1b[2Jpage-write: kept"
    finding = Finding(
        rule="synced",
        severity=Severity.ERROR,
        verdict=Verdict.BROKEN,
        call=None,
        path=hostile,
        page=None,
        message=hostile,
        repair=hostile,
        source=hostile,
    )
    torn = TraceSummary(complete=False, calls=3, unknown_calls=1, incomplete_because=hostile)
    answer = result(finding, verdict=Verdict.BROKEN, trace=torn)
    assert all(line.isprintable() for line in VerdictText().render(answer))


def test_colour_only_where_asked() -> None:
    answer = result(FULL_PAGE, verdict=Verdict.BROKEN)
    assert "\x1b[31mbroken\x1b[0m" in text(answer, Style(colour=True))
    assert "\x1b" not in text(answer)


def test_json(snapshot: SnapshotAssertion) -> None:
    answer = result(FULL_PAGE, UNSEEN, verdict=Verdict.BROKEN, without=("aligned",))
    assert json.loads(verdict_line(answer)) == snapshot


def test_json_has_the_fixed_shape() -> None:
    shape = json.loads(verdict_line(result(FULL_PAGE, verdict=Verdict.BROKEN)))
    assert set(shape) == {"verdict", "contracts", "trace"}
    (contract,) = shape["contracts"]
    graded = {"help", "points", "rule_points"}
    assert set(contract) == {"id", "verdict", "findings", "evidence", "without"} | graded
    keys = "rule severity verdict call path page message repair source"
    assert list(contract["findings"][0]) == keys.split()
    assert set(shape["trace"]) == {
        "complete", "calls", "unknown_calls", "incomplete_because", "status", "pid",
    }  # fmt: skip
