"""What is made of runs: verdicts, places to strike, tables in a page."""

from typing import Any

import msgspec
import pytest
from judges import tables
from judges.client import BASE, WORK
from judges.outcome import Fault, Outcome, Verdict
from judges.plan import Line, Result, Session, places
from judges.programs import JUDGES
from judges.trial import Counts

SQLITE = JUDGES[0]
EVERYTHING = (*BASE, *WORK)


def outcome(**changed: Any) -> Outcome:
    """Return a run in which the second commit was refused, and is not there."""
    kept = tuple(row for row in EVERYTHING if row != WORK[1])
    usual = Outcome(
        judge=SQLITE.name,
        fault=Fault.EIO,
        rule="sync:error=EIO:when=7",
        struck="fdatasync db/rows.sqlite",
        strikes=1,
        under=WORK[1],
        status=1,
        acknowledged=tuple(row for row in WORK if row != WORK[1]),
        refused=(WORK[1],),
        said=("commit: disk I/O error",),
        warm=kept,
        cold=kept,
        damage=(),
        seconds=0.5,
    )
    return msgspec.structs.replace(usual, **changed)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.KEPT),
        ({"cold": EVERYTHING}, Verdict.KEPT),
        ({"cold": outcome().cold[1:]}, Verdict.LOST),
        ({"cold": outcome().cold[:-1]}, Verdict.LOST),
        ({"damage": ("row 0 is damaged",), "cold": ()}, Verdict.CORRUPT),
        ({"status": None, "damage": ("row 0 is damaged",)}, Verdict.HUNG),
    ],
)
def test_the_worst_is_the_verdict(changed: dict[str, object], verdict: Verdict) -> None:
    assert outcome(**changed).verdict is verdict


def test_a_refused_row_may_be_there_and_a_seen_one_gone() -> None:
    there = outcome(warm=EVERYTHING, cold=EVERYTHING)
    assert (there.appeared, there.vanished) == ((WORK[1],), ())
    gone = outcome(warm=EVERYTHING)
    assert (gone.appeared, gone.vanished, gone.verdict) == ((), (WORK[1],), Verdict.KEPT)


def test_silence_needs_a_fault_and_nobody_who_was_told() -> None:
    assert outcome(said=(), status=0).silent
    assert not outcome(said=(), status=0, struck=None).silent
    assert not outcome(status=0).silent
    assert not outcome(said=()).silent


def test_few_places_are_all_struck_and_many_are_drawn_by_the_seed() -> None:
    counts = Counts(sync=5, files=3, write=100)
    assert places(SQLITE, Fault.EIO, counts, 60, 1) == [1, 2, 3, 4, 5]
    assert places(SQLITE, Fault.XFS, counts, 60, 1) == [1, 2, 3]
    drawn = places(SQLITE, Fault.ENOSPC, counts, 60, 1)
    assert len(set(drawn)) == 60
    assert set(drawn) <= set(range(1, 101))
    assert drawn == places(SQLITE, Fault.ENOSPC, counts, 60, 1)
    assert drawn != places(SQLITE, Fault.ENOSPC, counts, 60, 2)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (Fault.EIO, "sync:error=EIO:when=3"),
        (Fault.BTRFS, "sync:error=EIO:mode=btrfs:when=3"),
        (Fault.ENOSPC, "write:error=ENOSPC:when=3"),
        (Fault.FULL, "write:error=ENOSPC:when=3+"),
    ],
)
def test_a_fault_is_a_rule(fault: Fault, rule: str) -> None:
    assert sorted(fault.rule(3).split(":")) == sorted(rule.split(":"))


def test_results_become_tables_in_a_page_and_again() -> None:
    lost = outcome(cold=outcome().cold[1:], rule="sync:error=EIO:when=9")
    session = Session(judge=SQLITE.name, version="3.40.1", syncs=24, writes=102)
    hung = outcome(status=None, rule=lost.rule)
    written = [session, *(Result(outcome=one) for one in (hung, outcome(), lost))]
    # As they come back from the file of results.
    lines: list[Line] = [
        msgspec.json.decode(msgspec.json.encode(one), type=Line) for one in written
    ]
    page = f"# Title\n\n{tables.BEGIN}\nold\n{tables.END}\nend\n"
    text = tables.put_into(page, tables.page(lines))
    assert text == tables.put_into(text, tables.page(lines))
    assert "old" not in text
    assert text.endswith(f"{tables.END}\nend\n")
    (row,) = [line for line in text.splitlines() if line.startswith("| EIO, nothing lost")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:7] == ["2", "2", "1", "1", "-", "-"]
    assert "--only sqlite-delete --rule 'sync:error=EIO:when=9'" in text
    assert "when=7" not in text


def test_a_page_without_a_place_for_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="judges: begin"):
        tables.put_into("# Title\n", "")
