"""What is earned: nothing that the evidence leaves open."""

import pytest
from format_results import (
    ADVICE,
    BROKEN,
    NOTHING,
    TORN,
    UNKNOWN,
    WHOLE,
    contract,
    finding,
    patient,
    result,
    results,
)
from hypothesis import given

from tracefs.contracts.language.reports import SOME
from tracefs.findings import CheckResult, ContractResult, Severity, TraceSummary, Verdict
from tracefs.report import points as points_of
from tracefs.report.points import Points, number, of_contract, of_rule, points, total

RULES = {"synced": 2.0, "aligned": 1.5}


def earned(of: ContractResult, trace: TraceSummary = WHOLE) -> dict[str, float]:
    """Return what *of* and its rules earn."""
    rules = {
        rule: points(of_rule(of, rule, trace), worth) for rule, worth in of.rule_points.items()
    }
    if of.points is not None:
        rules["whole"] = points(of_contract(of, trace), of.points)
    return {name: each.earned for name, each in rules.items()}


def graded(*findings: object, **fields: object) -> ContractResult:
    return contract(*findings, points=4.0, rule_points=RULES, **fields)  # type: ignore[arg-type]


def test_a_kept_contract_earns_everything() -> None:
    assert earned(graded()) == {"whole": 4.0, "synced": 2.0, "aligned": 1.5}
    assert total(result(graded())) == Points(earned=7.5, possible=7.5)


def test_advice_costs_nothing() -> None:
    of = graded(ADVICE, finding("synced", severity=Severity.ADVICE))
    assert earned(of) == {"whole": 4.0, "synced": 2.0, "aligned": 1.5}


@pytest.mark.parametrize("verdict", [Verdict.BROKEN, Verdict.UNKNOWN])
def test_a_rule_that_does_not_hold_costs_its_own_points_and_the_contracts(verdict: Verdict) -> None:
    of = graded(finding("synced", verdict))
    assert earned(of) == {"whole": 0.0, "synced": 0.0, "aligned": 1.5}
    assert total(result(of)) == Points(earned=1.5, possible=7.5)


def test_an_open_question_about_another_rule_costs_only_that() -> None:
    assert earned(graded(UNKNOWN)) == {"whole": 0.0, "synced": 2.0, "aligned": 1.5}


@pytest.mark.parametrize("rule", ["written", "some", "checker", "complete-trace"])
def test_a_hole_in_the_evidence_costs_all(rule: str) -> None:
    of = graded(finding(rule, Verdict.UNKNOWN, message="There is a hole."))
    assert earned(of) == {"whole": 0.0, "synced": 0.0, "aligned": 0.0}
    assert of_rule(of, "synced", WHOLE).reason == "There is a hole."


def test_a_language_contract_says_some_of_what_it_did_not_see() -> None:
    assert points_of.SOME == SOME


def test_an_incomplete_recording_costs_all_even_where_the_result_says_kept() -> None:
    assert earned(graded(), TORN) == {"whole": 0.0, "synced": 0.0, "aligned": 0.0}
    assert of_contract(graded(), TORN).reason == "The recording is incomplete: no footer."


def test_a_rule_that_was_left_out_earns_nothing() -> None:
    assert earned(graded(without=("synced",))) == {"whole": 4.0, "synced": 0.0, "aligned": 1.5}


def test_a_doubt_without_a_finding_earns_nothing() -> None:
    of = graded(verdict=Verdict.UNKNOWN)
    assert earned(of) == {"whole": 0.0, "synced": 0.0, "aligned": 0.0}


def test_nothing_graded_has_no_total() -> None:
    assert total(result(contract(BROKEN), contract(NOTHING, id="other"))) is None


def test_points_are_written_as_people_write_them() -> None:
    assert [number(each) for each in (3.0, 2.5, 0.0, 0.25)] == ["3", "2.5", "0", "0.25"]
    assert str(Points(earned=2.5, possible=4.0)) == "2.5 of 4"


@patient
@given(results)
def test_what_is_not_kept_earns_nothing(of: CheckResult) -> None:
    for each in of.contracts:
        whole = of_contract(each, of.trace)
        assert (whole.verdict is Verdict.KEPT) == (
            each.verdict is Verdict.KEPT and of.trace.complete
        )
        for rule in each.rule_points:
            decision = of_rule(each, rule, of.trace)
            open_or_broken = [
                found
                for found in each.findings
                if found.rule == rule and found.severity is Severity.ERROR
            ]
            if open_or_broken or not of.trace.complete or rule in each.without:
                assert decision.verdict is not Verdict.KEPT
