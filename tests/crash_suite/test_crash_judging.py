"""The suite's own verdicts: what is held to be wrong in an answer, and how results are shown."""

import pytest
from crash_suite import tables
from crash_suite.cases import CASES, CORRUPT, LOST, Expected, found, kept
from crash_suite.judging import Result, judge

from tracefs.crashes import Answer, Checked, Coverage, CrashReport, Failure, Loss
from tracefs.findings import Verdict

KEPT, BROKEN, UNKNOWN = Verdict.KEPT, Verdict.BROKEN, Verdict.UNKNOWN


def failure(loss: Loss) -> Failure:
    return Failure(
        id="7-1", loss=loss, point=7, after_call=1, before_call=None, acks=1, ack=None,
        answer=Answer(checked=Checked.BAD, said="it says no"),
        dropped=(), kept=(), profiles=("xfs",), rule="rule", where="on xfs", states=3,
    )  # fmt: skip


def report(verdict: Verdict, *losses: Loss) -> CrashReport:
    coverage = Coverage(
        points=1, possible=1.0, generated=9, same_operations=0, same_content=0, explored=9,
        left=0, blind=(),
    )  # fmt: skip
    return CrashReport(
        recording="r", check="c", profiles=("xfs",), strategy="default", seed=0, verdict=verdict,
        reasons=("a blind spot",) if verdict is UNKNOWN else (), points=(), coverage=coverage,
        failures=tuple(map(failure, losses)), acks=("a",), seconds=1.5, states_a_second=6.0,
    )  # fmt: skip


def result(expected: Expected, answer: CrashReport) -> Result:
    return judge("case", "a title", expected, answer)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (kept("xfs"), report(KEPT)),
        (found("xfs", LOST), report(BROKEN, LOST)),
        (found("xfs", CORRUPT, may=[LOST]), report(BROKEN, LOST, CORRUPT)),
        (found("xfs", CORRUPT, may=[LOST]), report(BROKEN, CORRUPT)),
        (found("xfs", Loss.CREATION), report(KEPT, Loss.CREATION)),
        (found("xfs", LOST), report(BROKEN, LOST, Loss.CREATION)),
    ],
)
def test_an_answer_as_expected(expected: Expected, answer: CrashReport) -> None:
    assert result(expected, answer).wrong is None


@pytest.mark.parametrize(
    ("expected", "answer", "wrong"),
    [
        (kept("xfs"), report(BROKEN, LOST), "false alarm: broken, 7-1: it says no"),
        (kept("xfs"), report(UNKNOWN), "false alarm: unknown, a blind spot"),
        (found("xfs", LOST), report(KEPT), "not found: acknowledgement lost"),
        (found("xfs", LOST), report(BROKEN, LOST, CORRUPT), "not to be found: corrupt"),
        (found("xfs", CORRUPT, may=[LOST]), report(BROKEN, LOST), "not found: corrupt"),
        (
            found("xfs", LOST),
            report(UNKNOWN, LOST, Loss.CHECKER),
            "not to be found: the checker gave no answer",
        ),
    ],
)
def test_an_answer_that_is_not(expected: Expected, answer: CrashReport, wrong: str) -> None:
    assert result(expected, answer).wrong == wrong


def test_the_later_result_is_shown_with_how_to_see_it() -> None:
    early = result(found("xfs", LOST), report(KEPT))
    late = result(found("xfs", LOST), report(BROKEN, LOST, LOST))
    page = tables.put_into(
        f"before {tables.BEGIN} old {tables.END} after", tables.page([early, late])
    )
    assert page.startswith("before <!--")
    assert page.endswith("--> after")
    assert "old" not in page
    (row,) = [line for line in page.splitlines() if line.startswith("| a title")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:6] == ["xfs", "acknowledgement lost", "acknowledgement lost", "9", "6"]
    assert "state 7-1 (on xfs): it says no: `python tools/crash_suite --only case" in " ".join(
        page.split()
    )


def test_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="crash-suite: begin"):
        tables.put_into("nothing", "tables")


def test_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
