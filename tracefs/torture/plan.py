"""Which runs are made: of two runs without a fault, and of what the user asks for."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tracefs.pathtext import fits
from tracefs.torture import kinds
from tracefs.tortures import Coverage, Result, Target, Trial


class Asked(Struct, frozen=True, kw_only=True):
    """What the user wants; two plans alike make the same runs."""

    command: tuple[str, ...]
    directory: str
    content: str
    """Hash of the directory and of the files that command and checker name."""
    check: str | None
    contracts: tuple[str, ...]
    """Held in each run."""
    by_fault: tuple[str, ...]
    """Held where a fault that they are about was made."""
    faults: tuple[str, ...]
    calls: tuple[str, ...]
    """Families, or names of calls; none: all."""
    paths: tuple[str, ...]
    """Patterns of paths; none: all."""
    pairs: bool
    limit: int | None
    seed: int
    page_size: int
    limit_s: float | None
    """Seconds that a run gets; None: by the run without a fault."""
    witness: str
    tool: str
    """Name and version of what makes the runs."""

    @property
    def hash(self) -> str:
        """What tells plans apart."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Seen(Struct, frozen=True, kw_only=True):
    """What two runs without a fault have in common."""

    targets: tuple[Target, ...]
    """Calls of the first, with what the second had as well."""
    by_path: frozenset[str] = frozenset()
    """Families whose calls come in another order each time, but not those on one file."""
    remarks: tuple[str, ...] = ()


def in_common(first: Sequence[Target], second: Sequence[Target]) -> Seen:
    """Return what can be told of a call beforehand."""
    others = {(one.family, one.number): one for one in second}
    by_path = frozenset(
        family
        for family in {one.family for one in first}
        if _order_varies(_paths(first, family), _paths(second, family))
    )
    known = [
        _known(one, others.get((one.family, one.number)), by_path=one.family in by_path)
        for one in first
    ]
    remarks = []
    if len(first) != len(second):
        remarks.append(
            f"two runs without a fault made {len(first)} and {len(second)} calls: "
            "where a fault strikes another call than meant, its line says so"
        )
    if by_path:
        remarks.append(
            f"calls come in another order each time ({', '.join(sorted(by_path))}): "
            "they are counted for each file"
        )
    return Seen(targets=tuple(known), by_path=by_path, remarks=tuple(remarks))


def singles(seen: Seen, asked: Asked) -> list[Trial]:
    """Return a run for each fault at each call."""
    return [
        Trial(strikes=(strike,))
        for target in seen.targets
        if is_wanted(target, asked)
        for strike in kinds.strikes(target, asked.faults, by_path=target.family in seen.by_path)
    ]


def pairs(trials: Iterable[Trial], results: Iterable[Result], asked: Asked) -> list[Trial]:
    """Return a run for each fault at each call that came after one that was struck."""
    after = {result.key: result.after for result in results}
    return [
        Trial(strikes=(*trial.strikes, strike))
        for trial in trials
        for target in after.get(trial.key, ())
        if is_wanted(target, asked)
        for strike in kinds.strikes(target, asked.faults)
    ]


def is_wanted(target: Target, asked: Asked) -> bool:
    """Return whether the user wants *target* struck."""
    if asked.calls and not {target.family, target.call} & set(asked.calls):
        return False
    path = target.path
    return not asked.paths or (path is not None and any(fits(path, one) for one in asked.paths))


def sample(trials: Sequence[Trial], most: int | None, seed: int) -> tuple[list[Trial], Coverage]:
    """Choose at most *most* of *trials*, the same each time for the same *seed*; in their order."""
    if most is None or len(trials) <= most:
        return list(trials), Coverage(possible=len(trials), chosen=len(trials))
    # No secret hangs on it: it is to be the same each time.
    places = sorted(random.Random(seed).sample(range(len(trials)), most))  # noqa: S311
    chosen = [trials[place] for place in places]
    return chosen, Coverage(possible=len(trials), chosen=most, seed=seed)


def _paths(found: Iterable[Target], family: str) -> list[str | None]:
    return [one.path for one in found if one.family == family]


def _order_varies(first: list[str | None], second: list[str | None]) -> bool:
    return first != second and Counter(first) == Counter(second)


def _known(one: Target, other: Target | None, *, by_path: bool) -> Target:
    """Return *one* without what *other* has otherwise."""
    if other is None or by_path:
        return one
    same_path = one.path == other.path
    return replace(
        one,
        path=one.path if same_path else None,
        path_number=one.path_number if same_path and one.path_number == other.path_number else None,
        offset=one.offset if one.offset == other.offset else None,
        length=one.length if one.length == other.length else None,
    )
