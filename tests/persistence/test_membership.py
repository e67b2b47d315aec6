"""A tree is found to be allowed when a state gives it, and then alone."""

from itertools import islice

import pytest
from litmus_model import Modelled, every_state
from litmus_random import Author
from litmus_text import Program
from msgspec.structs import replace

from tracefs.persistence.profiles import ALL
from tracefs.persistence.states import State

MOST = 60
"""States that are looked at of each program."""


def by_chance(seed: int) -> Modelled:
    """Return a small program."""
    author = Author(seed)
    return Modelled(author.write(4, syncs=0), author.write(5, syncs=0.2))


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("seed", range(8))
def test_every_state_is_found_by_its_tree(profile: str, seed: int) -> None:
    modelled = by_chance(seed)
    end = len(modelled.history.steps)
    persistence, seeker = modelled.under(profile), modelled.seeker(profile)
    for state in islice(every_state(persistence, end), MOST):
        found = seeker.find(end, modelled.seen(modelled.resolver.image(state)))
        assert found.atoms is not None, (state, str(found))
        assert persistence.allows(end, found.atoms)
        assert modelled.tree(State(end, found.atoms)).keys() == modelled.tree(state).keys()


@pytest.mark.parametrize("profile", [name for name in ALL if name != "posix-strict"])
@pytest.mark.parametrize("seed", range(8))
def test_what_no_state_gives_is_not_found(profile: str, seed: int) -> None:
    modelled = by_chance(seed)
    end = len(modelled.history.steps)
    image, seeker = modelled.resolver.image, modelled.seeker(profile)
    allowed = {_key(modelled, state) for state in every_state(modelled.under(profile), end)}
    for state in islice(every_state(modelled.under("posix-strict"), end), MOST):
        found = seeker.find(end, modelled.seen(image(state)))
        assert bool(found) is (_key(modelled, state) in allowed), (state, str(found))


def _key(modelled: Modelled, state: State) -> str:
    return modelled.resolver.key(modelled.resolver.image(state))


def test_the_reason_says_what_the_nearest_state_lacks() -> None:
    modelled = Modelled("create f; write f 0 4096 a", "write f 0 4096 b; fsync f; create g")
    end = len(modelled.history.steps)
    seen = modelled.seen(modelled.resolver.image(State(0, 0)))

    found = modelled.seeker("ext4-ordered").find(end, seen)

    assert str(found) == "no state gives this (1 tried); the nearest: f, page 0, differs"


def test_two_names_of_one_file_are_not_two_files() -> None:
    modelled = Modelled("create f", "link f g; fsync f")
    end = len(modelled.history.steps)
    whole = modelled.seen(modelled.resolver.image(State(end, 1)))
    apart = tuple(replace(one, ino=99) if one.path == "g" else one for one in whole)

    assert modelled.seeker("xfs").find(end, whole)
    found = modelled.seeker("xfs").find(end, apart)

    assert [one.text for one in found.nearest] == ["g and f are not one file"]


def test_a_page_is_zeros_once_the_file_was_shorter() -> None:
    modelled = Modelled("create f; write f 0 8192 a", "truncate f 4096; truncate f 8192")
    end = len(modelled.history.steps)
    seen = modelled.seen(modelled.resolver.image(State(end, 0b11)))
    assert modelled.seeker("posix-strict").find(end, seen)


@pytest.mark.parametrize(
    "seen", ["truncate c 50", "write c 0 10 E; truncate c 50; truncate c 4096"]
)
def test_a_page_that_was_cut_is_written_apart_from_the_size(seen: str) -> None:
    # Seen on XFS: the log without the contents, and the contents without the log.
    before = "create c; write c 0 4096 A"
    modelled, other = Modelled(before, "write c 0 10 E; truncate c 50"), Program()
    other.run(f"{before}; {seen}")
    assert modelled.seeker("xfs").find(len(modelled.history.steps), other.tree())


def test_the_other_name_may_be_what_changed() -> None:
    modelled = Modelled("create a; create b", "unlink a; link b a")
    end = len(modelled.history.steps)
    seen = modelled.seen(modelled.resolver.image(State(end, 0b11)))
    assert modelled.seeker("posix-strict").find(end, seen)


def test_a_search_that_is_given_up_says_so() -> None:
    modelled = Modelled("create f", "write f 0 10 a; write f 0 10 b; create g")
    end = len(modelled.history.steps)
    everything = modelled.under("posix-strict").happened(end)
    seen = modelled.seen(modelled.resolver.image(State(end, everything)))

    found = modelled.seeker("posix-strict").find(end, seen, most=1)

    assert not found
    assert not found.complete
    assert str(found).startswith("not found in 1 states")
