"""Findings in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.contracts.log import LISTED, FindingLog
from tracefs.findings import Finding, Severity, Verdict

RULES = ("first", "second")


def finding(
    rule: str = "first",
    call: int | None = 0,
    severity: Severity = Severity.ERROR,
    verdict: Verdict = Verdict.BROKEN,
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        verdict=verdict,
        call=call,
        path="a",
        page=0,
        message="m",
        repair="r",
    )


def test_an_empty_log_is_kept() -> None:
    log = FindingLog(RULES)
    assert (log.verdict, log.findings()) == (Verdict.KEPT, ())


def test_findings_come_by_call_then_in_the_order_of_the_rules() -> None:
    log = FindingLog(RULES)
    for rule, call in [("second", 3), ("first", 3), ("other", 3), ("first", 1), ("first", None)]:
        log.add(finding(rule, call))
    assert [(each.rule, each.call) for each in log.findings()] == [
        ("first", 1),
        ("first", 3),
        ("second", 3),
        ("other", 3),
        ("first", None),
    ]


@pytest.mark.parametrize(
    ("added", "verdict"),
    [
        ([(Severity.ADVICE, Verdict.BROKEN)], Verdict.KEPT),
        ([(Severity.ERROR, Verdict.UNKNOWN)], Verdict.UNKNOWN),
        ([(Severity.ERROR, Verdict.BROKEN), (Severity.ERROR, Verdict.UNKNOWN)], Verdict.BROKEN),
    ],
)
def test_the_worst_error_is_the_verdict(
    added: list[tuple[Severity, Verdict]], verdict: Verdict
) -> None:
    log = FindingLog(RULES)
    for severity, each in added:
        log.add(finding(severity=severity, verdict=each))
    assert log.verdict is verdict


def test_a_rule_left_out_is_dropped() -> None:
    log = FindingLog(RULES, without=["first"])
    log.add(finding())
    assert (log.verdict, log.findings()) == (Verdict.KEPT, ())


def test_what_is_not_listed_is_counted() -> None:
    log = FindingLog(RULES)
    for call in range(LISTED):
        log.add(finding(call=call))
    assert len(log.findings()) == LISTED
    log.add(finding(call=LISTED))
    assert "1 more finding is counted" in log.findings()[-1].message
    for call in range(999):
        log.add(finding(call=call))
    *listed, closing = log.findings()
    assert [each.call for each in listed] == list(range(LISTED))
    assert (closing.rule, closing.call, closing.verdict) == ("first", None, Verdict.BROKEN)
    assert "1000 more findings are counted" in closing.message


def test_an_error_behind_much_advice_still_counts() -> None:
    log = FindingLog(RULES)
    for call in range(2 * LISTED):
        log.add(finding(call=call, severity=Severity.ADVICE))
    for call in range(2 * LISTED):
        log.add(finding(call=call, verdict=Verdict.UNKNOWN))
    log.add(finding(call=7))
    assert log.verdict is Verdict.BROKEN
    assert len(log.findings()) == 2 * LISTED + 1 + 2


@given(
    st.lists(st.tuples(st.sampled_from(RULES), st.sampled_from(Severity)), max_size=3 * LISTED),
    st.sampled_from([(), ("first",)]),
)
def test_a_finding_that_passes_without_being_made_counts_the_same(
    kinds: list[tuple[str, Severity]], without: tuple[str, ...]
) -> None:
    made, asked = FindingLog(RULES, without=without), FindingLog(RULES, without=without)
    for call, (rule, severity) in enumerate(kinds * 4):
        each = finding(rule, call, severity)
        made.add(each)
        if not asked.passes(rule, severity, each.verdict):
            asked.add(each)
    assert (asked.findings(), asked.verdict) == (made.findings(), made.verdict)
