"""SQLite and git under a few faults: what `tools/judges` does at length."""

from collections.abc import Callable

import pytest
from judges.client import BASE, WORK
from judges.outcome import Fault, Outcome, Verdict
from judges.programs import JUDGES
from judges.trial import Trials
from lacking import lacking
from mounted_support import Guard

Under = Callable[[str, str], Outcome]


@pytest.fixture(scope="module")
def under(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Under:
    """Runs a program, by its name, under a rule."""
    made: dict[str, Trials] = {}

    def run(name: str, rule: str) -> Outcome:
        if name not in made:
            (judge,) = [one for one in JUDGES if one.name == name]
            if judge.missing:
                lacking(f"not installed: {name}")
            made[name] = Trials(judge, tmp_path_factory.mktemp(name), guard)
        outcome, _ = made[name].under(Fault.EIO, rule)
        return outcome

    return run


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("sqlite-delete", "sync(*-journal):error=EIO:when=3"),
        ("sqlite-delete", "write(rows.sqlite):error=ENOSPC:when=2"),
        ("git-all", "sync(*.lock):error=EIO:when=2"),
        ("git", "write(*.lock):error=ENOSPC:when=1"),
    ],
)
def test_what_a_fault_strikes_is_refused_and_all_else_is_kept(
    under: Under, name: str, rule: str
) -> None:
    outcome = under(name, rule)
    assert outcome.strikes == 1, outcome
    assert outcome.under is not None
    assert outcome.verdict is Verdict.KEPT, outcome
    assert outcome.refused == (outcome.under,), outcome
    assert sorted((*outcome.acknowledged, *outcome.refused)) == list(WORK)
    assert outcome.status == 1
    assert not outcome.silent


def test_what_was_said_to_be_written_and_was_not_is_found_missing(under: Under) -> None:
    # The database is told that all went well: only a look at the directory can tell.
    outcome = under("sqlite-delete", "write(rows.sqlite):retval=4096")
    assert outcome.strikes > 1
    assert outcome.verdict in (Verdict.LOST, Verdict.CORRUPT), outcome
    assert set(outcome.cold) <= set(BASE)
