"""States that a profile allows keep what it promises; what it doesn't promise can break."""

import pytest
from litmus import ALL, CASES, Case
from litmus_facts import Fact
from litmus_model import Modelled, every_state

from tracefs.persistence.states import State

CLAIMS = [
    pytest.param(case, claim.fact, id=f"{case}: {claim.fact}")
    for case in CASES
    for claim in case.claims
]


def breaking(case: Case, fact: Fact, profile: str) -> State | None:
    """Return an allowed state at the end of the program that breaks the fact."""
    modelled = Modelled(case.before, case.program)
    end = len(modelled.history.steps)
    states = every_state(modelled.under(profile), end)
    return next((state for state in states if not fact.holds(modelled.tree(state))), None)


@pytest.mark.parametrize(("case", "fact"), CLAIMS)
def test_what_is_promised_is_kept_in_every_state(case: Case, fact: Fact) -> None:
    [claim] = [one for one in case.claims if one.fact is fact]
    broken = {profile: breaking(case, fact, profile) for profile in claim.kept}
    assert not {profile: state for profile, state in broken.items() if state is not None}


@pytest.mark.parametrize(("case", "fact"), CLAIMS)
def test_what_is_not_promised_is_broken_in_a_state(case: Case, fact: Fact) -> None:
    [claim] = [one for one in case.claims if one.fact is fact]
    assert [one for one in claim.broken if breaking(case, fact, one) is None] == []


def test_every_claim_names_profiles_that_there_are() -> None:
    for case in CASES:
        for claim in case.claims:
            assert set(claim.kept) | set(claim.broken) <= set(ALL)
            assert not set(claim.kept) & set(claim.broken)
