"""What real filesystems show after a power cut is what their profiles say."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from litmus import CASES, Case
from litmus_facts import by_path, gone, holds, there
from litmus_model import Modelled
from litmus_random import Author
from reality.filesystems import ALL
from reality.requests import Cut, Observation
from reality_support import Prepared, everywhere, look, require, seeds

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


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_seen_is_a_state_that_the_profile_allows(
    case: Case, profile: str, shown: Mapping[str, list[Observation]]
) -> None:
    modelled = Modelled(case.before, case.program)
    assert not_allowed(modelled, profile, shown[case.name]) == []


def test_programs_by_chance_show_what_their_profile_allows(profile: str, tmp_path: Path) -> None:
    programs = []
    for seed in seeds():
        author = Author(seed)
        programs.append((author.write(5, syncs=0), author.write(7, syncs=0.3)))
    prepared = [
        Prepared.of(before, text, tmp_path / str(number))
        for number, (before, text) in enumerate(programs)
    ]
    # At every point with nothing nudged, which costs one run for all; at the end with each nudge.
    works = [
        one.work({*(Cut(point) for point in one.points()), *everywhere(one.end)})
        for one in prepared
    ]
    wrong = {
        f"{before} | {text}": reasons
        for (before, text), found in zip(programs, look(profile, works), strict=True)
        if (reasons := not_allowed(Modelled(before, text), profile, found))
    }
    assert wrong == {}


def not_allowed(
    modelled: Modelled, profile: str, observations: Iterable[Observation]
) -> list[tuple[Cut, str]]:
    """Return the cuts that show what no state of the profile gives, with the reason."""
    seeker = modelled.seeker(profile)
    wrong = []
    for observation in observations:
        assert observation.error is None, observation
        found = seeker.find(modelled.point(observation.cut.point), observation.tree)
        if not found:
            wrong.append((observation.cut, str(found)))
    return wrong


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
