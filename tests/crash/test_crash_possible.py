"""How many states are possible at most."""

import math
from collections import Counter

import pytest
from litmus_model import Modelled
from litmus_random import Author

from tracefs.crash.exploration import nothing
from tracefs.crash.judging import coverage
from tracefs.persistence.history import Part, bits
from tracefs.persistence.profiles import ALL


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_sum_of_the_versions_of_each_cell(profile: str, seed: int) -> None:
    author = Author(seed)
    modelled = Modelled(author.write(4, syncs=0), author.write(8, syncs=0.2))
    persistence, history = modelled.under(profile), modelled.history
    total = 0
    for point in range(len(history.steps) + 1):
        versions: Counter[object] = Counter()
        for number in bits(persistence.happened(point) & ~persistence.forced(point)):
            atom = history.atoms[number]
            if atom.part is Part.NAME:
                versions[atom.entries[0].directory, atom.entries[0].name] += 1
            else:
                versions[atom.file, atom.part, number if atom.overlays else None] += 1
        total += math.prod(count + 1 for count in versions.values())

    found = coverage(history, [persistence], nothing(), ())

    assert found.possible == round(math.log10(total), 1)
