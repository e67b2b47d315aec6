"""What real filesystems show after a power cut is what their profiles say."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from litmus import CASES, Case
from litmus_facts import by_path, gone, holds, there
from reality.filesystems import ALL
from reality.requests import Cut, Observation
from reality_support import Prepared, everywhere, look, require

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", params=ALL)
def profile(request: pytest.FixtureRequest) -> str:
    """A profile of a filesystem that can be made here."""
    name: str = request.param
    require(name)
    return name


@pytest.fixture(scope="module")
def shown(
    profile: str, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[Observation]]:
    """What each litmus case shows at its end, by its name."""
    base = tmp_path_factory.mktemp("litmus")
    prepared = [
        Prepared.of(case.before, case.program, base / str(number))
        for number, case in enumerate(CASES)
    ]
    found = look(profile, [one.work(everywhere(one.end)) for one in prepared])
    return {case.name: observations for case, observations in zip(CASES, found, strict=True)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_filesystem_keeps_what_its_profile_promises(
    case: Case, profile: str, shown: Mapping[str, list[Observation]]
) -> None:
    for observation in shown[case.name]:
        assert observation.error is None, observation
        tree = by_path(observation.tree)
        for claim in case.claims:
            if profile in claim.kept:
                assert claim.fact.holds(tree), (str(claim.fact), observation)


def test_a_cut_loses_what_was_not_synced_and_nothing_else(profile: str, tmp_path: Path) -> None:
    program = "create kept; write kept 0 4096 k; fsync kept; write kept 0 4096 n; create lost"
    prepared = Prepared.of("create old", program, tmp_path / "kept")

    [found] = look(profile, [prepared.work([Cut(0), Cut(prepared.end)])])

    first, last = (by_path(observation.tree) for observation in found)
    assert (there("old") & gone("kept")).holds(first)
    assert (there("old") & holds("kept", "k*4096") & gone("lost")).holds(last)


def test_a_nudge_writes_back_what_no_program_synced(profile: str, tmp_path: Path) -> None:
    prepared = Prepared.of("", "create f; write f 0 4096 x", tmp_path / "nudged")

    [found] = look(profile, [prepared.work(everywhere(prepared.end))])

    trees = {one.cut.nudge: by_path(one.tree) for one in found}
    assert gone("f").holds(trees["nothing"])
    assert holds("f", "").holds(trees["metadata"])
    assert holds("f", "x*4096").holds(trees["data, then metadata"])
